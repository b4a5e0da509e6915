"""Training cubes: a few thick slices, and the thin slices between and on them.

A network of factor r sees ``depth`` thick slices and answers at native positions: every r-th part
of the thick increment, from the first of these slices to the last. The truth there is the thin
scan itself where it has slices at these positions, else its cubic spline.

Shape suffixes: B crops, 1 channel, Z Y X axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.training.samplers.crops import SAME_MM, filled, place, read_at, shift_mm, window


@dataclass(frozen=True)
class CubeShape:
    """What a cube network sees and gives."""

    depth: int  # thick slices in
    factor: int  # native slices per thick increment
    side: tuple[int, int]  # (y, x) pixels
    trim: int = 0  # native slices it leaves out at each end

    def __post_init__(self) -> None:
        if self.depth < 1 or self.factor < 1 or self.out < 1:
            raise ValueError(f"no slices left to predict: {self}")

    @property
    def out(self) -> int:
        """Native slices it gives."""
        return (self.depth - 1) * self.factor + 1 - 2 * self.trim

    def offsets(self) -> np.ndarray:
        """Native positions it gives, in thick increments from the first thick slice."""
        return (self.trim + np.arange(self.out)) / self.factor


class Cubes:
    """Draws batches of (thick cube, thin cube) in [0, 1]; ValueError if a pair has no room."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        shape: CubeShape,
        batch: int,
        ct: tuple[float, float] = (-1024.0, 3071.0),
        flips: bool = True,
        flip_share: float = 0.5,
    ):
        self.pairs, self.shape, self.batch = pairs, shape, batch
        self.flips, self.flip_share = flips, flip_share
        self.starts = [starts(pair, shape) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1ZYX of ``depth`` slices and y_B1ZYX of ``out`` slices."""
        crops = [self._crop(rng) for _ in range(self.batch)]
        x, y = (np.stack(part)[:, None] for part in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair, side = self.pairs[i], self.shape.side
        z0 = int(rng.choice(self.starts[i]))
        y, x = (place(n, s, rng) for n, s in zip(pair.thick.grid.shape, side))
        thick = pair.thick.read(slice(z0, z0 + self.shape.depth), y, x)
        thin = read_at(pair.thin, positions_mm(pair, self.shape, z0), y, x)
        flip = self.flips and rng.random() < self.flip_share
        both = []
        for block in (thick, thin):
            unit = filled(self.windows[i].to_unit(block), (len(block), *side))
            both.append(np.ascontiguousarray(unit[..., ::-1] if flip else unit, np.float32))
        return both[0], both[1]


def positions_mm(pair: Pair, shape: CubeShape, z0: int | np.integer) -> np.ndarray:
    """Where the answer to the thick slices from ``z0`` on lies, in the thin scan's mm."""
    grid = pair.thick.grid
    return grid.start_mm + shift_mm(pair) + (z0 + shape.offsets()) * grid.increment_mm


def starts(pair: Pair, shape: CubeShape) -> np.ndarray:
    """First thick slices of all cubes whose whole answer lies within the thin scan."""
    first, last = pair.thin.grid.centres_mm()[[0, -1]]
    all_z0 = np.arange(pair.thick.grid.n - shape.depth + 1)
    ends = [positions_mm(pair, shape, z0)[[0, -1]] for z0 in all_z0]
    found = [z0 for z0, (a, b) in zip(all_z0, ends) if a >= first - SAME_MM and b <= last + SAME_MM]
    if not found:
        raise Refused(
            f"{pair.case}: no cube of {shape.depth} thick slices fits its {pair.thick.grid.n} "
            f"thick slices and thin slices from {first:g} to {last:g} mm"
        )
    return np.array(found)
