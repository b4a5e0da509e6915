"""Reorder the axes of a file to [Z, Y, X], keeping every voxel's position in the patient.

z is the through-plane axis. Every axis is flipped, if need be, to the side of the patient that it
is closest to: left, back or head; for axial slices that is z to the head, y to the back and x to
the left. Nothing is resampled: axes are exchanged and reversed, and the frame says where they are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thinslice.errors import refused
from thinslice.volume import Grid

LEFT, BACK, HEAD = 0, 1, 2  # components of an LPS vector
COARSER = 1.2  # a spacing this many times the next one is the through-plane one
SPACING_MM = (0.01, 30.0)  # outside: not a scan of a person
SHEAR = 1e-3  # cosine between two axes, 0.06 degrees
TIE_DIGITS = 3  # axes at 45 degrees must not be told apart by rounding


class Place(NamedTuple):
    """How the axes of a file map to [Z, Y, X], and the resulting grid."""

    order: tuple[int, int, int]  # the file's axis that becomes z, y, x
    flipped: tuple[bool, bool, bool]  # whether z, y, x run against the file
    grid: Grid

    def file_view(self, voxels_ZYX: np.ndarray) -> np.ndarray:
        """A view of our array with the file's own axes: what is written there lands right."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return voxels_ZYX[steps].transpose(np.argsort(self.order))

    def file_affine(self) -> np.ndarray:
        """4x4 from the file's index to patient LPS, mm: where ``file_view`` puts each voxel."""
        ours = np.zeros((4, 4))  # the file's index to [z, y, x]
        ours[3, 3] = 1
        for axis, (its, flip, n) in enumerate(zip(self.order, self.flipped, self.grid.zyx)):
            ours[axis, its], ours[axis, 3] = (-1, n - 1) if flip else (1, 0)
        return self.grid.affine() @ ours


def place(
    path: Path,
    affine: np.ndarray,
    shape: Sequence[int],
    *,
    thickness_mm: float | None = None,
    through_plane: int | None = None,
) -> Place:
    """Map the axes of a file to [Z, Y, X].

    affine          4x4, file index to patient LPS, mm
    shape           of the file's array, along the same three axes
    thickness_mm    None: equal to the increment
    through_plane   the file's slice axis; None: the clearly coarsest, else the most head-foot one

    Raises Refused for spacings that no scanner has, for axes that are not at right angles and for
    fewer than two slices.
    """
    spacing_mm, axes = _axes(path, affine)
    z = _through_plane(spacing_mm, axes) if through_plane is None else through_plane
    order = (z, *_in_plane(axes, z))
    if shape[z] < 2:
        raise refused(
            path,
            f"{shape[z]} slice (shape {tuple(shape)})",
            "two slices or more",
            "give the whole scan",
        )
    if thickness_mm is not None and not SPACING_MM[0] <= thickness_mm <= SPACING_MM[1]:
        raise refused(path, f"a thickness of {thickness_mm:g} mm", _range(), "declare it in mm")
    flipped = (_runs_away(axes[z]), _runs_away(axes[order[1]]), _runs_away(axes[order[2]]))
    first = np.zeros(4)
    first[3] = 1
    for axis, flip in zip(order, flipped):
        first[axis] = shape[axis] - 1 if flip else 0
    direction = [-axes[a] if flip else axes[a] for a, flip in zip(order, flipped)]
    grid = Grid(
        n=shape[z],
        increment_mm=float(spacing_mm[z]),
        thickness_mm=float(spacing_mm[z] if thickness_mm is None else thickness_mm),
        shape=(shape[order[1]], shape[order[2]]),
        pixel_mm=(float(spacing_mm[order[1]]), float(spacing_mm[order[2]])),
        origin_mm=_vector((affine @ first)[:3]),
        direction=(_vector(direction[0]), _vector(direction[1]), _vector(direction[2])),
    )
    return Place(order, flipped, grid)


def _axes(path: Path, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spacing [3] mm and unit vectors [3 axes, LPS] of the file's axes, refused if absurd."""
    if not np.isfinite(affine).all():
        raise refused(
            path,
            "a geometry with numbers that are not finite",
            "finite numbers",
            "write its header anew",
        )
    steps = affine[:3, :3].T
    spacing_mm = np.linalg.norm(steps, axis=1)
    if spacing_mm.min() < SPACING_MM[0] or spacing_mm.max() > SPACING_MM[1]:
        found = "spacings of " + " x ".join(f"{s:g}" for s in spacing_mm) + " mm"
        raise refused(path, found, _range(), "check the units of its header")
    axes = steps / spacing_mm[:, None]
    cosine = np.abs(axes @ axes.T - np.eye(3)).max()
    if cosine > SHEAR:
        off = 90 - np.degrees(np.arccos(min(cosine, 1.0)))
        raise refused(
            path,
            f"sheared axes, {off:.3g} degrees from square",
            "axes at right angles",
            "export it without a shear (tilted or registered?)",
        )
    return spacing_mm, axes


def _range() -> str:
    return f"{SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm"


def _through_plane(spacing_mm: np.ndarray, axes: np.ndarray) -> int:
    """The clearly coarsest axis, else the one closest to the head-foot direction."""
    second, coarsest = np.argsort(spacing_mm)[1:]
    if spacing_mm[coarsest] > COARSER * spacing_mm[second]:
        return int(coarsest)
    return int(np.abs(axes[:, HEAD]).round(TIE_DIGITS).argmax())


def _in_plane(axes: np.ndarray, z: int) -> tuple[int, int]:
    """The file's axes that become y and x: y the one closer to the back, x closer to the left."""
    a, b = (axis for axis in range(3) if axis != z)
    size = np.abs(axes)
    ab, ba = size[a, BACK] + size[b, LEFT], size[b, BACK] + size[a, LEFT]
    return (a, b) if round(ab - ba, TIE_DIGITS) >= 0 else (b, a)


def _runs_away(axis: np.ndarray) -> bool:
    """Whether an axis runs to the right, the front or the feet, whichever it is closest to."""
    return bool(axis[np.abs(axis).round(TIE_DIGITS).argmax()] < 0)


def _vector(numbers: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) + 0.0 for v in numbers)  # + 0.0: no minus zero
    return x, y, z
