"""Header shared by all slices of a derived series: copied and new tags.

New: the series (its UID and number), the derivation in words and codes, and this software as
contributing equipment. Study and frame of reference are the
source's, so the series lies over it. A UID is 2.25 and the hash of what the series holds and was
made of: the same restored scan written twice is the same series, another one is another.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, CTImageStorage, MRImageStorage

from thinslice import __version__
from thinslice.io.dicom.copied_tags import copied
from thinslice.volume import Modality

SPACE = uuid.UUID("6d1c4a52-8f0e-5b7d-9a43-2e5b7c1f0d96")  # ours: any fixed number would do
SOP: dict[Modality, UID] = {"CT": CTImageStorage, "MR": MRImageStorage}
SHORT, LONG = 64, 1024  # most characters of an LO and of an ST
NEW_SERIES = 1000  # is added to the source's series number
SOFT_TISSUE = (40, 400)  # window of a CT whose source had none, HU
EMPTY = """
    PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName
    StudyID AccessionNumber Manufacturer PositionReferenceIndicator PatientPosition
""".split()  # must be there, may be empty (type 2)
EMPTY_OF: dict[Modality, list[str]] = {
    "CT": ["KVP", "AcquisitionNumber"],
    "MR": ["ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"],
}


class Derivation(NamedTuple):
    """How a derived series describes its making; plain ASCII, cut to the length of the tags."""

    description: str  # how it was made, one or two sentences
    series_description: str  # as lists of series show it
    method: str  # the method that made it


def shared_header(
    sources: Sequence[FileDataset], modality: Modality, derivation: Derivation, content: str
) -> Dataset:
    """Everything but the pixels and the place of a slice.

    content    hash of the pixels and their grid; the series' UID follows from it, the sources
               and the derivation
    """
    data = copied(sources, modality)
    for keyword in (*EMPTY, *EMPTY_OF[modality]):
        if keyword not in data:
            setattr(data, keyword, None)
    if "BodyPartExamined" not in data and "Laterality" not in data:
        data.Laterality = None  # of an unknown part the side is unknown
    made_of = [str(source.get("SOPInstanceUID", "")) for source in sources]
    series = uid("series", *made_of, *derivation, content)
    data.SOPClassUID, data.Modality, data.SeriesInstanceUID = SOP[modality], modality, series
    data.SeriesNumber = _number(sources)
    scan = _scan(sources) or series
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        if not data.get(keyword):
            setattr(data, keyword, uid(keyword, scan))
    data.ImageType = ["DERIVED", "SECONDARY", _third(sources, modality)]
    _say(data, derivation)
    _of_modality(data, modality)
    return data


def uid(*parts: str) -> UID:
    """A UID that follows from its parts alone."""
    return UID(f"2.25.{uuid.uuid5(SPACE, chr(0).join(parts)).int}")


def reference_to(source: Dataset, frames: Sequence[int] = ()) -> Dataset:
    """An item of SourceImageSequence: an image, or frames of it counted from 1."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.get("SOPClassUID", "")
    item.ReferencedSOPInstanceUID = source.get("SOPInstanceUID", "")
    if frames:
        item.ReferencedFrameNumber = list(frames)
    return item


def _scan(sources: Sequence[Dataset]) -> str:
    """What all that is derived from a series shares: its UID, or of none, its first image's."""
    uids = (str(sources[0].get(tag, "")) for tag in ("SeriesInstanceUID", "SOPInstanceUID"))
    return next((uid for uid in uids if uid), "") if sources else ""


def _number(sources: Sequence[Dataset]) -> int:
    """The source's number further up; of one that is no number, as if it were 0."""
    try:
        return NEW_SERIES + int(sources[0].get("SeriesNumber") or 0) if sources else NEW_SERIES
    except (ValueError, TypeError):
        return NEW_SERIES


def _third(sources: Sequence[Dataset], modality: Modality) -> str:
    """Value 3 of ImageType, where the standard prescribes its words."""
    if modality == "CT":
        return "AXIAL"
    kind = list(sources[0].get("ImageType") or []) if sources else []
    return str(kind[2]) if len(kind) > 2 and kind[2] != "VOLUME" else "OTHER"


def _say(data: Dataset, derivation: Derivation) -> None:
    data.DerivationDescription = _plain(derivation.description, LONG)
    data.SeriesDescription = _plain(derivation.series_description, SHORT)
    data.DerivationCodeSequence = [_code("113085", "Spatial resampling")]
    made = Dataset()
    made.PurposeOfReferenceCodeSequence = [_code("109102", "Processing Equipment")]
    made.Manufacturer, made.ManufacturerModelName = "thinslice", _plain(derivation.method, SHORT)
    made.SoftwareVersions = __version__
    data.ContributingEquipmentSequence = [made]


def _plain(text: str, most: int) -> str:
    """One line of ASCII without the backslash, which separates values."""
    line = " ".join(text.replace("\\", "/").split())
    return line.encode("ascii", "replace").decode()[:most].strip()


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _of_modality(data: Dataset, modality: Modality) -> None:
    """Add tags that the modality requires and the source lacks."""
    if modality == "CT":
        if "WindowCenter" not in data or "WindowWidth" not in data:
            data.WindowCenter, data.WindowWidth = SOFT_TISSUE
        return
    for keyword, unknown in (("ScanningSequence", "RM"), ("SequenceVariant", "NONE")):
        if not data.get(keyword):
            setattr(data, keyword, unknown)
