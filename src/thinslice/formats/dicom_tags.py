"""What the headers of DICOM files say, slice by slice; pixels are not decoded here.

A ``Slice`` is one CT or MR image, or one frame of an enhanced multi-frame object. Files that are
images but not slices (localizers, secondary captures) come along with their ``kind``, so that the
refusal can name them.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from thinslice.formats.found import refused

SLICES = {  # SOP classes whose images are slices of a scan
    "1.2.840.10008.5.1.4.1.1.2",  # CT
    "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
    "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and its multi-frame children
NOT_SLICES = {"LOCALIZER": "localizer", "SCOUT": "localizer", "REF_SURVIEW": "localizer"}
LOSSY_SYNTAXES = {
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.53",  # JPEG spectral selection
    "1.2.840.10008.1.2.4.55",  # JPEG full progression
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.93",  # JPEG 2000 part 2
    "1.2.840.10008.1.2.4.112",  # JPEG XL
    "1.2.840.10008.1.2.4.203",  # high-throughput JPEG 2000
}
COMPANIONS = (".txt", ".json", ".xml", ".csv", ".md", ".pdf", ".html", ".png", ".jpg")
COMPANION_NAMES = {"DICOMDIR", "LICENSE", "VERSION", "README", "LOCKFILE"}


class Slice(NamedTuple):
    """One image as its header describes it; None where the header is silent."""

    path: Path
    frame: int | None  # in an enhanced object, counted from 0
    kind: str  # "slice", or what it is instead
    series: str
    label: str  # series number and description, for messages
    modality: str
    shape: tuple[int, int]  # rows, columns
    position: tuple[float, ...] | None  # LPS mm of the first pixel's centre
    orientation: tuple[float, ...] | None  # unit vectors of x (along a row), then y
    pixel_mm: tuple[float, ...] | None  # (y, x)
    thickness_mm: float | None
    rescale: tuple[float, float] | None  # slope, intercept
    lossy: bool
    facts: dict[str, Any]  # maker, device, kernel, tilt

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path.name if self.frame is None else f"frame {self.frame} of {self.path.name}"


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of a series: the file itself, or every visible one in the folder, sorted.

    Hidden files, DICOMDIR and companions such as LICENSE or *.json are left out by their names.
    """
    if path.is_file():
        return (path,)
    if not path.is_dir():
        raise refused(path, "nothing", "a DICOM folder or file", "check the path")
    visible = (p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    found = sorted(p for p in visible if not _companion(p))
    if not found:
        folders = sorted(p.name for p in path.iterdir() if p.is_dir())
        inside = f"no files, {len(folders)} folders" if folders else "no files"
        raise refused(path, inside, "the DICOM files of one series", "name the series' own folder")
    return tuple(found)


def slices_of(path: Path) -> Iterator[Slice]:
    """The slices in one file; Refused if it is empty, not DICOM, broken or not an image."""
    data = _header(path)
    try:
        frames = data.get("PerFrameFunctionalGroupsSequence")
        if not frames:
            yield _slice(path, data, None, [data])
            return
        shared = list(data.get("SharedFunctionalGroupsSequence") or [])
        for k, own in enumerate(frames):
            yield _slice(path, data, k, [*_inner([own]), *_inner(shared), data])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise refused(
            path, f"a header that cannot be read ({error})", "valid DICOM", "export it again"
        ) from error


def _companion(path: Path) -> bool:
    return path.suffix.lower() in COMPANIONS or path.name.upper() in COMPANION_NAMES


def _header(path: Path) -> Dataset:
    size = path.stat().st_size
    if size == 0:
        raise refused(path, "0 bytes", "a DICOM file", "copy or export it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's remarks on harmless value formats
            data = pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError as error:
        raise refused(
            path, f"{size} bytes without the DICM mark", "a DICOM file", "move it elsewhere"
        ) from error
    except (OSError, EOFError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise refused(
            path, f"a broken header ({size} bytes: {error})", "valid DICOM", "export it again"
        ) from error
    if "Rows" not in data or "Columns" not in data:
        what = data.SOPClassUID.name if "SOPClassUID" in data else "no SOP class"
        raise refused(path, f"no image ({size} bytes, {what})", "CT or MR slices", "move it away")
    return data


def _inner(groups: list[Dataset]) -> Iterator[Dataset]:
    """The datasets inside functional groups: each group is a sequence of one."""
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                yield element.value[0]


def _slice(path: Path, data: Dataset, frame: int | None, places: list[Dataset]) -> Slice:
    def first(keyword: str) -> Any:
        """The value nearest to the frame; None if absent or empty."""
        values = (place.get(keyword) for place in places)
        return next((v for v in values if v is not None and v != ""), None)

    def numbers(keyword: str) -> tuple[float, ...] | None:
        value = first(keyword)
        return None if value is None else tuple(float(v) for v in value)

    thickness, slope = first("SliceThickness"), first("RescaleSlope")
    intercept, tilt = first("RescaleIntercept"), first("GantryDetectorTilt")
    syntax = str(data.file_meta.get("TransferSyntaxUID", ""))
    return Slice(
        path=path,
        frame=frame,
        kind=_kind(data, frame),
        series=str(data.get("SeriesInstanceUID", "")),
        label=f"number {data.get('SeriesNumber', '?')} {data.get('SeriesDescription', '')!s}",
        modality=str(data.get("Modality", "")),
        shape=(int(data.Rows), int(data.Columns)),
        position=numbers("ImagePositionPatient"),
        orientation=numbers("ImageOrientationPatient"),
        pixel_mm=numbers("PixelSpacing"),
        thickness_mm=float(thickness) if thickness else None,
        rescale=None if slope is None or intercept is None else (float(slope), float(intercept)),
        lossy=str(data.get("LossyImageCompression", "")) == "01" or syntax in LOSSY_SYNTAXES,
        facts={
            "maker": _text(first("Manufacturer")),
            "device": _text(first("ManufacturerModelName")),
            "kernel": _text(first("ConvolutionKernel")),
            "tilt_deg": None if tilt is None else float(tilt),
            "rescale_type": _text(first("RescaleType")),
            "transfer_syntax": syntax,
        },
    )


def _kind(data: Dataset, frame: int | None) -> str:
    """ "slice", or the name of what it is instead."""
    kind = data.get("ImageType") or []
    said = {str(word).strip().upper() for word in ([kind] if isinstance(kind, str) else kind)}
    sop = data.get("SOPClassUID")
    other = [name for word, name in NOT_SLICES.items() if word in said]
    if str(sop).startswith(SECONDARY_CAPTURE):
        return "secondary capture"
    if other:
        return other[0]
    if str(sop) not in SLICES:
        return sop.name if sop else "image without a SOP class"
    if int(data.get("SamplesPerPixel", 1)) != 1:
        return "colour image"
    if frame is None and int(data.get("NumberOfFrames") or 1) > 1:
        return "multi-frame image without per-frame geometry"
    if "ModalityLUTSequence" in data:
        return "image with a look-up table for HU"
    return "slice"


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else "\\".join(str(v) for v in value)
