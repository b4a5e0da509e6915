"""I3Net on scans: when thick slices are kept, what the authors' weights give, tiles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support import authors_names
from thinslice.inference import memory
from thinslice.inference.cubes import CubeTiles
from thinslice.interfaces import Pair, Run
from thinslice.methods import i3net
from thinslice.nets.i3net import I3Net, Sizes
from thinslice.nets.i3net_authors import from_authors
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
THIN = Grid(31, 1.0, 1.0, (20, 24), (0.7, 0.7))
SPARSE = THIN.with_slices(n=7, increment_mm=5.0, thickness_mm=1.0, start_mm=0.0)
ACQUIRED = replace(SPARSE, thickness_mm=5.0)
BETWEEN = replace(SPARSE, start_mm=0.5, n=6)


def scan(grid: Grid) -> Volume:
    rng = np.random.default_rng(0)
    return Volume(rng.uniform(-500, 500, grid.zyx).astype(np.float32), grid)


def pair(thick: Grid, case: str = "a") -> Pair:
    return Pair(case, scan(thick), scan(THIN))


@pytest.mark.parametrize(
    ("grid", "kept"), [(SPARSE, True), (ACQUIRED, False), (BETWEEN, False)], ids=str
)
def test_thick_slices_that_are_thin_slices_are_kept_and_others_restored(grid, kept, tmp_path):
    assert i3net.observed(pair(grid)) == kept
    method = i3net.build(**i3net.TINY)
    method.fit([pair(grid)], [], work=tmp_path, run=RUN)
    thick = scan(SPARSE)
    restored = method.restore(thick, THIN, run=RUN).voxels
    assert np.allclose(restored[::5], thick.voxels, atol=1e-3) == kept


def test_one_pair_of_the_other_kind_and_none_are_kept(tmp_path):
    method = i3net.build(**i3net.TINY)
    method.fit([pair(SPARSE), pair(ACQUIRED, "b")], [], work=tmp_path, run=RUN)
    assert method.shape == {"factor": 5, "keep": False}


@pytest.mark.parametrize("keep", [True, False])
def test_the_setting_decides_where_it_is_given(keep, tmp_path):
    grid = ACQUIRED if keep else SPARSE
    method = i3net.build(**i3net.TINY, keep_observed=keep)
    method.fit([pair(grid)], [], work=tmp_path, run=RUN)
    assert method.shape == {"factor": 5, "keep": keep}


def test_a_weights_file_says_whether_they_are_kept(tmp_path):
    method = i3net.build(**i3net.TINY)
    method.fit([pair(ACQUIRED)], [], work=tmp_path / "work", run=RUN)
    method.save(tmp_path / "weights", {})
    loaded = i3net.build(**i3net.TINY)
    loaded.load(tmp_path / "weights")
    assert loaded.shape == {"factor": 5, "keep": False}
    with pytest.raises(ValueError, match="keep"):
        i3net.build(**i3net.TINY, keep_observed=True).load(tmp_path / "weights")


@torch.inference_mode()
def test_the_authors_weights_restore_a_scan_as_their_network_does():
    """One slab, less than a tile: continued by its edge, cut to the window."""
    net = I3Net(Sizes(channels=8, factor=5)).eval()
    theirs = authors_names.made_up(net, authors_names.i3net(16), from_authors, gain=0.7)
    method = i3net.build(channels=8)
    method.use(theirs, factor=5)
    grid = replace(SPARSE, n=4)
    restored = method.restore(scan(grid), replace(THIN, n=16), run=RUN).voxels
    net.load_state_dict(from_authors(theirs))
    unit = (scan(grid).voxels + 1024) / 4095
    want = net(torch.from_numpy(unit)[None, None])[0, 0].clip(0, 1).numpy() * 4095 - 1024
    np.testing.assert_allclose(restored, want, atol=4095 * 1e-4)


def test_tiles_do_not_shrink_below_what_the_network_is_built_for():
    """A smaller tile would be continued to that size again, and cost as much."""
    net = I3Net(Sizes(size=64, channels=4, blocks=2, windows=8, factor=2))
    tiles = CubeTiles(4, 2, tile=(64, 64), halo=4, blend=4, align=8)
    plane, device, run = (64, 64), torch.device("cpu"), replace(RUN, max_memory_gib=64.0)
    tile, _ = memory.tile_and_batch(net, (4,), tiles, plane, run, device, 0)
    assert tile == (64, 64)
    with pytest.raises(MemoryError, match="64 x 64"):
        memory.tile_and_batch(net, (4,), tiles, plane, replace(run, max_memory_gib=0.01), device, 0)


def test_a_tile_larger_than_the_network_is_its_size():
    method = i3net.build(**{**i3net.TINY, "side": 16, "tile": 256})
    assert method.recipe.settings.tile == 16
