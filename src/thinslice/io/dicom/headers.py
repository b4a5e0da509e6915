"""Read DICOM headers, slice by slice; pixels are not decoded here.

A ``Slice`` is one CT or MR image, or one frame of an enhanced multi-frame object. Files that are
images but not slices (localizers, secondary captures) come along with their ``kind``, so that the
refusal can name them.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from thinslice.errors import Refused, refused
from thinslice.io.dicom.kinds import class_of, is_lossy, kind_of, without_pixels
from thinslice.io.dicom.opened import elements, opened, syntax_of
from thinslice.io.dicom.padding_tags import stated_range
from thinslice.io.dicom.truncation import refuse_cut, stored_as

UNREADABLE = (  # what pydicom raises on broken headers
    OSError,
    EOFError,
    MemoryError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    BytesLengthException,
)
COMPANIONS = (".txt", ".json", ".xml", ".csv", ".md", ".pdf", ".html", ".png", ".jpg")
COMPANION_NAMES = {"DICOMDIR", "LICENSE", "VERSION", "README", "LOCKFILE"}
COMPANION_NAMES |= {"THUMBS.DB", "DESKTOP.INI", "AUTORUN.INF", "__MACOSX"}


class Slice(NamedTuple):
    """One image as its header describes it; None where the header is silent."""

    path: Path
    frame: int | None  # in an enhanced object, counted from 0
    kind: str  # "slice", or what it is instead
    series: str
    study: str
    patient: str
    reference: str  # FrameOfReferenceUID, "" where the header is silent
    uid: str  # SOPInstanceUID
    label: str  # series number and description, for messages
    series_number: int | None
    number: int  # InstanceNumber, 0 where the header is silent; orders nothing that is read
    modality: str
    shape: tuple[int, int]  # rows, columns
    position: tuple[float, ...] | None  # LPS mm of the first pixel's centre
    orientation: tuple[float, ...] | None  # unit vectors of x (along a row), then y
    pixel_mm: tuple[float, ...] | None  # (y, x)
    thickness_mm: float | None
    location_mm: float | None  # SliceLocation
    rescale: tuple[float, float] | None  # slope, intercept
    lossy: bool
    facts: dict[str, Any]  # maker, device, kernel, tilt

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.path.name if self.frame is None else f"frame {self.frame} of {self.path.name}"


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of a series: the file itself, or every visible one in the folder, sorted.

    Hidden files, DICOMDIR and companions such as LICENSE or *.json are left out by their names.
    """
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise refused(path, "nothing", "a DICOM folder or file", "check the path")
    found = sorted(p for p in path.iterdir() if p.is_file() and not is_companion(p.name))
    if not found:
        folders = sorted(p.name for p in path.iterdir() if p.is_dir())
        inside = f"no files, {len(folders)} folders" if folders else "no files"
        raise refused(path, inside, "the DICOM files of one series", "name the series' own folder")
    return tuple(found)


def slices_of(path: Path) -> list[Slice]:
    """The images in one file; Refused if it is empty, not DICOM, broken or cut short.

    What has no pixels by its class (a report, a presentation state) is one image of 0 x 0.
    """
    size = 0
    try:
        size = path.stat().st_size
        if size == 0:
            raise refused(path, "0 bytes", "a DICOM file", "copy or export it again")
        with warnings.catch_warnings(), opened(path) as file:
            warnings.simplefilter("ignore")  # pydicom's remarks on harmless value formats
            data = elements(file, stop_before_pixels=True)
            slices = list(_slices(path, data))
            what = class_of(data)
            if slices and slices[0].kind == "slice":
                refuse_cut(path, file, data)
    except (Refused, FileNotFoundError, PermissionError):
        raise
    except InvalidDicomError as error:
        found = f"{size} bytes without the DICM mark"
        raise refused(path, found, "a DICOM file", "move it elsewhere") from error
    except UNREADABLE as error:
        found = f"a broken header ({size} bytes: {type(error).__name__} {error})"
        raise refused(path, found, "valid DICOM", "copy or export it again") from error
    if not slices:
        found = f"no rows and columns of pixels ({size} bytes, {what})"
        raise refused(path, found, "a CT or MR image", "copy it again, or move it away")
    return slices


def is_companion(name: str) -> bool:
    """Whether a file or folder is no scan by its name: hidden, or a usual companion of scans."""
    return (
        name.startswith(".") or name.lower().endswith(COMPANIONS) or name.upper() in COMPANION_NAMES
    )


def _slices(path: Path, data: FileDataset) -> Iterator[Slice]:
    """One slice, or one per frame; none if pixels are missing where there must be some."""
    if "Rows" not in data or "Columns" not in data:
        if not without_pixels(data):
            return
    frames = data.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        yield _slice(path, data, None, [data])
        return
    shared = list(data.get("SharedFunctionalGroupsSequence") or [])
    for k, frame in enumerate(frames):
        yield _slice(path, data, k, [*_inner([frame]), *_inner(shared), data])


def _inner(groups: list[Dataset]) -> Iterator[Dataset]:
    """The datasets inside functional groups: each group is a sequence of one."""
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                yield element.value[0]


def _slice(path: Path, data: FileDataset, frame: int | None, places: list[Dataset]) -> Slice:
    def first(keyword: str) -> Any:
        """The value nearest to the frame; None if absent or empty."""
        values = (place.get(keyword) for place in places)
        return next((v for v in values if v is not None and v != ""), None)

    def numbers(keyword: str) -> tuple[float, ...] | None:
        value = first(keyword)
        return None if value is None else tuple(float(v) for v in value)

    thickness, slope = first("SliceThickness"), first("RescaleSlope")
    intercept, tilt = first("RescaleIntercept"), first("GantryDetectorTilt")
    return Slice(
        path=path,
        frame=frame,
        kind=kind_of(data, frame),
        series=str(data.get("SeriesInstanceUID", "")),
        study=str(data.get("StudyInstanceUID", "")),
        patient=str(data.get("PatientID", "")),
        reference=str(data.get("FrameOfReferenceUID", "")),
        uid=str(data.get("SOPInstanceUID", "")),
        label=f"number {data.get('SeriesNumber', '?')} {data.get('SeriesDescription', '')!s}",
        series_number=_whole(data, "SeriesNumber"),
        number=_whole(data, "InstanceNumber") or 0,
        modality=str(data.get("Modality", "")),
        shape=(int(data.get("Rows", 0)), int(data.get("Columns", 0))),
        position=numbers("ImagePositionPatient"),
        orientation=numbers("ImageOrientationPatient"),
        pixel_mm=numbers("PixelSpacing"),
        thickness_mm=float(thickness) if thickness else None,
        location_mm=_number(first("SliceLocation")),
        rescale=None if slope is None or intercept is None else (float(slope), float(intercept)),
        lossy=is_lossy(data),
        facts={
            "maker": _text(first("Manufacturer")),
            "device": _text(first("ManufacturerModelName")),
            "kernel": _text(first("ConvolutionKernel")),
            "tilt_deg": None if tilt is None else float(tilt),
            "rescale_type": _text(first("RescaleType")),
            "transfer_syntax": str(syntax_of(data)),
            "stored_as": stored_as(data),
            "padding": stated_range(data),
        },
    )


def _whole(data: Dataset, keyword: str) -> int | None:
    """An integer that nothing depends on; None where it is missing or malformed."""
    try:
        return int(data.get(keyword, ""))
    except (ValueError, TypeError):
        return None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (ValueError, TypeError):
        return None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else "\\".join(str(v) for v in value)
