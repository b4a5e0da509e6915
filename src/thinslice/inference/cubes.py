"""Run a cube network over a scan: windows along z, tiles in-plane, added up in place.

A network sees ``depth`` thick slices and gives the native slices on and between them, ``factor``
per thick increment, less ``trim`` at each end. The scan is continued by its end slices so that
every native slice is predicted, and in-plane by its edge pixels up to the network's window.

Shape suffixes: B tiles, 1 channel, Z Y X axes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import torch
from torch import nn

from thinslice.inference import memory, tiling
from thinslice.interfaces import Run
from thinslice.runtime import heap
from thinslice.runtime.device import choose
from thinslice.runtime.progress import Progress


@dataclass(frozen=True)
class CubeTiles:
    """Sizes of a cube network's input and output, and how it is moved over a scan."""

    depth: int  # thick slices it sees
    factor: int  # native slices per thick increment
    trim: int = 0  # native slices it leaves out at each end
    step: int | None = None  # thick slices from one window to the next; None: depth - 1
    tile: tuple[int, int] = (256, 256)  # (y, x) pixels, at most
    halo: int = 16  # pixels of a tile's inner edges that are thrown away
    blend: int = 16  # pixels beside them over which neighbours are crossfaded
    align: int = 8  # the network's window: tiles start and end at multiples of it
    batch: int = 4  # tiles at a time, at most

    def __post_init__(self) -> None:
        if any(side % self.align for side in self.tile):
            raise ValueError(f"tile {self.tile} is no multiple of the window {self.align}")
        if not 0 < self.stride * self.factor <= self.out:
            raise ValueError(
                f"windows {self.stride} thick slices apart leave gaps: each gives {self.out} of "
                f"the {self.stride * self.factor} native slices between them"
            )

    @property
    def out(self) -> int:
        """Native slices a window gives."""
        return (self.depth - 1) * self.factor + 1 - 2 * self.trim

    @property
    def stride(self) -> int:
        """Thick slices from one window to the next."""
        return max(self.depth - 1, 1) if self.step is None else self.step


@torch.inference_mode()
def restore(
    net: nn.Module,
    unit_ZYX: np.ndarray,
    tiles: CubeTiles,
    *,
    run: Run | None = None,
    ends: int = 0,
    z_starts: Callable[[int], Sequence[int]] | None = None,
    share_z: tiling.Share = tiling.average,
    share_yx: tiling.Share = tiling.crossfade,
) -> np.ndarray:
    """Native slices of a whole scan, float32 [(Z - 1 + 2 ends) * factor + 1, Y, X].

    net        x_B1ZYX of ``depth`` slices to y_B1ZYX of ``out`` slices
    unit_ZYX   thick slices as the network sees them
    ends       thick increments by which to predict beyond the first and last thick slice
    z_starts   first thick slice of every window, from the number of thick slices, in the order in
               which they are run; below 0 and past the end the scan is continued. By default
               windows ``step`` apart, and one that ends with the scan
    share_*    how overlapping windows and tiles are put together; see ``tiling``
    """
    run = run or Run()
    device = choose(run)
    net = net.to(device).eval()
    n, *plane = unit_ZYX.shape
    out_ZYX = np.zeros(((n - 1 + 2 * ends) * tiles.factor + 1, *plane), np.float32)
    (rows, columns), batch = memory.tile_and_batch(
        net, (tiles.depth,), tiles, (plane[0], plane[1]), run, device, out_ZYX.nbytes
    )
    z = _Windows(tiles, n, ends, z_starts, share_z)
    padded = [tiling.rounded_up(side, tiles.align) for side in plane]
    yx = [
        tiling.axis(side, length, tiles.halo, tiles.blend, tiles.align, share_yx)
        for side, length in zip(padded, (rows, columns))
    ]
    places = list(product(range(len(z.starts)), *(range(len(a.starts)) for a in yx)))
    with Progress(len(places), "restoring", "tile", shown=run.progress) as progress:
        for first in range(0, len(places), batch):
            some = places[first : first + batch]
            x_B1ZYX = np.stack([_cut(unit_ZYX, z, yx, place) for place in some])[:, None]
            y_B1ZYX = net(torch.from_numpy(x_B1ZYX).to(device)).float().cpu().numpy()
            for place, answer in zip(some, y_B1ZYX):
                _add(out_ZYX, answer[0], z, yx, place)
            progress.advance(len(some))
    heap.give_back()  # the caller's volumes need the room
    return out_ZYX


