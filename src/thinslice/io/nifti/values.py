"""Read the values of a NIfTI file: apply its scaling, tell floats in [0, 1] from HU.

A file never says what its values mean. CT outside what HU can be is refused or warned of, with
the numbers; nothing is guessed.
"""

from pathlib import Path

import numpy as np
from nibabel.arrayproxy import ArrayProxy

from thinslice.errors import refused
from thinslice.io.label_map import refuse_labels
from thinslice.io.orientation import Place
from thinslice.volume import Modality, Window

UNIT = (-0.5, 1.5)  # values that stay in here are [0, 1] with some overshoot, not HU


def voxels_of(
    path: Path,
    stored: ArrayProxy,
    placed: Place,
    *,
    modality: Modality,
    unit_window: tuple[float, float] | None,
) -> tuple[np.ndarray, list[str]]:
    """Voxels float32 [Z, Y, X], HU for CT, and what is odd about them; Refused as in ``read``."""
    voxels = np.empty(placed.grid.zyx, np.float32)
    real = _fill(path, stored, placed.file_view(voxels))
    return checked(path, voxels, real, modality=modality, unit_window=unit_window)


def checked(
    path: Path,
    voxels: np.ndarray,
    real: bool,
    *,
    modality: Modality,
    unit_window: tuple[float, float] | None,
) -> tuple[np.ndarray, list[str]]:
    """The voxels, HU for CT, and what is odd about them; Refused as in ``read``.

    real    whether the file holds other numbers than whole ones
    """
    low, high = float(voxels.min()), float(voxels.max())  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = voxels.size - int(np.isfinite(voxels).sum())
        raise refused(
            path,
            f"{bad} voxels that are NaN or infinite, of {voxels.size}",
            "finite values",
            "mend them where they arose",
        )
    refuse_labels(path, voxels)
    if modality != "CT":
        return voxels, []
    if UNIT[0] <= low and high <= UNIT[1]:
        return _from_unit(path, voxels, (low, high), real, unit_window)
    if unit_window:
        raise refused(
            path,
            f"values {low:g} to {high:g}",
            "[0, 1] as unit_window declares",
            "drop unit_window (--unit-window): this scan is not in [0, 1]",
        )
    return voxels, []


def holds_unit(stored: ArrayProxy) -> bool:
    """Whether scaled values are in [0, 1], with some overshoot; False for what is no number."""
    raw = np.asanyarray(stored.get_unscaled())
    if raw.dtype.kind not in "iuf" or not raw.size:
        return False
    ends = np.array([raw.min(), raw.max()], float) * float(stored.slope) + float(stored.inter)
    return bool(UNIT[0] <= ends.min() and ends.max() <= UNIT[1])


def _fill(path: Path, stored: ArrayProxy, target: np.ndarray) -> bool:
    """Scaled values into ``target`` (the file's axes); whether they can be other than whole."""
    try:
        raw = np.asanyarray(stored.get_unscaled()).reshape(target.shape, order="F")
    except (OSError, EOFError, ValueError, OverflowError) as error:
        raise refused(
            path,
            f"truncated voxels ({error})",
            f"{stored.shape} of them",
            "copy or export it again",
        ) from error
    if raw.dtype.kind not in "iuf":
        raise refused(
            path,
            f"voxels of type {raw.dtype}",
            "one real number per voxel",
            "export it in grey values",
        )
    slope, inter = float(stored.slope), float(stored.inter)
    if slope == 1 and inter == 0 and raw.dtype.kind in "iu" and raw.dtype.itemsize <= 4:
        target[...] = raw  # by way of double precision the same
        return False
    for k in range(target.shape[2]):  # plane by plane: double precision without a double volume
        with np.errstate(over="ignore", invalid="ignore"):  # the caller refuses what overflows
            target[..., k] = raw[..., k].astype(float) * slope + inter
    return raw.dtype.kind == "f" or not (slope.is_integer() and inter.is_integer())


def _from_unit(
    path: Path,
    voxels: np.ndarray,
    span: tuple[float, float],
    real: bool,
    unit_window: tuple[float, float] | None,
) -> tuple[np.ndarray, list[str]]:
    """[0, 1] to HU by the declared window; refused where none is declared."""
    found = f"CT values {span[0]:g} to {span[1]:g}"
    if not real:
        raise refused(path, f"{found}, whole numbers", "HU", "a mask is not a scan")
    if unit_window is None:
        raise refused(
            path,
            f"{found}, which are not HU",
            "HU or a declared unit_window",
            "declare unit_window=(low, high), the HU that 0 and 1 stand for (in a command "
            "--unit-window LOW HIGH)",
        )
    hu = Window(*unit_window).from_unit(voxels)
    return hu.astype(np.float32), [f"values {span[0]:g} to {span[1]:g} mapped to HU as declared"]
