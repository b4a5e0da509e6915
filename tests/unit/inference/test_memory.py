"""Tiles and batches: whole planes or equal tiles, few at a time on a CPU, the cap kept."""

import pytest
import torch
from torch import nn

from thinslice.inference import memory
from thinslice.inference.cubes import CubeTiles
from thinslice.interfaces import Run

CPU = torch.device("cpu")
FREE = Run(device="cpu", progress=False)


class Doubled(nn.Module):
    """Takes a tile's memory once more."""

    def forward(self, x):
        return x * 2


class Whole(Doubled):
    """Its answer would depend on the tile."""

    sees_whole_tile = True


class OfOneSize(Doubled):
    """Built for tiles of 48."""

    least_side = 48


def tile_and_batch(net, tiles, plane, run=FREE, threads=1):
    return memory.tile_and_batch(net, (2,), tiles, plane, run, CPU, 0, threads=threads)


@pytest.mark.parametrize(
    ("net", "tile"), [(Doubled(), 40), (Whole(), 48), (OfOneSize(), 48)], ids=["", "whole", "one"]
)
def test_tiles_are_as_small_as_their_number_allows(net, tile):
    tiles = CubeTiles(2, 1, tile=(48, 48), halo=4, blend=4, align=8)
    assert tile_and_batch(net, tiles, (88, 48))[0] == (tile, 48)  # three along y, one along x
    assert tile_and_batch(net, tiles, (40, 24))[0] == (40, 24)


def test_tiles_that_shrink_under_a_cap_are_equal_too_and_keep_under_it(monkeypatch):
    monkeypatch.setattr(memory, "room_bytes", lambda *_: room)
    tiles = CubeTiles(2, 1, tile=(96, 96), halo=4, blend=4, align=8)
    capped = Run(device="cpu", progress=False, max_memory_gib=1.0)
    voxel = 2 * 2 * 4 * memory.MARGIN  # two slices, in and out
    room = 80 * 80 * voxel  # but four of 56 do as well
    (rows, columns), batch = tile_and_batch(Doubled(), tiles, (96, 96), capped)
    assert (rows, columns) == (56, 56)
    assert batch * rows * columns * voxel <= room
    room = 10.0
    with pytest.raises(MemoryError, match="below the memory cap"):
        tile_and_batch(Doubled(), tiles, (96, 96), capped)


@pytest.mark.parametrize(
    ("side", "most", "batch"), [(64, 16, 4), (64, 2, 2), (160, 16, 2), (256, 16, 1), (640, 16, 1)]
)
def test_a_cpu_takes_few_large_tiles_at_a_time_and_each_thread_as_many(side, most, batch):
    tiles = CubeTiles(2, 1, tile=(side, side), batch=most)
    for threads in (1, 3):
        assert tile_and_batch(Doubled(), tiles, (side, side), threads=threads)[1] == batch * threads
