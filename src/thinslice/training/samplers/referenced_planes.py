"""Training planes with references: patches of through-plane planes, and axial patches to look at.

A batch is of one scan: a cube of ``side`` pixels to each axis is drawn, then coronal and sagittal
patches in it, either as likely, and thick axial slices as references for all of them. The thick
scan is interpolated linearly to the thin slices' positions, whatever increments and phase are.

Shape suffixes: B patches, R references, C channels of a reference, Z slices, W columns (coronal) or
rows (sagittal), Y X in-plane.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from thinslice.interfaces import Pair
from thinslice.operators.reference_slices import Shown, as_it_is
from thinslice.training.batches import Batch
from thinslice.training.samplers.crops import filled, place, read_at, shift_mm, window


class Cube(NamedTuple):
    """Where patches are taken from: voxels of the thin scan, and the thick slices among them."""

    z: slice
    y: slice
    x: slice
    thick: np.ndarray  # numbers of the thick slices within ``z``; at least one


class Patch(NamedTuple):
    """A patch of one thick slice."""

    number: int  # of the slice
    y: slice
    x: slice


References = Callable[[Cube, Pair, int, int, np.random.Generator], list[Patch]]


def inside(cube: Cube, pair: Pair, n: int, side: int, rng: np.random.Generator) -> list[Patch]:
    """``n`` random thick slices of the cube, cut as it is (the paper's text)."""
    few = len(cube.thick) < n
    return [Patch(int(k), cube.y, cube.x) for k in rng.choice(cube.thick, n, replace=few)]


def anywhere(cube: Cube, pair: Pair, n: int, side: int, rng: np.random.Generator) -> list[Patch]:
    """``n`` patches of the scan, each drawn for itself (the released code)."""
    rows, columns = pair.thick.grid.shape
    return [
        Patch(
            int(rng.integers(pair.thick.grid.n)), place(rows, side, rng), place(columns, side, rng)
        )
        for _ in range(n)
    ]


class ReferencedPlanes:
    """Draws batches (x_B1ZW, references_RCYX, y_B1ZW) in [0, 1]; without references (x, y).

    shown   the channels of a reference: the slice alone, or more
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: int,
        batch: int,
        n_references: int,
        references: References,
        ct: tuple[float, float],
        shown: Shown = as_it_is,
    ):
        self.pairs, self.side, self.batch = pairs, side, batch
        self.n_references, self.references, self.shown = n_references, references, shown
        self.shifts_mm = [shift_mm(pair) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> Batch:
        i = int(rng.integers(len(self.pairs)))
        cube = self._cube(i, rng)
        drawn = [self._plane(i, cube, rng) for _ in range(self.batch)]
        x_B1ZW, y_B1ZW = (torch.from_numpy(np.stack(part)[:, None]) for part in zip(*drawn))
        if not self.n_references:
            return x_B1ZW, y_B1ZW
        patches = self.references(cube, self.pairs[i], self.n_references, self.side, rng)
        seen = [self._read(i, patch) for patch in patches]
        return x_B1ZW, torch.from_numpy(np.stack(seen)), y_B1ZW

    def _cube(self, i: int, rng: np.random.Generator) -> Cube:
        thick, thin = self.pairs[i].thick.grid, self.pairs[i].thin.grid
        z, y, x = (place(n, self.side, rng) for n in thin.zyx)
        at_mm = thin.centres_mm()[z] - self.shifts_mm[i]
        beyond_mm = np.maximum(at_mm[0] - thick.centres_mm(), thick.centres_mm() - at_mm[-1])
        beyond_mm = beyond_mm.clip(0, None)
        return Cube(z, y, x, np.flatnonzero(beyond_mm == beyond_mm.min()))

    def _plane(self, i: int, cube: Cube, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pair, coronal = self.pairs[i], rng.random() < 0.5
        across = cube.y if coronal else cube.x
        k = int(rng.integers(across.start, across.stop))
        y, x = (slice(k, k + 1), cube.x) if coronal else (cube.y, slice(k, k + 1))
        at_mm = pair.thin.grid.centres_mm()[cube.z] - self.shifts_mm[i]
        thick = read_at(pair.thick, at_mm, y, x, "linear")
        thin = pair.thin.read(cube.z, y, x)
        shape = (self.side, self.side)
        units = [
            self.windows[i].to_unit(block).squeeze(1 if coronal else 2) for block in (thick, thin)
        ]
        a, b = (np.ascontiguousarray(filled(unit_ZW, shape), np.float32) for unit_ZW in units)
        return a, b

    def _read(self, i: int, patch: Patch) -> np.ndarray:
        block = self.pairs[i].thick.read(slice(patch.number, patch.number + 1), patch.y, patch.x)
        slice_YX = self.windows[i].to_unit(block)[0]
        shown_CYX = self.shown(slice_YX, self.pairs[i].thick.grid, self.pairs[i].thin.grid)
        return np.ascontiguousarray(shown_CYX, np.float32)
