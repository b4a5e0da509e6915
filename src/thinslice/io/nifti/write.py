"""Write a volume as NIfTI: integer HU, sform and qform, the axes of the source scan."""

from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np

from thinslice.errors import Refused
from thinslice.fs.transaction import refuse_taken, replacing
from thinslice.io import gzip_streams
from thinslice.io.derived import OURS
from thinslice.io.nifti.content import SUFFIXES, header_of
from thinslice.io.nifti.header import geometry, three_axes, through_plane
from thinslice.io.nifti.read import RAS_TO_LPS
from thinslice.io.orientation import Place, place
from thinslice.io.whole_hu import narrow_fractions
from thinslice.volume import HU_INT16, Volume, to_int16

AS_IN_MEMORY = ((2, 1, 0), (False, False, False))  # axes on disk: x, y, z; L, P, S if axial


def write_nifti(
    volume: Volume,
    out: Path | str,
    *,
    like: Path | None = None,
    dtype: Literal["int16", "float32"] | None = None,
    derived: bool = False,
    overwrite: bool = False,
) -> Path:
    """One .nii or .nii.gz, int16 HU for CT that fits, else float32, unless ``dtype`` is given.

    CT whose values span less than 20 and are not whole numbers is float32: int16 would destroy it.

    like    a NIfTI file whose axes (order and directions of the array) the new one shares, so
            that masks drawn on one lie on the other; None: x, y, z as in memory
    derived the description says that thinslice computed it

    Padding has the number that it had in the scan; below -32768, of int16, that.
    sform and qform both say scanner coordinates, in mm; the header's single precision keeps
    positions within 1e-4 mm. ``slice_dim`` names the through-plane axis and the description the
    slice thickness, for which NIfTI has no field. Replaced atomically; same arguments, same bytes,
    of a .nii.gz on one machine. Refused (a ValueError) for a path that ends otherwise, for values
    that do not fit and where ``out`` is taken.
    """
    out = Path(out)
    if not out.name.endswith(SUFFIXES):
        raise Refused(f"{out}: expected a name ending in .nii or .nii.gz")
    refuse_taken(out, overwrite=overwrite, ours="", source=[like] if like else [])
    image = _image(volume, _axes_of(volume, like), dtype or _usual(volume))
    if derived:
        image.header["descrip"] = f"{_described(volume)}, {OURS}".encode()
    with replacing(out) as new, new.open("wb") as plain:
        if out.name.endswith(".gz"):
            with gzip_streams.packed(plain) as packed:
                image.to_stream(packed)
        else:
            image.to_stream(plain)
    return out


def _usual(volume: Volume) -> Literal["int16", "float32"]:
    """int16 for CT that fits; float32 for cone-beam CT to 65535, and where rounding destroys."""
    low, high = np.rint(volume.voxels.min()), np.rint(volume.voxels.max())
    fits = HU_INT16[0] <= low and high <= HU_INT16[1]
    finite = np.isfinite((low, high)).all()  # what is not finite is refused by ``to_int16``
    if volume.modality != "CT" or narrow_fractions(volume.voxels):
        return "float32"
    return "int16" if fits or not finite else "float32"


def _axes_of(volume: Volume, like: Path | None) -> Place:
    """How the axes of the file map to [Z, Y, X]."""
    if like is None:
        return Place(*AS_IN_MEMORY, volume.grid)
    header = header_of(like)
    affine, _ = geometry(like, header)
    z, _ = through_plane(header, affine)
    lps, shape = RAS_TO_LPS @ affine, three_axes(like, header)
    return place(like, lps, shape, through_plane=z)._replace(grid=volume.grid)


def _image(volume: Volume, placed: Place, dtype: Literal["int16", "float32"]) -> nib.Nifti1Image:
    integers = dtype == "int16"
    voxels = _whole(volume.as_in_file(*HU_INT16)) if integers else volume.as_in_file()
    affine = RAS_TO_LPS @ placed.file_affine()
    image = nib.Nifti1Image(placed.file_view(voxels), affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_dim_info(slice=placed.order[0])
    image.header["descrip"] = _described(volume).encode()
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    return image


def _described(volume: Volume) -> str:
    return f"slice thickness {volume.grid.thickness_mm:g} mm"


def _whole(voxels: np.ndarray) -> np.ndarray:
    """Slice by slice, so that no second volume of floats is in memory."""
    out = np.empty(voxels.shape, np.int16)
    for k, plane in enumerate(voxels):
        out[k] = to_int16(plane)
    return out