class _Windows:
    """Windows along z: the thick slices each sees, and the native slices it predicts."""

    def __init__(
        self,
        tiles: CubeTiles,
        n: int,
        ends: int,
        z_starts: Callable[[int], Sequence[int]] | None,
        share: tiling.Share,
    ):
        self.starts = np.array(z_starts(n) if z_starts else default_starts(tiles, n, ends))
        native = (self.starts - self.starts.min()) * tiles.factor
        self.shares = share(native, tiles.out, int(native.max()) + tiles.out, 0, 0)
        self.at = (self.starts + ends) * tiles.factor + tiles.trim
        self.slices = (self.starts[:, None] + np.arange(tiles.depth)).clip(0, n - 1)
        given = {k for at in self.at for k in range(at, at + tiles.out)}
        missing = set(range((n - 1 + 2 * ends) * tiles.factor + 1)) - given
        if missing:
            raise ValueError(f"{len(missing)} native slices lie in no window: {sorted(missing)}")


def default_starts(tiles: CubeTiles, n: int, ends: int) -> np.ndarray:
    """First thick slices of windows that predict every native slice of ``n`` thick ones."""
    before = ends + ceil(tiles.trim / tiles.factor)
    return tiling.starts(n + 2 * before, tiles.depth, tiles.stride) - before


def starts_in_order(n: int, depth: int, stride: int) -> list[int]:
    """Windows from the first of ``n`` slices on, and one that ends with the scan, as authors do.

    In the order of writing: where two windows answer and the later one counts, it matters.
    """
    return [*range(0, n - depth, stride), max(n - depth, 0)]


def starts_to_the_ends(n: int, ends: int, tiles: CubeTiles) -> list[int]:
    """``starts_in_order``, and before and after them windows for what those never predict."""
    starts = starts_in_order(n, tiles.depth, tiles.stride)
    while starts[0] * tiles.factor + tiles.trim > -ends * tiles.factor:
        starts.insert(0, starts[0] - tiles.stride)
    last = (n - 1 + ends) * tiles.factor
    while (starts[-1] + tiles.depth - 1) * tiles.factor - tiles.trim < last:
        starts.append(starts[-1] + tiles.stride)
    return starts


def _cut(
    unit_ZYX: np.ndarray, z: _Windows, yx: list[tiling.Axis], place: tuple[int, ...]
) -> np.ndarray:
    """One tile, continued by the edge where it reaches over it."""
    index = [z.slices[place[0]]]
    for axis, tile, side in zip(yx, place[1:], unit_ZYX.shape[1:]):
        index.append((axis.starts[tile] + np.arange(axis.length)).clip(0, side - 1))
    return unit_ZYX[np.ix_(*index)].astype(np.float32, copy=False)


def _add(
    out_ZYX: np.ndarray,
    answer_ZYX: np.ndarray,
    z: _Windows,
    yx: list[tiling.Axis],
    place: tuple[int, ...],
) -> None:
    """Add a tile's share where it lies within the scan."""
    starts = [z.at[place[0]], *(a.starts[t] for a, t in zip(yx, place[1:]))]
    shares = [z.shares[place[0]], *(a.shares[t] for a, t in zip(yx, place[1:]))]
    if answer_ZYX.shape != tuple(map(len, shares)):
        expected = tuple(map(len, shares))
        raise ValueError(f"the network gave {answer_ZYX.shape}, expected {expected}")
    inside, here, part = [], [], []
    for start, share, side in zip(starts, shares, out_ZYX.shape):
        low, high = max(start, 0), min(start + len(share), side)
        inside.append(slice(low, high))
        here.append(slice(low - start, high - start))
        part.append(share[here[-1]].astype(np.float32))
    if any(s.stop <= s.start for s in inside):
        return
    weight_YX = part[1][:, None] * part[2]
    out_ZYX[tuple(inside)] += answer_ZYX[tuple(here)] * part[0][:, None, None] * weight_YX
