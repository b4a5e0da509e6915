"""Running a plane network over the coronal and sagittal planes of a scan, and averaging.

Axial planes are left out: they hold no through-plane detail. The planes of a view go through the
network in batches; a plane too large for the memory cap is tiled like a cube.

Shape suffixes: B planes, 1 channel, Z slices, W columns (coronal) or rows (sagittal); Y X axes.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import nn

from thinslice.drivers import memory, tiling
from thinslice.drivers.device import choose
from thinslice.drivers.progress import Progress
from thinslice.seams import Run

CORONAL, SAGITTAL = 1, 2  # the axis of [Z, Y, X] that a view's planes are stacked along


@dataclass(frozen=True)
class PlaneTiles:
    """How a plane network is moved over a plane."""

    tile: tuple[int, int] = (512, 512)  # (z, w), at most
    halo: int = 16  # pixels of a tile's inner edges that are thrown away
    blend: int = 8  # pixels beside them over which neighbours are crossfaded
    align: int = 1  # sizes the network takes are multiples of it
    batch: int = 16  # planes at a time, at most

    def __post_init__(self) -> None:
        if any(side % self.align for side in self.tile):
            raise ValueError(f"tile {self.tile} is no multiple of {self.align}")


def both(
    net: nn.Module, unit_ZYX: np.ndarray, tiles: PlaneTiles, *, run: Run | None = None
) -> np.ndarray:
    """The mean of the coronal and the sagittal answer, float32 [Z, Y, X]."""
    out_ZYX = view(net, unit_ZYX, tiles, CORONAL, run=run)
    out_ZYX += view(net, unit_ZYX, tiles, SAGITTAL, run=run)
    out_ZYX /= 2
    return out_ZYX


@torch.inference_mode()
def view(
    net: nn.Module, unit_ZYX: np.ndarray, tiles: PlaneTiles, across: int, *, run: Run | None = None
) -> np.ndarray:
    """Every plane of one view through ``net`` (x_B1ZW to y_B1ZW, same size), float32 [Z, Y, X].

    across   CORONAL or SAGITTAL
    """
    run = run or Run()
    device = choose(run)
    net = net.to(device).eval()
    out_ZYX = np.zeros(unit_ZYX.shape, np.float32)
    planes_NZW = np.moveaxis(unit_ZYX, across, 0)
    out_NZW = np.moveaxis(out_ZYX, across, 0)
    n, *plane = planes_NZW.shape
    tile, batch = memory.tile_and_batch(
        net, (), tiles, (plane[0], plane[1]), run, device, 2 * out_ZYX.nbytes
    )
    z, w = (
        tiling.axis(
            tiling.rounded_up(side, tiles.align),
            length,
            tiles.halo,
            tiles.blend,
            tiles.align,
            tiling.crossfade,
        )
        for side, length in zip(plane, tile)
    )
    title = {CORONAL: "coronal", SAGITTAL: "sagittal"}[across]
    tiles_ZW = list(product(range(len(z.starts)), range(len(w.starts))))
    with Progress(n * len(tiles_ZW), title, "plane", shown=run.progress) as progress:
        for first in range(0, n, batch):
            some = slice(first, min(first + batch, n))
            for k, j in tiles_ZW:
                _run_tile(net, planes_NZW[some], out_NZW[some], z, w, (k, j), device)
                progress.advance(some.stop - some.start)
    return out_ZYX


def _run_tile(
    net: nn.Module,
    planes_BZW: np.ndarray,
    out_BZW: np.ndarray,
    z: tiling.Axis,
    w: tiling.Axis,
    place: tuple[int, int],
    device: torch.device,
) -> None:
    """One tile of a batch of planes: cut, through the network, added by its share."""
    starts = [int(axis.starts[i]) for axis, i in zip((z, w), place)]
    shares = [axis.shares[i].astype(np.float32) for axis, i in zip((z, w), place)]
    sides = planes_BZW.shape[1:]
    at = [
        (start + np.arange(len(share))).clip(0, side - 1)
        for start, share, side in zip(starts, shares, sides)
    ]
    x_B1ZW = planes_BZW[:, at[0][:, None], at[1]].astype(np.float32, copy=False)[:, None]
    y_B1ZW = net(torch.from_numpy(np.ascontiguousarray(x_B1ZW)).to(device)).float().cpu().numpy()
    if y_B1ZW.shape != x_B1ZW.shape:
        raise ValueError(f"the network gave {y_B1ZW.shape}, expected {x_B1ZW.shape}")
    have = [min(len(share), side - start) for start, share, side in zip(starts, shares, sides)]
    here = tuple(slice(start, start + size) for start, size in zip(starts, have))
    weight_ZW = shares[0][: have[0], None] * shares[1][: have[1]]
    out_BZW[(slice(None), *here)] += y_B1ZW[:, 0, : have[0], : have[1]] * weight_ZW
