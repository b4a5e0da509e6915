"""Run a network that answers at any slice position over a scan: blocks along z, tiles in-plane.

A block is ``depth`` thick slices; blocks are ``step`` slices apart, and the scan is continued by
its end slices as far as positions reach beyond it. Each block answers the positions within it;
where several do, one counts the more the farther the position lies from the block's ends. In-plane,
tiles overlap by a halo and are crossfaded (``tiling``).

Shape suffixes: B tiles, 1 channel, N slices asked for, Z Y X axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.inference import memory, tiling
from thinslice.interfaces import Run
from thinslice.runtime import heap
from thinslice.runtime.device import choose
from thinslice.runtime.progress import Progress

AT_AN_END = 0.25  # thick increments: the weight of a position on a block's outermost slice
ON_A_SLICE = 1e-6  # thick increments


@dataclass(frozen=True)
class BlockTiles:
    """Sizes of a network's blocks, and how they are moved over a scan."""

    depth: int  # thick slices it sees
    step: int  # thick slices from one block to the next
    tile: tuple[int, int] = (128, 128)  # (y, x) pixels, at most
    halo: int = 16  # pixels of a tile's inner edges that are thrown away
    blend: int = 16  # pixels beside them over which neighbours are crossfaded
    batch: int = 1  # tiles at a time, at most
    align: int = 1  # tiles start at multiples of it

    def __post_init__(self) -> None:
        if not 0 < self.step < self.depth:
            raise ValueError(
                f"blocks of {self.depth} slices {self.step} apart leave gaps: "
                f"set step from 1 to {self.depth - 1}"
            )


@torch.inference_mode()
def restore(
    net: nn.Module,
    unit_ZYX: np.ndarray,
    at_N: np.ndarray,
    increment: float,
    tiles: BlockTiles,
    *,
    run: Run | None = None,
) -> np.ndarray:
    """Slices at ``at_N``, float32 [N, Y, X].

    net         x_B1ZYX, at_BN, step_B to y_B1NYX
    unit_ZYX    thick slices as the network sees them
    at_N        positions in thick increments from the first slice; any, below 0 too
    increment   that the positions have, in thick ones
    """
    run = run or Run()
    device = choose(run)
    net = net.to(device).eval()
    blocks = _Blocks(at_N, len(unit_ZYX), tiles)
    out_NYX = np.zeros((len(at_N), *unit_ZYX.shape[1:]), np.float32)
    nets = [_AtPositions(net, at, increment, device) for _, at, _ in blocks.parts]
    most = max(nets, key=lambda answering: len(answering.at_N))
    plane = (unit_ZYX.shape[1], unit_ZYX.shape[2])
    sides, batch = memory.tile_and_batch(
        most, (tiles.depth,), tiles, plane, run, device, out_NYX.nbytes
    )
    axes = [
        tiling.axis(n, side, tiles.halo, tiles.blend, tiles.align, tiling.crossfade)
        for n, side in zip(plane, sides)
    ]
    places = list(product(range(len(axes[0].starts)), range(len(axes[1].starts))))
    total = len(nets) * len(places)
    with Progress(total, "restoring", "tile", shown=run.progress) as progress:
        for answering, slices, (which, _, share) in zip(nets, blocks.slices, blocks.parts):
            for first in range(0, len(places), batch):
                some = places[first : first + batch]
                x_B1ZYX = np.stack([_cut(unit_ZYX, slices, axes, place) for place in some])[:, None]
                y_B1NYX = answering(torch.from_numpy(x_B1ZYX).to(device)).float().cpu().numpy()
                for place, answer in zip(some, y_B1NYX):
                    _add(out_NYX, answer[0] * share[:, None, None], which, axes, place)
                progress.advance(len(some))
    heap.give_back()  # the caller's volumes need the room
    return out_NYX


class _AtPositions(nn.Module):
    """The network, at these positions of every block."""

    def __init__(self, net: nn.Module, at_N: np.ndarray, increment: float, device: torch.device):
        super().__init__()
        self.net = net
        self.at_N = torch.tensor(at_N, dtype=torch.float32, device=device)
        self.increment = increment

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        n = len(x_B1ZYX)
        return self.net(x_B1ZYX, self.at_N.expand(n, -1), x_B1ZYX.new_full((n,), self.increment))


class _Blocks:
    """Blocks along z: the thick slices that each sees, and its part of the answer.

    slices   [blocks, depth] numbers of thick slices
    parts    of each block: the numbers of its positions, these from its first slice on, its shares
    """

    def __init__(self, at_N: np.ndarray, n: int, tiles: BlockTiles):
        before = max(0, ceil(-at_N.min() - ON_A_SLICE))
        after = max(0, ceil(at_N.max() - (n - 1) - ON_A_SLICE))
        starts = tiling.starts(before + n + after, tiles.depth, tiles.step) - before
        room = np.minimum(at_N - starts[:, None], starts[:, None] + tiles.depth - 1 - at_N)
        shares = np.where(room >= -ON_A_SLICE, room.clip(0) + AT_AN_END, 0.0)
        answering = shares.any(axis=1)
        starts, shares = starts[answering], (shares / shares.sum(axis=0))[answering]
        self.slices = (starts[:, None] + np.arange(tiles.depth)).clip(0, n - 1)
        self.parts = [
            (which, at_N[which] - start, share[which].astype(np.float32))
            for start, share in zip(starts, shares)
            for which in [np.flatnonzero(share)]
        ]


def _cut(
    unit_ZYX: np.ndarray, slices: np.ndarray, axes: Sequence[tiling.Axis], place: Sequence[int]
) -> np.ndarray:
    """One tile of a block."""
    y, x = (axis.starts[tile] + np.arange(axis.length) for axis, tile in zip(axes, place))
    return unit_ZYX[np.ix_(slices, y, x)].astype(np.float32, copy=False)


def _add(
    out_NYX: np.ndarray,
    answer_NYX: np.ndarray,
    which: np.ndarray,
    axes: Sequence[tiling.Axis],
    place: Sequence[int],
) -> None:
    """Add a tile's share to the slices that its block answers."""
    (y, x), (rows, columns) = (
        [axis.starts[tile] for axis, tile in zip(axes, place)],
        [axis.shares[tile].astype(np.float32) for axis, tile in zip(axes, place)],
    )
    here = (slice(y, y + len(rows)), slice(x, x + len(columns)))
    out_NYX[(which, *here)] += answer_NYX * (rows[:, None] * columns)
