"""Write a volume as a new DICOM series: one file per slice, derived from the source series.

CT Image or MR Image Storage, Explicit VR Little Endian, 0001.dcm onwards. Rows, columns and slices
run as in the source, so the new series scrolls and looks like it in a viewer.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from thinslice.fs.transaction import refuse_taken, replacing
from thinslice.io.dicom.copied_tags import headers
from thinslice.io.dicom.derived_header import Derivation, shared_header, uid
from thinslice.io.dicom.encode import PLAIN, Rescale, Stored, stored
from thinslice.io.dicom.headers import Slice, slices_of
from thinslice.io.dicom.layout import View, laid_out, usual_view
from thinslice.io.dicom.made_of import Sources
from thinslice.io.dicom.opened import without_remarks
from thinslice.io.dicom.padding_tags import write_tags
from thinslice.io.orientation import Place
from thinslice.volume import Volume

OURS = "[0-9][0-9][0-9][0-9]*.dcm"  # what a folder that may be overwritten holds


@without_remarks()
def write_dicom(
    volume: Volume,
    out: Path | str,
    *,
    source: Sequence[Path] = (),
    derivation: Derivation,
    overwrite: bool = False,
) -> list[Path]:
    """The files of the new series in the folder ``out``, in the order of their numbers.

    source      every file of the DICOM series the volume was made of; none: a scan that was not
                DICOM. The series then has a study of its own and a patient without name and number
    overwrite   replace a folder that holds 0001.dcm and the like alone

    CT is stored as whole HU, MR in the source's steps (``dicom_stored``). Positions are exact to
    1e-9 mm. The bytes depend on the arguments alone. The folder is replaced atomically.
    Refused (a ValueError) where ``out`` is taken or is the source's own folder, and for values that
    do not fit.
    """
    out = Path(out)
    refuse_taken(out, overwrite=overwrite, ours=OURS, source=source)
    slices = [image for file in source for image in slices_of(file)]
    pixels = stored(volume, _rescale(slices))
    placed = laid_out(volume.grid, _view(slices) or usual_view(volume.grid))
    sources = headers(source, volume.modality)
    shared = shared_header(sources, volume.modality, derivation, _hash(volume, pixels))
    _series(shared, pixels, volume, placed)
    if volume.padding is not None:
        write_tags(shared, volume.padding, pixels)
    images = Sources(sources, slices, volume.grid)
    if volume.modality == "CT" or (pixels.slope, pixels.intercept) != PLAIN:
        _rescaled(shared, pixels, slices[0].facts["rescale_type"] if slices else None)
    digits = max(4, len(str(volume.grid.n)))
    names = [f"{k + 1:0{digits}d}.dcm" for k in range(volume.grid.n)]
    with replacing(out) as folder:
        folder.mkdir()
        for k, image in enumerate(placed.file_view(pixels.pixels)):
            data = _slice(shared, placed, k, image)
            if made_of := images.of(np.array(data.ImagePositionPatient, float)):
                data.SourceImageSequence = made_of
            _save(data, folder / names[k])
    return [out / name for name in names]


def _rescale(slices: Sequence[Slice]) -> Rescale | None:
    """The rescale of the source, 1 and 0 where it states none; None if it has several."""
    rescales = {image.rescale or (1.0, 0.0) for image in slices}
    return rescales.pop() if len(rescales) == 1 else None


def _view(slices: Sequence[Slice]) -> View | None:
    """Layout of the source, with its slices in the order of their InstanceNumber."""
    numbered = [image for image in slices if image.orientation and image.position]
    if len(numbered) < 2:
        return None
    right, down = np.array(numbered[0].orientation).reshape(2, 3)
    numbered.sort(key=lambda image: (image.number, image.frame or 0))
    onward = np.array(numbered[-1].position) - np.array(numbered[0].position)
    return View(right, down, onward)


def _hash(volume: Volume, pixels: Stored) -> str:
    text = json.dumps([volume.grid.to_json(), pixels.slope, pixels.intercept], sort_keys=True)
    out = hashlib.sha256(text.encode())
    out.update(pixels.pixels.data)
    return out.hexdigest()


def _series(shared: Dataset, pixels: Stored, volume: Volume, placed: Place) -> None:
    """Add to the shared header what all slices have in common: geometry and pixel format."""
    affine = placed.file_affine()
    rows_mm, columns_mm = (float(np.linalg.norm(affine[:3, axis])) for axis in (1, 2))
    across = np.concatenate([affine[:3, 2] / columns_mm, affine[:3, 1] / rows_mm])
    shared.ImageOrientationPatient = [_decimal(v) for v in across]
    shared.PixelSpacing = [_decimal(rows_mm), _decimal(columns_mm)]
    shared.SliceThickness = _decimal(volume.grid.thickness_mm)
    shared.SpacingBetweenSlices = _decimal(volume.grid.increment_mm)
    shared.SamplesPerPixel, shared.PhotometricInterpretation = 1, "MONOCHROME2"
    shared.BitsAllocated, shared.BitsStored, shared.HighBit = 16, 16, 15
    shared.PixelRepresentation = 1


def _rescaled(shared: Dataset, pixels: Stored, kind: str | None) -> None:
    """Add the rescale; not for an MR image of plain values, whose class has no such tags."""
    shared.RescaleSlope, shared.RescaleIntercept = map(_decimal, (pixels.slope, pixels.intercept))
    shared.RescaleType = kind or ("HU" if shared.Modality == "CT" else "US")


def _slice(shared: Dataset, placed: Place, k: int, image: np.ndarray) -> Dataset:
    """Header and pixels [row, column] of one image, with its position and number."""
    data = Dataset()
    data.update(shared)
    position = placed.file_affine()[:3] @ (k, 0, 0, 1)
    data.SOPInstanceUID = uid("image", shared.SeriesInstanceUID, str(k))
    data.InstanceNumber = k + 1
    data.ImagePositionPatient = [_decimal(v) for v in position]
    data.SliceLocation = _decimal(float(position @ np.array(placed.grid.direction[0])))
    data.Rows, data.Columns = image.shape
    data.add_new("PixelData", "OW", np.ascontiguousarray(image, "<i2").tobytes())
    return data


def _decimal(value: float) -> str:
    """A number as a DICOM decimal string, of at most 16 characters."""
    return format_number_as_ds(float(value) + 0.0)  # + 0.0: no minus zero


def _save(data: Dataset, path: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    data.save_as(path, enforce_file_format=True)
