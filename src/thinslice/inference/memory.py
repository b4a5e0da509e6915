"""Choose the size and number of tiles that fit under a memory cap.

The cost of a network is measured by running one small tile. The batch shrinks first and the tile
second: the batch does not change what is computed, the tile may (by what a network sees beyond its
halo), so it shrinks only where a single one does not fit.
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
) -> tuple[tuple[int, ...], int]:
    """Tile and batch for planes of this size under the memory cap of ``run``.

    slices     sizes of a tile's axes before its two in-plane ones
    reserved   bytes of whole volumes that will be in CPU memory besides
    channels   of the network's input
    """
    whole = [tiling.rounded_up(side, tiles.align) for side in plane]
    tile = tuple(min(want, have) for want, have in zip(tiles.tile, whole))
    if run.max_memory_gib is None and device.type == "cpu":
        return tile, tiles.batch
    smallest = tiling.rounded_up(2 * tiles.halo + tiles.blend, tiles.align) + tiles.align
    smallest = max(smallest, getattr(net, "least_side", 0))  # of a network built for one size
    least = tuple(min(smallest, side) for side in tile)
    # Measured before the room is: what a first run leaves behind is then counted as taken.
    probe = torch.zeros(1, channels, *slices, *least, device=device)
    per_pixel = peak_bytes(net, probe) / prod(least)
    room = room_bytes(run, device, reserved)
    return fit(per_pixel, tile, tiles.batch, room, least, (tiles.align, tiles.align))


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
    return tile, max(1, int(min(batch, room / (prod(tile) * bytes_per_voxel * MARGIN))))
