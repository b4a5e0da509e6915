"""Faulty DICOM: small series with one fault each."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import (
    ComprehensiveSRStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from support import dicom_maker as maker
from support.reading_law import Case, as_pydicom

HU = maker.scan_hu()
PLACES = maker.positions_of(6, 2.0)
SEEDS = 12


def series(folder: Path, change=lambda k, data: None, places=PLACES, hu=HU, **how) -> Path:
    """A series as scanners write it: with a study, a frame of reference and slice locations."""

    def whole(k, data):
        data.PatientID, data.StudyInstanceUID, data.FrameOfReferenceUID = "p", "1.2.9", "1.2.8"
        data.SliceLocation = float(places[k][2])
        change(k, data)

    return maker.series(folder / "scan", hu, places, change=whole, **how)


def on(index: int, **tags) -> Callable:
    """Set these tags on one slice (None: on all); a value of None removes the tag."""

    def change(k, data):
        for keyword, value in tags.items() if index in (k, None) else ():
            delattr(data, keyword) if value is None else setattr(data, keyword, value)

    return change


def tagged(index, **tags) -> Callable:
    return lambda folder, _: series(folder, on(index, **tags))


def victim(folder: Path, k: int = 2) -> Path:
    """The file of the k-th slice along z."""
    return sorted(folder.iterdir(), key=lambda f: pydicom.dcmread(f).ImagePositionPatient[2])[k]


def cut(seed: int) -> Callable:
    def make(folder, _):
        file = victim(series(folder), seed % 6)
        whole = file.read_bytes()
        file.write_bytes(whole[: np.random.default_rng(seed).integers(len(whole) - 1)])
        return file.parent

    return make


def flipped(seed: int) -> Callable:
    """Flip one to three bits of one header."""

    def make(folder, _):
        random = np.random.default_rng(seed)
        file = victim(series(folder), seed % 6)
        content = bytearray(file.read_bytes())
        for at in random.integers(132, len(content) - HU[0].size * 2, 1 + seed % 3):
            content[at] ^= 1 << int(random.integers(8))
        file.write_bytes(content)
        return file.parent

    return make


def after(act: Callable[[Path], object]) -> Callable:
    """A valid series that ``act`` then damages."""

    def make(folder, _):
        made = series(folder)
        act(made)
        return made

    return make


def relabelled(syntax: str) -> Callable[[Path], object]:
    """Change the transfer syntax in the header only."""

    def act(made):
        for file in made.iterdir():
            content = file.read_bytes()
            old = b"1.2.840.10008.1.2.1\0"
            new = str(syntax).encode()
            new += b"\0" * (len(new) % 2)
            at = content.index(old)
            head = content[: at - 2] + struct.pack("<H", len(new)) + new
            group = int.from_bytes(content[140:144], "little") + len(new) - len(old)
            head = head[:140] + struct.pack("<L", group) + head[144:]
            file.write_bytes(head + content[at + len(old) :])

    return act


def compressed(folder, _):
    return series(folder, lambda k, data: data.compress(RLELossless), hu=BIG, places=PLACES[:3])


def compressed_and_cut(folder, _):
    file = victim(compressed(folder, _), 1)
    file.write_bytes(file.read_bytes()[:-300])
    return file.parent


BIG = maker.scan_hu(3, 32, 32)


def swapped(k, data):
    if k in (2, 3):
        data.ImagePositionPatient = [float(v) for v in PLACES[5 - k]]


def cropped(k, data):
    if k == 3:
        data.Rows, data.PixelData = 4, data.PixelData[: 4 * 7 * 2]


def report(made: Path) -> None:
    """Add a dose report to the slices, as on most CDs."""
    data = maker.image(np.zeros((2, 2), np.int16), (0, 0, 0), sop=ComprehensiveSRStorage)
    del data.Rows, data.Columns, data.PixelData
    data.SeriesInstanceUID, data.SeriesNumber, data.Modality = "1.2.3", 999, "SR"
    data.save_as(made / "report", enforce_file_format=True)


def scout(made: Path) -> None:
    data = maker.image(np.zeros((9, 9), np.int16), (0, 0, 0))
    data.SeriesInstanceUID, data.SeriesNumber = "1.2.3", 1
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    data.save_as(made / "scout", enforce_file_format=True)


TILT = [p + np.array([0, 0.6 * k, 0]) for k, p in enumerate(PLACES)]
GAP = [*PLACES[:3], *(p + np.array([0, 0, 2.0]) for p in PLACES[3:])]
CASES = {
    "as scanners make it": Case(lambda f, _: series(f), right=as_pydicom),
    **{f"cut {s}": Case(cut(s), r"found") for s in range(SEEDS)},
    **{f"bits {s}": Case(flipped(s), r"found", as_pydicom) for s in range(4 * SEEDS)},
    "deleted slice": Case(after(lambda made: victim(made).unlink()), "1 missing"),
    "deleted last slice": Case(after(lambda made: victim(made, 5).unlink()), right=as_pydicom),
    "swapped positions": Case(lambda f, _: series(f, swapped), "different orders"),
    "duplicate": Case(
        after(lambda made: (made / "copy").write_bytes(victim(made).read_bytes())),
        right=as_pydicom,
        noted="left out: 1 copies of other slices",
    ),
    "gap": Case(lambda f, _: series(f, places=GAP), "4 mm between"),
    "tilt": Case(lambda f, _: series(f, places=TILT), "gantry tilt"),
    "one slice": Case(lambda f, _: series(f, hu=HU[:1], places=PLACES[:1]), "1 slice"),
    "one of another size": Case(lambda f, _: series(f, cropped), "different sizes"),
    "one of other pixels": Case(tagged(1, PixelSpacing=[0.7, 0.91]), "different pixel spacings"),
    "one turned": Case(
        tagged(1, ImageOrientationPatient=[1, 0, 0, 0, -1, 0]), "different orientations"
    ),
    "another patient": Case(tagged(4, PatientID="q"), "2 series"),
    "another study": Case(tagged(4, StudyInstanceUID="1.2.10"), "2 series"),
    "another frame": Case(tagged(4, FrameOfReferenceUID="1.2.7"), "2 frames of reference"),
    "no position": Case(tagged(4, ImagePositionPatient=None), "no ImagePositionPatient"),
    "no orientation": Case(tagged(None, ImageOrientationPatient=None), "no ImageOrientation"),
    "no pixel spacing": Case(tagged(None, PixelSpacing=None), "no PixelSpacing"),
    "no pixels": Case(tagged(4, PixelData=None), "no pixel data"),
    "no rows": Case(tagged(4, Rows=None), "no rows and columns"),
    "no rescale": Case(tagged(4, RescaleSlope=None), "no RescaleSlope"),
    "no series": Case(tagged(4, SeriesInstanceUID=None), "2 series"),
    "pixels of nothing": Case(tagged(None, PixelSpacing=[0, 0]), "spacings of 2 x 0 x 0"),
    "huge rows": Case(tagged(None, Rows=65535, Columns=65535), "65535 rows"),
    "more rows than pixels": Case(tagged(3, Rows=500), "70 bytes of pixels"),
    "slope 0": Case(tagged(3, RescaleSlope=0), "RescaleSlope 0"),
    "slope NaN": Case(tagged(3, RescaleSlope="NaN"), "RescaleSlope nan"),
    "intercept inf": Case(tagged(3, RescaleIntercept="inf"), "RescaleIntercept inf"),
    "position NaN": Case(tagged(3, ImagePositionPatient=["NaN", 0, 0]), "not numbers"),
    "spacing NaN": Case(tagged(3, PixelSpacing=["NaN", "0.9"]), "different pixel spacings"),
    "thickness NaN": Case(tagged(None, SliceThickness="NaN"), "thicknesses: nan"),
    "all is 0": Case(tagged(None, ImageOrientationPatient=[0] * 6), "two unit vectors"),
    "said to be implicit": Case(after(relabelled(ImplicitVRLittleEndian)), "found", as_pydicom),
    "said to be big-endian": Case(after(relabelled(ExplicitVRBigEndian)), "found"),
    "said to be JPEG": Case(after(relabelled(JPEGLosslessSV1)), "plain pixels under"),
    "said to be JPEG 2000": Case(after(relabelled(JPEG2000Lossless)), "plain pixels under"),
    "said to be of no kind": Case(after(relabelled("1.2.840.10008.1.2.77")), "found"),
    "a video": Case(after(relabelled("1.2.840.10008.1.2.4.102")), "plain pixels under"),
    "compressed": Case(compressed, right=as_pydicom),
    "compressed and cut": Case(compressed_and_cut, "cut short|decoded"),
    "0 bytes": Case(after(lambda made: (made / "x.dcm").write_bytes(b"")), "0 bytes"),
    "a text named .dcm": Case(
        after(lambda made: (made / "x.dcm").write_text("Dear colleague,\n" * 40)),
        right=as_pydicom,
        noted=r"ignored: files that are no images \(x.dcm\)",
    ),
    "one unsigned": Case(tagged(3, PixelRepresentation=0), "different pixels"),
    "one of fewer bits": Case(tagged(3, BitsStored=12, HighBit=11), "different pixels"),
    "more bits than room": Case(tagged(None, BitsStored=17), "17 of 16 bits"),
    "colour": Case(tagged(3, SamplesPerPixel=3), "colour image"),
    "captures alone": Case(tagged(None, SOPClassUID=SecondaryCaptureImageStorage), "no slices"),
    "a report beside": Case(after(report), right=as_pydicom),
    "a localizer beside": Case(after(scout), right=as_pydicom),
    "shared UIDs": Case(tagged(None, SOPInstanceUID="1.2.3"), right=as_pydicom),
}
