"""Training planes of thick slices as they are, and the thin slices from each of them on.

Nothing is interpolated before the network: it sees a patch of a coronal or sagittal plane, the
planes beside it as channels, and the distances of the thin slices from the pixels around them. A
batch is of scans with as many thin slices per thick one.

Shape suffixes: B patches, C channels, K thin slices per thick one, Z thick slices, W columns
(coronal) or rows (sagittal).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.operators.grids import offsets_mm
from thinslice.training.batches import Batch
from thinslice.training.samplers.crops import (
    SAME_MM,
    filled,
    place,
    read_at,
    shift_mm,
    whole,
    window,
)
from thinslice.training.samplers.planes import VIEWS
from thinslice.volume import Grid, Volume

Distances = Callable[[np.ndarray, float, float], np.ndarray]  # see ``nets.saint.distances_mm``


def in_frame_of_thick(pair: Pair) -> Grid:
    """The thin slices' grid with positions in the thick scan's millimetres, its pixels too."""
    thin = pair.thin.grid
    return pair.thick.grid.with_slices(
        n=thin.n,
        increment_mm=thin.increment_mm,
        thickness_mm=thin.thickness_mm,
        start_mm=thin.start_mm - shift_mm(pair),
    )


@dataclass(frozen=True)
class Answered:
    """The thick slices from which on the thin scan has all thin slices: a run of them."""

    offsets_mm: np.ndarray  # [K]
    shift_mm: float  # from the thick scan's positions to the thin scan's
    first: int
    n: int

    @classmethod
    def of(cls, pair: Pair) -> "Answered":
        """Refused where there is no such thick slice."""
        thick, thin = pair.thick.grid, in_frame_of_thick(pair)
        offsets = offsets_mm(thick, thin)
        first_mm, last_mm = thin.centres_mm()[[0, -1]]
        at_mm = thick.centres_mm()
        inside = (at_mm + offsets[0] >= first_mm - SAME_MM) & (
            at_mm + offsets[-1] <= last_mm + SAME_MM
        )
        answered = np.flatnonzero(inside)
        if not answered.size:
            raise Refused(
                f"{pair.case}: between none of its {thick.n} thick slices every "
                f"{thick.increment_mm:g} mm and the next lie {len(offsets)} of its thin slices, "
                f"from {first_mm:g} to {last_mm:g} mm"
            )
        return cls(offsets, shift_mm(pair), int(answered[0]), len(answered))

    def positions_mm(self, pair: Pair, z: np.ndarray) -> np.ndarray:
        """Where the answers to the thick slices ``z`` lie, in the thin scan's mm, [Z, K]."""
        at_mm = pair.thick.grid.centres_mm()[z] + self.shift_mm
        return at_mm[:, None] + self.offsets_mm


class ThickPlanes:
    """Draws batches (x_BCZW, distances_BKPQ, y_BKZW), grey values in [0, 1], the views in turn.

    patch       thick slices and pixels along the plane; fewer slices where a scan has fewer
    neighbours  planes to either side of the patch that are shown beside it
    distances   of slices from the pixels around them: offsets, thick increment, pixel, all mm
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        patch: tuple[int, int],
        batch: int,
        neighbours: int,
        distances: Distances,
        ct: tuple[float, float],
    ):
        self.pairs, self.patch, self.batch = pairs, patch, batch
        self.neighbours, self.distances = neighbours, distances
        self.answered = [Answered.of(pair) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]
        sizes = [(len(run.offsets_mm), min(run.n, patch[0])) for run in self.answered]
        self.alike = [[k for k, size in enumerate(sizes) if size == mine] for mine in sizes]

    def __call__(self, rng: np.random.Generator) -> Batch:
        alike = self.alike[int(rng.integers(len(self.pairs)))]
        drawn = [
            self._patch(int(rng.choice(alike)), VIEWS[b % len(VIEWS)] == "coronal", rng)
            for b in range(self.batch)
        ]
        return tuple(
            torch.from_numpy(np.stack(part).astype(np.float32, copy=False)) for part in zip(*drawn)
        )

    def _patch(self, i: int, coronal: bool, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        pair, run = self.pairs[i], self.answered[i]
        across = 1 if coronal else 2
        n, length = pair.thick.grid.shape if coronal else pair.thick.grid.shape[::-1]
        depth, pixels = min(run.n, self.patch[0]), self.patch[1]
        z = run.first + place(run.n, depth, rng).start + np.arange(depth)
        plane, along = int(rng.integers(n)), place(length, pixels, rng)
        beside = (plane + np.arange(-self.neighbours, self.neighbours + 1)).clip(0, n - 1)

        def where(first: int, last: int) -> tuple[slice, slice]:
            across_it = slice(int(first), int(last) + 1)
            return (across_it, along) if coronal else (along, across_it)

        thick = pair.thick.read(slice(z[0], z[-1] + 1), *where(beside[0], beside[-1]))
        thick_CZW = np.moveaxis(thick.take(beside - beside[0], across), across, 0)
        at_mm = run.positions_mm(pair, z)
        thin = read_at(pair.thin, at_mm.ravel(), *where(plane, plane))
        thin_KZW = np.moveaxis(thin.squeeze(across).reshape(*at_mm.shape, -1), 1, 0)
        pixel_mm = pair.thick.grid.pixel_mm[1 if coronal else 0]
        distances = self.distances(run.offsets_mm, pair.thick.grid.increment_mm, pixel_mm)
        x_CZW, y_KZW = (
            filled(self.windows[i].to_unit(part), (*part.shape[:2], pixels))
            for part in (thick_CZW, thin_KZW)
        )
        return x_CZW, distances, y_KZW


def whole_with_thin_grid(pair: Pair) -> tuple[Volume, Grid]:
    """The thick scan in memory, and the thin slices' grid in its frame."""
    return whole(pair.thick), in_frame_of_thick(pair)
