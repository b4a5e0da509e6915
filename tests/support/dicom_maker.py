"""Synthetic DICOM series, valid by default; tests change what they need."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SERIES = generate_uid(entropy_srcs=["one series of the tests"])
INTERCEPT = -1024


def scan_hu(n: int = 6, rows: int = 5, columns: int = 7, seed: int = 0) -> np.ndarray:
    """Whole HU [Z, Y, X], every voxel different, air included."""
    values = np.random.default_rng(seed).permutation(n * rows * columns)
    return (values - 1000).reshape(n, rows, columns).astype(np.float32)


def positions_of(
    n: int,
    increment_mm: float,
    plane: tuple[Sequence[float], Sequence[float]] = AXIAL,
    start: Sequence[float] = (-120.5, -80.25, 300.0),
) -> list[np.ndarray]:
    """``n`` slice positions along the plane's normal."""
    normal = np.cross(*plane)
    return [np.array(start) + k * increment_mm * normal for k in range(n)]


def image(
    stored: np.ndarray,
    position: Sequence[float],
    *,
    plane: tuple[Sequence[float], Sequence[float]] = AXIAL,
    pixel_mm: tuple[float, float] = (0.7, 0.9),
    thickness_mm: float = 5.0,
    sop: str = CTImageStorage,
) -> FileDataset:
    """One image of one series: stored int16 pixels, HU by an intercept of -1024."""
    data = FileDataset("", {}, file_meta=_meta(sop), preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = sop, data.file_meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.SeriesNumber, data.Modality = SERIES, 3, "CT"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.Manufacturer, data.ConvolutionKernel = "ACME", "B30f"
    data.ImagePositionPatient = [round(float(v), 9) for v in position]
    data.ImageOrientationPatient = [round(float(v), 12) for axis in plane for v in axis]
    data.PixelSpacing, data.SliceThickness = list(pixel_mm), thickness_mm
    data.RescaleSlope, data.RescaleIntercept = 1, INTERCEPT
    data.SpacingBetweenSlices = 99  # wrong on purpose: readers must ignore it
    _pixels(data, stored)
    return data


def series(
    folder: Path,
    hu: np.ndarray,
    positions: Sequence[Sequence[float]],
    *,
    change: Callable[[int, FileDataset], None] = lambda k, data: None,
    seed: int = 0,
    **how,
) -> Path:
    """A folder of files whose names and instance numbers are shuffled against the positions."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed).permutation(len(hu))
    for k, (plane_hu, position) in enumerate(zip(hu, positions)):
        data = image((plane_hu - INTERCEPT).astype(np.int16), position, **how)
        data.InstanceNumber = int(numbers[k]) + 1
        change(k, data)
        data.save_as(folder / f"{numbers[k]:03d}.dcm", enforce_file_format=True)
    return folder


def enhanced(path: Path, hu: np.ndarray, positions: Sequence[Sequence[float]]) -> FileDataset:
    """One enhanced multi-frame CT; the caller saves it."""
    data = image((hu[0] - INTERCEPT).astype(np.int16), positions[0], sop=EnhancedCTImageStorage)
    shared, frames = Dataset(), []
    shared.PixelMeasuresSequence = _moved(data, "PixelSpacing", "SliceThickness")
    shared.PlaneOrientationSequence = _moved(data, "ImageOrientationPatient")
    shared.PixelValueTransformationSequence = _moved(data, "RescaleSlope", "RescaleIntercept")
    shared.PixelValueTransformationSequence[0].RescaleType = "HU"
    for position in positions:
        place, group = Dataset(), Dataset()
        place.ImagePositionPatient = [float(v) for v in position]
        group.PlanePositionSequence = Items([place])
        frames.append(group)
    del data.ImagePositionPatient, data.SpacingBetweenSlices
    data.SharedFunctionalGroupsSequence = Items([shared])
    data.PerFrameFunctionalGroupsSequence = Items(frames)
    data.NumberOfFrames = len(hu)
    data.PixelData = (hu - INTERCEPT).astype(np.int16).tobytes()
    data.filename = str(path)
    return data


def _moved(data: Dataset, *keywords: str) -> Items:
    inner = Dataset()
    for keyword in keywords:
        setattr(inner, keyword, data[keyword].value)
        delattr(data, keyword)
    return Items([inner])


def _meta(sop: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def _pixels(data: Dataset, stored: np.ndarray) -> None:
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelData = stored.tobytes()
    data["PixelData"].VR = "OW"
