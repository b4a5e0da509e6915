"""DICOM series with odd files among the slices, and files written in unusual ways."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import MediaStorageDirectoryStorage, RLELossless, SecondaryCaptureImageStorage

from support import dicom_maker as maker
from support.bad_dicom import HU, PLACES, after, series, tagged, victim
from support.reading_law import Case, as_pydicom

SAGITTAL = [0, 1, 0, 0, 0, -1]


def all_of_them(path, found):
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU, None))


def beyond(mm: float) -> list:
    return [p + np.array([0, 0, mm]) for p in PLACES]


def odd_file(name: str, content: bytes) -> Callable:
    return after(lambda made: (made / name).write_bytes(content))


def directory(made: Path) -> None:
    """A DICOMDIR under another name, as some makers put into every folder."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "1.2.5", "1.2.840.10008.1.2.1"
    data = pydicom.dataset.FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.FileSetID = "X"
    data.save_as(made / "DIRFILE", enforce_file_format=True)


def no_class(made: Path) -> None:
    """An image of rows and columns, of no SOP class and no series."""
    data = maker.image(np.zeros((4, 4), np.int16), (0, 0, 0))
    del data.SOPClassUID, data.SeriesInstanceUID
    data.save_as(made / "thumbnail", enforce_file_format=False)


def extra(change: Callable) -> Callable:
    """One more image of the series, beyond its last slice."""

    def act(made):
        data = pydicom.dcmread(victim(made, 5))
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3.99"
        data.ImagePositionPatient = [float(v) for v in PLACES[5] + np.array([0, 0, 2.0])]
        change(data)
        data.save_as(made / "extra", enforce_file_format=True)

    return after(act)


def capture(data):
    data.SOPClassUID = SecondaryCaptureImageStorage


def localizer(data):
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


def sagittal(data):
    data.ImageOrientationPatient = SAGITTAL


def larger(data):
    data.Rows, data.Columns, data.PixelData = 10, 14, data.PixelData * 4


def reparsed(change: Callable[[Path], object]) -> Callable:
    """Write every file of a series again, in another way."""

    def act(made):
        for file in list(made.iterdir()):
            change(file)

    return after(act)


def packed(file):
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()


def packed_and_cut(file):
    packed(file)
    whole = file.with_name(f"{file.name}.gz")
    whole.write_bytes(whole.read_bytes()[:-40])


def bare(*, implicit: bool) -> Callable[[Path], object]:
    def change(file):
        data = pydicom.dcmread(file)
        del data.file_meta
        data.preamble = None
        pydicom.dcmwrite(
            file, data, implicit_vr=implicit, little_endian=True, enforce_file_format=False
        )

    return change


def meta_first(file):
    """No preamble and no mark, but the file's meta information."""
    file.write_bytes(file.read_bytes()[132:])


def bare_and_cut(file):
    bare(implicit=True)(file)
    file.write_bytes(file.read_bytes()[:-10])


def all_read(path, found):
    all_of_them(path, found)
    assert found.volume.grid.n == len(HU)


CASES = {
    "a DICOMDIR of another name": Case(after(directory), right=as_pydicom),
    "an image without a class": Case(after(no_class), right=all_read),
    "a picture of no known name": Case(
        odd_file("Thumb.cache", b"\x89PNG" * 50), right=as_pydicom, noted="Thumb.cache"
    ),
    "a zip among the slices": Case(
        odd_file("old.zip", b"PK\3\4" * 50), right=as_pydicom, noted="old.zip"
    ),
    "an odd file where a slice is missing": Case(
        after(lambda made: victim(made).write_bytes(b"text" * 99)), "DICM mark"
    ),
    "a lost slice at the end": Case(
        after(lambda made: victim(made, 5).write_bytes(b"")), "0 bytes"
    ),
    "a capture in the series": Case(extra(capture), right=all_read, noted="secondary capture"),
    "a localizer in the series": Case(extra(localizer), right=all_read, noted="localizer"),
    "a sagittal plane in the series": Case(
        extra(sagittal), right=all_read, noted="differs .* in ImageOrientationPatient"
    ),
    "a larger image in the series": Case(
        extra(larger), right=all_read, noted="differs .* in Rows and Columns"
    ),
    "copies of all slices": Case(
        after(
            lambda made: [
                (made / f"copy of {f.name}").write_bytes(f.read_bytes())
                for f in list(made.iterdir())
            ]
        ),
        right=all_read,
        noted="left out: 6 copies",
    ),
    "files packed by gzip": Case(reparsed(packed), right=all_read),
    "files packed by gzip and cut": Case(reparsed(packed_and_cut), "gzip that is broken"),
    "implicit without preamble": Case(reparsed(bare(implicit=True)), right=all_read),
    "explicit without preamble": Case(reparsed(bare(implicit=False)), right=all_read),
    "meta information without preamble": Case(reparsed(meta_first), right=all_read),
    "without preamble and cut": Case(reparsed(bare_and_cut), "60 bytes of pixels"),
    "run lengths": Case(
        lambda f, _: series(f, lambda k, data: data.compress(RLELossless)), right=as_pydicom
    ),
    "shown inverted": Case(tagged(None, PhotometricInterpretation="MONOCHROME1"), right=as_pydicom),
    "one shown inverted": Case(
        tagged(3, PhotometricInterpretation="MONOCHROME1"), "different pixels: MONOCHROME1"
    ),
    "values of a US rescale": Case(
        tagged(None, RescaleType="US"), right=as_pydicom, noted="RescaleType US"
    ),
    "bad UIDs": Case(
        tagged(None, SeriesInstanceUID="1.02.3"), right=as_pydicom, noted="break the rules"
    ),
    "a number that is none": Case(tagged(None, SeriesNumber="3.0"), right=as_pydicom),
}
