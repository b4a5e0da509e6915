"""Draw fine planes of scans: coronal and sagittal ones of thin stacks, and axial slices.

Along its rows (the first axis) a plane is fine enough to be degraded. An axial slice is fine along
both of its axes, also where the stack is thick (Shi et al. 2023); of a thick stack the planes
beside an axial slice are the slice itself. The anatomy is drawn larger or smaller, in millimetres
alone.

Shape suffixes: L rows, W columns, N neighbouring planes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thinslice.training.samplers.drawn_slices import FineRows
from thinslice.volume import Volume

THIN_MM = 2.0  # stacks of thinner slices are fine along z
FINE_PIXEL_MM = 1.25  # pixels up to here are fine enough to learn from
STACKED = 2 / 3  # share of draws along z, where a scan can be drawn either way
BODY_HU = -400.0
BODY = 0.1  # share of a crop that must be brighter, in the first TRIES draws
TRIES = 4
ROOM = 48  # rows beyond the rows that are learned, for thick slices to lie on


class Slab(NamedTuple):
    """A plane and the planes beside it, float32 HU [L, W, N], and what its rows and columns are."""

    voxels: np.ndarray
    rows: FineRows
    pixel_mm: float


class FinePlanes:
    """Draws slabs of at most ``side`` columns, every voxel of the scans being as likely.

    stacks   whether planes across thin slices are drawn, or axial slices alone
    zoom     (smallest, largest) factor of the anatomy's size
    """

    def __init__(
        self,
        scans: Sequence[Volume],
        side: int,
        neighbours: int,
        *,
        stacks: bool = True,
        zoom: tuple[float, float] = (0.7, 1.4),
    ):
        self.scans = list(scans)
        self.side, self.neighbours, self.zoom = side, neighbours, zoom
        self.kinds = [_kinds(scan, stacks) for scan in scans]
        sizes = np.array([scan.voxels.size * bool(k) for scan, k in zip(scans, self.kinds)], float)
        if not sizes.sum():
            raise ValueError(
                f"no scan to learn from: each is thicker than {THIN_MM:g} mm and has pixels of "
                f"more than {FINE_PIXEL_MM:g} mm"
            )
        self.shares = sizes / sizes.sum()

    def draw(self, rng: np.random.Generator) -> Slab:
        """A slab of float32 HU, its own copy; mostly not of air alone."""
        for _ in range(TRIES):
            slab = self._any(rng)
            if (slab.voxels[..., self.neighbours] > BODY_HU).mean() > BODY:
                break
        return slab

    def _any(self, rng: np.random.Generator) -> Slab:
        i = int(rng.choice(len(self.scans), p=self.shares))
        kinds = self.kinds[i]
        along_z = (kinds == "both" and rng.random() < STACKED) or kinds == "stack"
        zoom = float(np.exp(rng.uniform(*np.log(self.zoom))))
        return self._cut(self.scans[i], along_z, zoom, rng)

    def _cut(self, scan: Volume, along_z: bool, zoom: float, rng: np.random.Generator) -> Slab:
        grid = scan.grid
        spacing = (grid.increment_mm, *grid.pixel_mm)
        turned = bool(rng.integers(2))
        # (rows, columns, neighbours) as axes of [Z, Y, X]
        axes = ((0, 2, 1), (0, 1, 2))[turned] if along_z else ((1, 2, 0), (2, 1, 0))[turned]
        sizes = [scan.voxels.shape[axis] for axis in axes]
        length, width = min(sizes[0], self.side + ROOM), min(sizes[1], self.side)
        first = [int(rng.integers(n - k + 1)) for n, k in zip(sizes, (length, width))]
        beside = self._beside(int(rng.integers(sizes[2])), sizes[2], spacing[axes[2]])
        view = np.transpose(scan.voxels, axes)
        cut = view[first[0] : first[0] + length, first[1] : first[1] + width]
        flips = [slice(None, None, -1 if rng.random() < 0.5 else 1) for _ in range(2)]
        voxels = np.ascontiguousarray(cut[:, :, beside][flips[0], flips[1]], np.float32)
        step = spacing[axes[0]]
        thickness = grid.thickness_mm if along_z else step
        rows = FineRows(length, step * zoom, thickness * zoom)
        return Slab(voxels, rows, spacing[axes[1]] * zoom)

    def _beside(self, plane: int, n: int, spacing_mm: float) -> np.ndarray:
        aside = np.arange(-self.neighbours, self.neighbours + 1)
        return (plane + aside * (spacing_mm <= THIN_MM)).clip(0, n - 1)


def _kinds(scan: Volume, stacks: bool) -> str:
    """How a scan's planes may be drawn: "both", "stack", "axial", or "" for not at all."""
    stack = stacks and scan.grid.thickness_mm <= THIN_MM
    axial = max(scan.grid.pixel_mm) <= FINE_PIXEL_MM
    if stack and axial:
        return "both"
    return "stack" if stack else "axial" if axial else ""
