"""Run a plane network over the planes of a scan, one view after the other.

The planes of a view go through the network in batches; a plane too large for the memory cap is
tiled like a cube. A network may see several channels (what other networks made of the same plane,
or the planes beside it: ``PlaneTiles.neighbours``) and may give finer planes than it was shown:
``PlaneTiles.scale``.

``both`` averages coronal and sagittal answers: axial planes hold no through-plane detail. ``each``
hands the answers over plane by plane, where a volume of them is more than the caller needs.

Shape suffixes: B planes, C channels, P and Q the axes of a plane (z, then x or y; y, then x where
it is axial), Z Y X the scan's.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import torch
from torch import nn

from thinslice.inference import memory, side_by_side, tiling
from thinslice.interfaces import Run
from thinslice.runtime import heap
from thinslice.runtime.device import choose
from thinslice.runtime.progress import Progress

AXIAL, CORONAL, SAGITTAL = 0, 1, 2  # the axis of [Z, Y, X] that a view's planes are stacked along
TITLES = {
    AXIAL: "restoring axial planes",
    CORONAL: "restoring coronal planes",
    SAGITTAL: "restoring sagittal planes",
}
Take = Callable[[slice, slice, np.ndarray], None]  # numbers of planes, columns, answer y_BPQ
Beyond = Callable[[np.ndarray, int], np.ndarray]  # positions, some past the end of n; all within


def repeated(at: np.ndarray, n: int) -> np.ndarray:
    """The last pixel, repeated."""
    return at.clip(0, n - 1)


def mirrored(at: np.ndarray, n: int) -> np.ndarray:
    """Reflected at the last pixel's centre, and at the first's where the plane is that small."""
    if n == 1:
        return np.zeros_like(at)
    folded = at % (2 * (n - 1))
    return np.minimum(folded, 2 * (n - 1) - folded)


@dataclass(frozen=True)
class PlaneTiles:
    """How a plane network is moved over a plane."""

    tile: tuple[int, int] = (512, 512)  # (p, q), at most
    halo: int = 16  # pixels of a tile's inner edges that are thrown away
    blend: int = 8  # pixels beside them over which neighbours are crossfaded
    align: int = 1  # sizes the network takes are multiples of it
    batch: int = 16  # planes at a time, at most
    scale: tuple[int, int] = (1, 1)  # pixels that come out for one that went in
    neighbours: int = 0  # planes to either side that are channels too; the last one is repeated
    beyond: Beyond = (
        repeated  # what a network sees past the far edge, up to a multiple of ``align``
    )

    def __post_init__(self) -> None:
        if any(side % self.align for side in self.tile):
            raise ValueError(f"tile {self.tile} is no multiple of {self.align}")


def both(
    net: nn.Module,
    units: Sequence[np.ndarray],
    tiles: PlaneTiles,
    *,
    run: Run | None = None,
) -> np.ndarray:
    """The mean of the coronal and the sagittal answer, float32 [Z', Y, X]."""
    if tiles.scale[1] != 1:
        raise ValueError(f"views that grow in-plane cannot be averaged, found {tiles.scale}")
    volume = 4 * prod(units[0].shape) * tiles.scale[0]
    out_ZYX = view(net, units, tiles, CORONAL, run=run, reserved=volume)  # equal tiles in both
    out_ZYX += view(net, units, tiles, SAGITTAL, run=run)
    out_ZYX /= 2
    return out_ZYX


def view(
    net: nn.Module,
    units: Sequence[np.ndarray],
    tiles: PlaneTiles,
    across: int,
    *,
    run: Run | None = None,
    reserved: int = 0,
) -> np.ndarray:
    """Every plane of one view through ``net``, float32 [Z, Y, X], finer by ``tiles.scale``.

    net        x_BCPQ to y_B1PQ
    units      the network's channels, each a scan [Z, Y, X] as the network sees it
    across     AXIAL, CORONAL or SAGITTAL
    reserved   bytes of volumes that the caller will make, which tiles must leave room for
    """
    n, *plane = np.moveaxis(units[0], across, 0).shape
    shape = [side * s for side, s in zip(plane, tiles.scale)]
    shape.insert(across, n)
    out_ZYX = np.zeros(shape, np.float32)
    out_NPQ = np.moveaxis(out_ZYX, across, 0)

    def take(some: slice, columns: slice, y_BPQ: np.ndarray) -> None:
        out_NPQ[some] = y_BPQ

    each(net, units, tiles, across, take, run=run, reserved=reserved + out_ZYX.nbytes)
    return out_ZYX


def refuse_small_cap(
    net: nn.Module, tiles: PlaneTiles, planes_NPQ: tuple[int, int, int], run: Run
) -> None:
    """MemoryError where not even the smallest tile of the network fits under the cap of ``run``.

    planes_NPQ   how many planes there are, and their size
    """
    device = choose(run)
    if run.max_memory_gib is not None and device.type == "cpu":
        reserved = 4 * prod(planes_NPQ)  # the view's answer
        memory.tile_and_batch(net.eval(), (), tiles, planes_NPQ[1:], run, device, reserved)


def each(
    net: nn.Module,
    units: Sequence[np.ndarray],
    tiles: PlaneTiles,
    across: int,
    take: Take,
    *,
    columns: Sequence[slice] | None = None,
    run: Run | None = None,
    reserved: int = 0,
) -> None:
    """Every plane of one view through ``net``, handed over batch by batch, in any order.

    On a CPU batches go through the network side by side, on one thread each (``side_by_side``).

    take      called with the numbers of planes, their columns and the answer y_BPQ there, each
              plane once, by any thread
    columns   of each plane those (q) that are wanted, perhaps none; None: all. Beside them
              ``tiles.halo`` pixels are seen, so that where the halo is the network's reach the
              answer is that of whole planes, to rounding
    """
    run = run or Run()
    device = choose(run)
    net = net.to(device).eval()
    planes = [np.moveaxis(unit_ZYX, across, 0) for unit_ZYX in units]
    n, *plane = planes[0].shape
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    channels = len(units) * (2 * tiles.neighbours + 1)
    tile, at_a_time = memory.tile_and_batch(
        net, (), tiles, (plane[0], plane[1]), run, device, reserved, channels, threads
    )
    threads = min(threads, at_a_time)
    batch = at_a_time // threads
    parts = [slice(first, min(first + batch, n)) for first in range(0, n, batch)]

    def work(some: slice) -> None:
        wanted = slice(0, plane[1]) if columns is None else _union(columns[some])
        if wanted.stop > wanted.start:
            take(some, *_answer(net, planes, some, wanted, tile, tiles, device))

    with (
        Progress(n, TITLES[across], "plane", shown=run.progress) as progress,
        closing(side_by_side.each(work, parts, threads)) as done,
    ):
        for some in done:
            progress.advance(some.stop - some.start)
    heap.give_back()  # the caller's volumes need the room


def _answer(
    net: nn.Module,
    planes: Sequence[np.ndarray],
    some: slice,
    wanted: slice,
    tile: Sequence[int],
    tiles: PlaneTiles,
    device: torch.device,
) -> tuple[slice, np.ndarray]:
    """The wanted columns of some planes, counted in finer planes, and the answer y_BPQ there."""
    n, _, side = planes[0].shape
    seen = _with_halo(wanted, side, tiles)
    cut = [plane_NPQ[..., seen] for plane_NPQ in planes]
    channels = [(part, at) for part in cut for at in _beside(some, n, tiles)]
    y_BPQ = _planes(net, channels, tile, tiles, device)
    first, q = wanted.start - seen.start, tiles.scale[1]
    inside = slice(q * first, q * (first + wanted.stop - wanted.start))
    return slice(q * wanted.start, q * wanted.stop), y_BPQ[..., inside]


def _union(columns: Sequence[slice]) -> slice:
    """The columns that some plane wants, from the first to the last."""
    some = [each for each in columns if each.stop > each.start]
    if not some:
        return slice(0, 0)
    return slice(min(each.start for each in some), max(each.stop for each in some))


def _with_halo(wanted: slice, side: int, tiles: PlaneTiles) -> slice:
    """Columns with the halo on both sides; ends within the plane lie at multiples of ``align``."""
    start = max(wanted.start - tiles.halo, 0) // tiles.align * tiles.align
    return slice(start, min(tiling.rounded_up(wanted.stop + tiles.halo, tiles.align), side))


def _planes(
    net: nn.Module,
    channels: Sequence[tuple[np.ndarray, np.ndarray]],
    tile: Sequence[int],
    tiles: PlaneTiles,
    device: torch.device,
) -> np.ndarray:
    """One batch of planes through the network, tile by tile, float32 [B, P, Q]."""
    plane_NPQ, numbers = channels[0]
    sides = plane_NPQ.shape[1:]
    axes = _axes(sides, tile, tiles)
    out_BPQ = np.zeros((len(numbers), *(s * n for s, n in zip(tiles.scale, sides))), np.float32)
    for place in product(range(len(axes[0].starts)), range(len(axes[1].starts))):
        _run_tile(net, channels, out_BPQ, axes, place, tiles, device)
    return out_BPQ


def _axes(plane: Sequence[int], tile: Sequence[int], tiles: PlaneTiles) -> list[tiling.Axis]:
    """Where tiles of this size lie along a plane's axes."""
    return [
        tiling.axis(
            tiling.rounded_up(side, tiles.align),
            length,
            tiles.halo,
            tiles.blend,
            tiles.align,
            tiling.crossfade,
        )
        for side, length in zip(plane, tile)
    ]


def _beside(some: slice, n: int, tiles: PlaneTiles) -> list[np.ndarray]:
    """The numbers of these planes, and of those so far to either side of each."""
    at = np.arange(some.start, some.stop)
    aside = range(-tiles.neighbours, tiles.neighbours + 1)
    return [(at + k).clip(0, n - 1) for k in aside]


def _run_tile(
    net: nn.Module,
    channels: Sequence[tuple[np.ndarray, np.ndarray]],
    out_BPQ: np.ndarray,
    axes: Sequence[tiling.Axis],
    place: tuple[int, int],
    tiles: PlaneTiles,
    device: torch.device,
) -> None:
    """One tile of a batch of planes: cut, through the network, added by its share.

    channels   of each the planes of a whole view, and the numbers of those that are its batch
    """
    starts = [int(axis.starts[i]) for axis, i in zip(axes, place)]
    sides, scale = channels[0][0].shape[1:], tiles.scale
    p, q = (
        tiles.beyond(start + np.arange(axis.length), side)
        for start, axis, side in zip(starts, axes, sides)
    )
    x_BCPQ = np.empty((len(out_BPQ), len(channels), len(p), len(q)), np.float32)
    for c, (plane_NPQ, at) in enumerate(channels):
        for b, k in enumerate(at):
            x_BCPQ[b, c] = plane_NPQ[k].take(p, axis=0).take(q, axis=1)
    y_B1PQ = net(torch.from_numpy(x_BCPQ).to(device)).float().cpu().numpy()
    wanted = (len(x_BCPQ), 1, *(axis.length * s for axis, s in zip(axes, scale)))
    if y_B1PQ.shape != wanted:
        raise ValueError(f"the network gave {y_B1PQ.shape}, expected {wanted}")
    # A coarse pixel's share is that of all the finer ones it becomes.
    shares = [np.repeat(axis.shares[i], s) for axis, i, s in zip(axes, place, scale)]
    inside = [min(axis.length, side - start) for axis, side, start in zip(axes, sides, starts)]
    have = [s * size for s, size in zip(scale, inside)]
    here = tuple(slice(s * start, s * start + size) for s, start, size in zip(scale, starts, have))
    weight_PQ = (shares[0][: have[0], None] * shares[1][: have[1]]).astype(np.float32)
    out_BPQ[(slice(None), *here)] += y_B1PQ[:, 0, : have[0], : have[1]] * weight_PQ
