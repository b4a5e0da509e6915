"""Kind of a DICOM image: a slice of a scan or something else; lossless or lossy."""

from pydicom.dataset import Dataset
from pydicom.uid import MediaStorageDirectoryStorage

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
LOOK_UP_TABLE = "image with a look-up table for HU"
NO_GEOMETRY = "multi-frame image without per-frame geometry"
UNREADABLE_SLICES = {LOOK_UP_TABLE, NO_GEOMETRY}  # parts of a scan all the same
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
LOSSY_METHODS = {  # by syntaxes that are never lossless (PS3.3 C.7.6.1.1.5.1)
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}


def kind_of(data: Dataset, frame: int | None) -> str:
    """ "slice", or the name of what it is instead."""
    kind = data.get("ImageType") or []
    words = {str(word).strip().upper() for word in ([kind] if isinstance(kind, str) else kind)}
    sop = str(data.get("SOPClassUID", ""))
    other = [name for word, name in NOT_SLICES.items() if word in words]
    if sop.startswith(SECONDARY_CAPTURE):
        return "secondary capture"
    if other:
        return other[0]
    if sop not in SLICES:
        return class_of(data)
    if int(data.get("SamplesPerPixel", 1)) != 1:
        return "colour image"
    if frame is None and int(data.get("NumberOfFrames") or 1) > 1:
        return NO_GEOMETRY
    if "ModalityLUTSequence" in data:
        return LOOK_UP_TABLE
    return "slice"


def without_pixels(data: Dataset) -> bool:
    """Whether the SOP class has no pixels, such as a dose report."""
    words = class_of(data)
    return words.endswith("Storage") and "Image" not in words


def is_directory(data: Dataset) -> bool:
    """Whether a file lists the content of a medium: a DICOMDIR, whatever its name."""
    stated = data.file_meta.get("MediaStorageSOPClassUID", "")
    return stated == MediaStorageDirectoryStorage or "DirectoryRecordSequence" in data


def class_of(data: Dataset) -> str:
    """Name of the SOP class."""
    return getattr(data.get("SOPClassUID"), "name", "") or "image without a SOP class"


def is_lossy(data: Dataset) -> bool:
    """Whether the pixels were ever compressed with loss."""
    once = str(data.get("LossyImageCompression", "")) == "01"
    return once or str(data.file_meta.get("TransferSyntaxUID", "")) in LOSSY_SYNTAXES
