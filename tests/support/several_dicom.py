"""DICOM folders that hold more than one stack: acquisitions, series, copies and odd files."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    MediaStorageDirectoryStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from support import dicom_maker as maker
from support.bad_dicom import HU, PLACES, after, on, series, tagged, victim
from support.reading_law import Case, as_pydicom

SAGITTAL = [0, 1, 0, 0, 0, -1]


def apart(*changes: Callable, places=(PLACES, PLACES)) -> Callable:
    """One series of two stacks, each with its own change of every header."""

    def make(folder, _):
        def change(k, data):
            changes[k // len(PLACES)](k % len(PLACES), data)

        both = np.concatenate([HU, HU + 5])
        return series(folder, change, [*places[0], *places[1]], both)

    return make


def by(tag: str, first: object, second: object, **how) -> Callable:
    """One series of two stacks that one tag tells apart."""
    return apart(on(None, **{tag: first}), on(None, **{tag: second}), **how)


def second_of_two(path, found):
    """Assert that the second stack was read, and every voxel of it."""
    assert found.volume.grid.n == len(HU)
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU + 5, None))


def first_of_two(path, found):
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU, None))


def all_of_them(path, found):
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU, None))


def later(k, data):
    data.AcquisitionTime = f"1200{k:02d}"


def much_later(k, data):
    data.AcquisitionTime = f"1300{k:02d}"


def beyond(mm: float) -> list:
    return [p + np.array([0, 0, mm]) for p in PLACES]


def rotations(folder, _):
    """Pairs of slices, each with its own AcquisitionNumber, as of a sequential scan, one gone."""

    def change(k, data):
        data.AcquisitionNumber = 1 + k // 2

    places = maker.positions_of(10, 2.0)
    made = series(folder, change, places, maker.scan_hu(10))
    victim(made, 4).unlink()
    return made


def two_series(mm: float, other_mm: float, **tags) -> Callable:
    """Two series of the same numbers but for what they are told apart by."""

    def make(folder, _):
        series(folder / "a", on(None, SliceThickness=mm, SeriesNumber=3))
        series(
            folder / "b",
            on(
                None,
                SliceThickness=other_mm,
                SeriesInstanceUID="1.2.77",
                **{"SeriesNumber": 4, **tags},
            ),
            hu=HU + 5,
        )
        return folder

    return make


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
    "passes that overlap": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(7.0))),
        r"2 acquisitions in series 3, told apart by AcquisitionNumber: 1 \(.* 300 to 310 mm\), 2",
    ),
    "the second pass": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(7.0))),
        right=second_of_two,
        say={"acquisition": 2},
        noted="read: acquisition 2",
    ),
    "passes with a gap between": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(50.0))), "2 acquisitions"
    ),
    "passes that continue each other": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(12.0))),
        right=lambda path, found: _n(found, 12),
    ),
    "the second of passes that continue each other": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(12.0))),
        right=second_of_two,
        say={"acquisition": 2},
    ),
    "no such pass": Case(
        by("AcquisitionNumber", 1, 2), "no acquisition '3', but 1", say={"acquisition": 3}
    ),
    "all of two phases": Case(
        by("AcquisitionNumber", 1, 2), "6 positions given twice", say={"acquisition": "all"}
    ),
    "energies": Case(by("KVP", 80, 140), r"told apart by KVP: 1 \(KVP 80: .* 2 \(KVP 140"),
    "the lower energy": Case(by("KVP", 80, 140), right=first_of_two, say={"acquisition": "1"}),
    "the higher energy by its name": Case(
        by("KVP", 80, 140), right=second_of_two, say={"acquisition": "KVP 140"}
    ),
    "phases by ContentTime": Case(by("ContentTime", "120000", "120100"), "apart by ContentTime"),
    "phases by AcquisitionTime": Case(
        by("AcquisitionTime", "120000", "120100"), "apart by AcquisitionTime"
    ),
    "phases by the order of their times": Case(
        apart(later, much_later), "apart by AcquisitionTime: 1 .*120000 to 120005"
    ),
    "the later of phases by their times": Case(
        apart(later, much_later), right=second_of_two, say={"acquisition": 2}
    ),
    "phases by TemporalPositionIdentifier": Case(
        by("TemporalPositionIdentifier", 1, 2), "apart by TemporalPositionIdentifier"
    ),
    "two kernels": Case(by("ConvolutionKernel", "B30f", "B70f"), "apart by ConvolutionKernel"),
    "a derived stack": Case(
        by("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY", "MIP"]),
        "apart by ImageType",
    ),
    "two stacks of other sizes": Case(
        apart(on(None), lambda k, data: larger(data)), "apart by Rows and Columns"
    ),
    "two thicknesses": Case(by("SliceThickness", 5, 2), "apart by SliceThickness"),
    "the thicker of two thicknesses": Case(
        by("SliceThickness", 5, 2), right=first_of_two, say={"acquisition": 2}
    ),
    "phases that nothing tells apart": Case(apart(on(None), on(None)), "6 positions given twice"),
    "an acquisition of one stack": Case(
        lambda f, _: series(f), "no acquisition '2'", say={"acquisition": 2}
    ),
    "a rotation's slice is missing": Case(rotations, "1 missing"),
    "two series": Case(two_series(5, 2), r"2 series: 3 \(.*, 4 \("),
    "the thickest series": Case(two_series(5, 2), right=all_read, say={"series": "thickest"}),
    "the thinnest series": Case(two_series(5, 2), right=second_of_two, say={"series": "thinnest"}),
    "series by its number": Case(two_series(5, 2), right=second_of_two, say={"series": 4}),
    "two thickest series": Case(two_series(5, 5), "'thickest' is 2", say={"series": "thickest"}),
    "no such series": Case(two_series(5, 2), "no series '7'", say={"series": 7}),
    "two series of one number": Case(
        two_series(5, 2, SeriesNumber=3), "2 series", say={"series": 3}
    ),
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


def _n(found, n: int) -> None:
    assert found.volume.grid.n == n
