"""How much memory a tile takes, and how many tiles of which size fit under a cap.

The cost of a network is measured: one small tile is run and the bytes of all tensors alive at once
are counted. More tiles at a time come first, larger tiles second: the batch does not change what
is computed, the tile may (by what a network sees beyond its halo), so it shrinks only when a
single one does not fit.
"""

import logging
import resource
import sys
import weakref
from math import prod
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from thinslice.inference import tiling
from thinslice.interfaces import Run

LOG = logging.getLogger(__name__)
MARGIN = 1.5  # for what libraries allocate behind torch's back
SLACK_BYTES = 48 * 2**20  # what a process grows by, whatever the tile
GPU_SHARE = 0.8  # of the free memory, where no cap is set


class _Alive(TorchDispatchMode):
    """Counts the bytes of tensors made inside it while they live."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: dict[int, weakref.ref] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        known = {t.untyped_storage().data_ptr() for t in tree_leaves(args) if isinstance(t, Tensor)}
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._add(tensor.untyped_storage(), known)
        return out

    def _add(self, storage: torch.UntypedStorage, known: set[int]) -> None:
        place, size = storage.data_ptr(), storage.nbytes()
        if place in known or place in self._seen:
            return

        def gone(_: Any) -> None:
            self.now -= size
            self._seen.pop(place, None)

        self._seen[place] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)


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
    reserved   bytes of whole volumes that will be held on the CPU besides
    channels   of the network's input
    """
    whole = [tiling.rounded_up(side, tiles.align) for side in plane]
    tile = tuple(min(want, have) for want, have in zip(tiles.tile, whole))
    if run.max_memory_gib is None and device.type == "cpu":
        return tile, tiles.batch
    smallest = tiling.rounded_up(2 * tiles.halo + tiles.blend, tiles.align) + tiles.align
    least = tuple(min(smallest, side) for side in tile)
    # Measured before the room is: what a first run leaves behind is then counted as taken.
    probe = torch.zeros(1, channels, *slices, *least, device=device)
    per_pixel = peak_bytes(net, probe) / prod(least)
    room = room_bytes(run, device, reserved)
    return fit(per_pixel, tile, tiles.batch, room, least, (tiles.align, tiles.align))


def peak_bytes(net: nn.Module, x: Tensor) -> int:
    """Most bytes alive at once while ``net(x)`` runs, beyond its weights; input included."""
    with torch.no_grad(), _Alive() as alive:
        net(x)
    return alive.peak + x.nbytes


def room_bytes(run: Run, device: torch.device, reserved: int) -> float:
    """Bytes that tiles may take on ``device``, beside ``reserved`` on the CPU."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        if run.max_memory_gib is None:
            return GPU_SHARE * free
        return min(free, run.max_memory_gib * 2**30 - torch.cuda.memory_allocated(device))
    cap = float("inf") if run.max_memory_gib is None else run.max_memory_gib * 2**30
    return cap - resident_bytes() - reserved - SLACK_BYTES


def resident_bytes() -> int:
    """Memory this process holds now."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


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
            need, have = prod(tile) * bytes_per_voxel * MARGIN / 2**30, room / 2**30
            raise MemoryError(
                f"the smallest tile, {tile}, needs {need:.2f} GiB; {have:.2f} GiB are left "
                "under the cap: raise max_memory_gib"
            )
        side = max(tile[longest] - align[longest], least[longest])
        tile = (*tile[:longest], side, *tile[longest + 1 :])
    if tile != wanted:
        LOG.warning("tiles shrink from %s to %s to stay under the memory cap", wanted, tile)
    return tile, max(1, int(min(batch, room / (prod(tile) * bytes_per_voxel * MARGIN))))
