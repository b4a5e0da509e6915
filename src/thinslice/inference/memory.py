"""Choose the size and number of tiles that fit under a memory cap.

The cost of a network is measured by running one small tile. The batch shrinks first and the tile
second: the batch does not change what is computed, the tile may (by what a network sees beyond its
halo), so it shrinks only where a single one does not fit. Where more than one tile is needed, all
are as small as their number allows.

On a CPU a batch is small: beyond a few planes it gains no time, and its memory has to be mapped.
"""

import logging
from math import prod
from typing import Protocol

import torch
from torch import nn

from thinslice.inference import tiling
from thinslice.inference.tensor_memory import peak_bytes
from thinslice.interfaces import Run
from thinslice.provenance.environment import resident_bytes
from thinslice.runtime import heap

LOG = logging.getLogger(__name__)
MARGIN = 1.5  # for what libraries allocate behind torch's back
SLACK_BYTES = 48 * 2**20  # what a process grows by, whatever the tile
GPU_SHARE = 0.8  # of the free memory, where no cap is set
CPU_BATCH = 4  # tiles through a network at a time, per thread, at most
CPU_PIXELS = 1 << 16  # of those tiles together; a single one may have more


class Tiles(Protocol):
    """How a network is moved over a plane; ``CubeTiles`` and ``PlaneTiles``."""

    @property
    def tile(self) -> tuple[int, int]: ...
    @property
    def halo(self) -> int: ...
    @property
    def blend(self) -> int: ...
    @property
    def align(self) -> int: ...
    @property
    def batch(self) -> int: ...


def tile_and_batch(
    net: nn.Module,
    slices: tuple[int, ...],
    tiles: Tiles,
    plane: tuple[int, int],
    run: Run,
    device: torch.device,
    reserved: int,
    channels: int = 1,
    threads: int = 1,
) -> tuple[tuple[int, ...], int]:
    """Tile and batch for planes of this size under the memory cap of ``run``.

    slices     sizes of a tile's axes before its two in-plane ones
    reserved   bytes of whole volumes that will be in CPU memory besides
    channels   of the network's input
    threads    that each run a batch of their own; the batch returned is that of all together

    A network with ``sees_whole_tile`` keeps the tile asked for where there is room: its answer
    depends on it. One with ``least_side`` gets none smaller.
    """
    whole = [tiling.rounded_up(side, tiles.align) for side in plane]
    tile = tuple(min(want, have) for want, have in zip(tiles.tile, whole))
    per_pixel, room, align = 0.0, float("inf"), (tiles.align, tiles.align)
    if run.max_memory_gib is not None or device.type != "cpu":
        least = _smallest(net, tiles, tile)
        # Measured before the room is: what a first run leaves behind is then counted as taken.
        probe = torch.zeros(1, channels, *slices, *least, device=device)
        per_pixel = peak_bytes(net, probe) / prod(least)
        room = room_bytes(run, device, reserved)
        tile, _ = fit(per_pixel, tile, 1, room, least, align)
    if not getattr(net, "sees_whole_tile", False):
        tile = tuple(
            tiling.equal_length(
                n, side, tiles.halo, tiles.blend, tiles.align, getattr(net, "least_side", 0)
            )
            for n, side in zip(whole, tile)
        )
    batch = threads * (cpu_batch(tiles.batch, tile) if device.type == "cpu" else tiles.batch)
    return fit(per_pixel, tile, batch, room, tile, align)


def cpu_batch(most: int, tile: tuple[int, ...]) -> int:
    """Tiles that a thread of a CPU takes at a time, ``most`` of them at most."""
    return max(1, min(most, CPU_BATCH, CPU_PIXELS // prod(tile)))


def _smallest(net: nn.Module, tiles: Tiles, tile: tuple[int, ...]) -> tuple[int, ...]:
    """The smallest tile that has room between its halos."""
    smallest = tiling.rounded_up(2 * tiles.halo + tiles.blend, tiles.align) + tiles.align
    smallest = max(smallest, getattr(net, "least_side", 0))  # of a network built for one size
    return tuple(min(smallest, side) for side in tile)


def room_bytes(run: Run, device: torch.device, reserved: int) -> float:
    """Bytes that tiles may take on ``device``, beside ``reserved`` on the CPU."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if run.max_memory_gib is None:
            return GPU_SHARE * free
        return min(free, run.max_memory_gib * 2**30 - torch.cuda.memory_allocated(device))
    cap = float("inf") if run.max_memory_gib is None else run.max_memory_gib * 2**30
    heap.give_back()  # what is free for the next tile is no memory taken
    return cap - resident_bytes() - reserved - SLACK_BYTES


def fit(
    bytes_per_voxel: float,
    tile: tuple[int, ...],
    batch: int,
    room: float,
    least: tuple[int, ...],
    align: tuple[int, ...],
) -> tuple[tuple[int, ...], int]:
    """The largest tile (up to ``tile``), then batch (up to ``batch``), that fits into ``room``.

    MemoryError if even a tile of ``least`` does not.
    """
    wanted = tile
    while prod(tile) * bytes_per_voxel * MARGIN > room:
        longest = max(range(len(tile)), key=lambda a: (tile[a] > least[a], tile[a]))
        if tile[longest] <= least[longest]:
            need, have = (n / 2**30 for n in (prod(tile) * bytes_per_voxel * MARGIN, max(room, 0)))
            raise MemoryError(
                f"the network's smallest tile, {' x '.join(map(str, tile))}, needs {need:.2f} GiB; "
                f"{have:.2f} GiB are left below the memory cap: raise it (--max-memory)"
            )
        side = max(tile[longest] - align[longest], least[longest])
        tile = (*tile[:longest], side, *tile[longest + 1 :])
    if tile != wanted:
        LOG.warning("tiles shrink from %s to %s to stay under the memory cap", wanted, tile)
    needed = prod(tile) * bytes_per_voxel * MARGIN
    return tile, max(1, int(min(batch, room / needed))) if needed else batch
