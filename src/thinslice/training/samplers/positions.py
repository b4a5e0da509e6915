"""Training blocks of thick slices, and slices anywhere between them.

A network that answers at any position sees ``depth`` thick slices and is asked for ``slices``
positions, in thick increments from the first of them. Half of the crops, by default, ask for thin
slices that there are; the others ask for any position, whose truth is the thin scan's cubic spline,
and claim any increment from the thin scan's to the thick one's.

Shape suffixes: B crops, 1 channel, N slices asked for, Z Y X axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair
from thinslice.training.samplers import cubes
from thinslice.training.samplers.crops import SAME_MM, filled, place, read_at, shift_mm, window


@dataclass(frozen=True)
class BlockShape:
    """What a network of positions sees, and how much it is asked for."""

    depth: int  # thick slices in
    slices: int  # positions asked for
    side: tuple[int, int]  # (y, x) pixels

    def __post_init__(self) -> None:
        if self.depth < 2 or self.slices < 1:
            raise ValueError(f"positions lie between two slices at least, found {self}")


class Positions:
    """Draws batches (x_B1ZYX, at_BN, step_B, y_B1NYX); ValueError if a pair has no room.

    anywhere   share of crops that are asked for any position and increment
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        shape: BlockShape,
        batch: int,
        ct: tuple[float, float] = (-1024.0, 3071.0),
        flips: bool = True,
        anywhere: float = 0.5,
    ):
        self.pairs, self.shape, self.batch = pairs, shape, batch
        self.flips, self.anywhere = flips, anywhere
        block = cubes.CubeShape(shape.depth, 1, shape.side)
        self.starts = [cubes.starts(pair, block) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Grey values in [0, 1]; positions and increments in thick increments."""
        x, at, step, y = zip(*(self._crop(rng) for _ in range(self.batch)))
        parts = (np.stack(x)[:, None], np.stack(at), np.array(step), np.stack(y)[:, None])
        return tuple(torch.from_numpy(part.astype(np.float32, copy=False)) for part in parts)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair, side = self.pairs[i], self.shape.side
        z0 = int(rng.choice(self.starts[i]))
        first_mm = pair.thick.grid.start_mm + shift_mm(pair) + z0 * pair.thick.grid.increment_mm
        at_mm, step = self._wanted(pair, first_mm, rng)
        y, x = (place(n, s, rng) for n, s in zip(pair.thick.grid.shape, side))
        thick = pair.thick.read(slice(z0, z0 + self.shape.depth), y, x)
        thin = read_at(pair.thin, at_mm, y, x)
        flip = self.flips and rng.random() < 0.5
        both = []
        for block in (thick, thin):
            unit = filled(self.windows[i].to_unit(block), (len(block), *side))
            both.append(np.ascontiguousarray(unit[..., ::-1] if flip else unit, np.float32))
        at = (at_mm - first_mm) / pair.thick.grid.increment_mm
        return both[0], at, step, both[1]

    def _wanted(
        self, pair: Pair, first_mm: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """Positions in the thin scan's mm, ascending, and their increment in thick ones."""
        thick, thin = pair.thick.grid, pair.thin.grid
        finest, n = step_of(pair), self.shape.slices
        last_mm = first_mm + (self.shape.depth - 1) * thick.increment_mm
        centres = thin.centres_mm()
        inside = centres[(centres >= first_mm - SAME_MM) & (centres <= last_mm + SAME_MM)]
        if rng.random() < self.anywhere or not len(inside):
            return np.sort(rng.uniform(first_mm, last_mm, n)), float(rng.uniform(finest, 1.0))
        return np.sort(rng.choice(inside, n, replace=len(inside) < n)), finest


def step_of(pair: Pair) -> float:
    """The thin increment in thick ones, at most 1."""
    return min(1.0, pair.thin.grid.increment_mm / pair.thick.grid.increment_mm)
