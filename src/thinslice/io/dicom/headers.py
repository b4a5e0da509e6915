"""Read DICOM headers, slice by slice; pixels are not decoded here.

A ``Slice`` is one CT or MR image, or one frame of an enhanced multi-frame object. Files that are
images but not slices (localizers, secondary captures) come along with their ``kind``, so that the
refusal can name them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from thinslice.errors import Refused, refused
from thinslice.io import derived, other_formats
from thinslice.io.dicom.kinds import (
    SLICES,
    class_of,
    is_directory,
    is_lossy,
    kind_of,
    without_pixels,
)
from thinslice.io.dicom.opened import elements, opened, syntax_of, without_remarks
from thinslice.io.dicom.padding_tags import stated_range
from thinslice.io.dicom.truncation import refuse_cut, stored_as
from thinslice.workflow.scan_files import is_companion

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
PREAMBLE = 132  # bytes before the first element, mostly zeros
APART = (  # tags that tell acquisitions of one series apart, the most telling first
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
    "KVP",
    "EchoNumbers",
    "EchoTime",
    "EffectiveEchoTime",
    "DiffusionBValue",
    "TriggerTime",
    "StackID",
    "ConvolutionKernel",
    "ImageType",
    "ContrastBolusAgent",
    "ProtocolName",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "ContentTime",
)
STATED = (  # tags that tell two reconstructions of one acquisition from those of two
    "AcquisitionDate",
    "PatientPosition",
    "ReconstructionDiameter",
    "CTDIvol",
    "Exposure",
    "XRayTubeCurrent",
)


class BrokenSlice(Refused):
    """A file that cannot be read though it is a slice of a scan."""

    def __init__(self, message: str, series: tuple[str, str, str] | None = None) -> None:
        """``series``: patient, study and series as its header says; None where nothing is known."""
        super().__init__(message)
        self.series = series


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
        inside = f"no files, {len(folders)} folders" if folders else nothing_in(path)
        raise refused(path, inside, "the DICOM files of one series", "name the series' own folder")
    return tuple(found)


def nothing_in(folder: Path) -> str:
    """Words for a folder without a slice: whether it holds other files."""
    others = folder.is_dir() and any(p.is_file() for p in folder.iterdir())
    return "no DICOM files" if others else "no files"


def slices_of(path: Path) -> list[Slice]:
    """The images in one file; Refused if it is empty, not DICOM, broken or cut short.

    None of a DICOMDIR, whatever its name. A slice that is cut short is a ``BrokenSlice``. What has
    no pixels by its class (a report, a presentation state) is one image of 0 x 0.
    """
    size = 0
    try:
        size = path.stat().st_size
        if size == 0:
            raise _broken(path, "0 bytes", "a DICOM file")
        with without_remarks(), opened(path) as file:
            data = elements(file, stop_before_pixels=True)
            slices = list(_slices(path, data))
            what, what_uid = class_of(data), str(data.get("SOPClassUID", ""))
            if slices and slices[0].kind == "slice":
                with _of_a_slice(slices[0]):
                    refuse_cut(path, file, data)
            if not slices and is_directory(data):
                return []
    except (Refused, FileNotFoundError, PermissionError):
        raise
    except InvalidDicomError as error:
        if size < PREAMBLE and not any(path.read_bytes()):
            raise _broken(path, f"{size} bytes, the beginning of a DICOM file", "all") from error
        raise _not_dicom(path, size) from error
    except UNREADABLE as error:
        found = f"a broken header ({size} bytes: {type(error).__name__} {error})"
        raise _broken(path, found, "valid DICOM") from error
    if not slices:
        found = f"no rows and columns of pixels ({size} bytes, {what})"
        error = BrokenSlice if what_uid in SLICES else Refused
        raise refused(
            path, found, "a CT or MR image", "copy it again, or move it away", error=error
        )
    return slices


def _not_dicom(path: Path, size: int) -> Refused:
    with path.open("rb") as file:
        kind = other_formats.kind_of(path, file.read(16))
    if kind:
        error = BrokenSlice if kind.may_be_slice else Refused
        found = f"{kind.found} ({size} bytes)"
        return refused(path, found, "a DICOM file or an image", kind.advice, error=error)
    return refused(path, f"{size} bytes, no DICM mark", "a DICOM file", "move it elsewhere")


def _broken(path: Path, found: str, expected: str) -> Refused:
    """A refusal of what may be a slice: it was DICOM before it was damaged."""
    return refused(path, found, expected, "copy or export it again", error=BrokenSlice)


@contextmanager
def _of_a_slice(image: Slice) -> Iterator[None]:
    """Say of a refusal inside the block that the file is a slice, and of which series."""
    try:
        yield
    except Refused as error:
        raise BrokenSlice(str(error), (image.patient, image.study, image.series)) from error


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
        label=_label(data),
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
            "derived": derived.of_header(data),
            "apart": {tag: text for tag in APART if (text := _text(first(tag)))},
            "stated": {tag: text for tag in STATED if (text := _text(first(tag)))},
        },
    )


def _label(data: Dataset) -> str:
    """Number and description of a series as messages print them; a tag may be there and empty."""
    number = _whole(data, "SeriesNumber")
    described = str(data.get("SeriesDescription") or "")
    return f"{'without number' if number is None else f'number {number}'} {described}"


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
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str) or not isinstance(value, Iterable):
        return str(value)
    return "\\".join(str(v) for v in value)
