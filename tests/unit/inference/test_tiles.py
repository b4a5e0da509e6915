"""Moving networks over scans: tiles leave no seam, ends are covered, the cap is kept."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import interpolate

from thinslice.inference import cubes, memory, planes, tiling
from thinslice.interfaces import Run
from thinslice.operators import grids
from thinslice.runtime import device
from thinslice.volume import Grid

QUIET = Run(device="cpu", progress=False)
POLICIES = (tiling.crossfade, tiling.average, tiling.last_write)


class Between(nn.Module):
    """The slices on and between the thick ones, linearly; what a network of factor r must place."""

    def __init__(self, factor: int, trim: int = 0):
        super().__init__()
        self.factor, self.trim = factor, trim

    def forward(self, x_B1ZYX):
        depth, *plane = x_B1ZYX.shape[2:]
        size = ((depth - 1) * self.factor + 1, *plane)
        y = interpolate(x_B1ZYX, size=size, mode="trilinear", align_corners=True)
        return y[:, :, self.trim : y.shape[2] - self.trim]


class Blur(nn.Module):
    """Two in-plane convolutions of seeded taps: sees 4 pixels far."""

    def __init__(self, dims: int):
        super().__init__()
        kind = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        size, padding = ((1, 5, 5), (0, 2, 2)) if dims == 3 else ((5, 5), (2, 2))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            kept = [kind(1, 1, size, padding=padding, padding_mode="replicate") for _ in "ab"]
        self.body = nn.Sequential(*kept)

    def forward(self, x):
        return self.body(x)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("trim", "step"), [(0, 3), (0, 1), (3, 2), (3, 1)])
@pytest.mark.parametrize("n", [1, 3, 4, 9])
@pytest.mark.parametrize("ends", [0, 2])
def test_every_native_slice_of_the_scan_is_predicted_in_its_place(policy, trim, step, n, ends):
    thick = noise(n, 5, 7)
    tiles = cubes.CubeTiles(4, 5, trim, step, tile=(16, 16), halo=2, blend=2, align=4, batch=3)
    native = cubes.restore(
        Between(5, trim), thick, tiles, run=QUIET, ends=ends, share_z=policy, share_yx=policy
    )
    at = np.clip(np.arange(-ends * 5, (n - 1 + ends) * 5 + 1) / 5, 0, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    frac = (at - low)[:, None, None]
    expected = thick[low] * (1 - frac) + thick[high] * frac
    np.testing.assert_allclose(native, expected, atol=1e-6)


def test_windows_may_start_where_a_method_says_and_gaps_are_refused():
    thick = noise(7, 4, 4)
    tiles = cubes.CubeTiles(4, 5, trim=3, step=2, tile=(8, 8), halo=0, blend=0)

    def restore(*starts):
        return cubes.restore(
            Between(5, 3),
            thick,
            tiles,
            run=QUIET,
            z_starts=lambda n: [s + (n - 7) for s in starts],
            share_z=tiling.last_write,
        )

    whole = cubes.restore(Between(5, 3), thick, tiles, run=QUIET)
    np.testing.assert_allclose(restore(-2, 0, 2, 3, 5), whole, atol=1e-6)
    with pytest.raises(ValueError, match="3 native slices lie in no window"):
        restore(0, 2, 3, 5)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("align", [1, 4])
def test_cube_tiles_leave_no_seam_when_the_halo_covers_what_the_network_sees(align, batch):
    thick, net = noise(5, 50, 43), Blur(3)
    tiled = cubes.CubeTiles(2, 1, tile=(24, 20), halo=4, blend=3, align=align, batch=batch)
    whole = cubes.CubeTiles(2, 1, tile=(64, 64), halo=0, blend=0, align=align)
    difference = cubes.restore(net, thick, tiled, run=QUIET)
    difference -= cubes.restore(net, thick, whole, run=QUIET)
    assert np.abs(difference).max() < 1e-6


@pytest.mark.parametrize("align", [1, 4])
def test_plane_tiles_leave_no_seam_when_the_halo_covers_what_the_network_sees(align):
    volume, net = noise(30, 21, 43), Blur(2)
    tiled = planes.PlaneTiles(tile=(20, 24), halo=4, blend=3, align=align, batch=4)
    whole = planes.PlaneTiles(tile=(64, 64), align=align)
    difference = planes.both(net, [volume], tiled, run=QUIET)
    difference -= planes.both(net, [volume], whole, run=QUIET)
    assert np.abs(difference).max() < 1e-6


def test_planes_are_coronal_and_sagittal_and_fused_by_the_mean():
    class Slope(nn.Module):
        """Marks the column of a plane: shows which in-plane axis was its width."""

        def forward(self, x_B1ZW):
            return torch.arange(x_B1ZW.shape[-1]).expand(x_B1ZW.shape).float()

    restored = planes.both(Slope(), [noise(3, 4, 6)], planes.PlaneTiles(), run=QUIET)
    y, x = np.mgrid[:4, :6]
    np.testing.assert_allclose(restored, np.broadcast_to((x + y) / 2, (3, 4, 6)))


@pytest.mark.parametrize("across", [planes.AXIAL, planes.CORONAL, planes.SAGITTAL])
@pytest.mark.parametrize("scale", [(1, 1), (5, 1), (2, 2)])
def test_finer_planes_land_where_their_coarse_pixels_are_and_tiles_leave_no_seam(across, scale):
    class Repeat(nn.Module):
        """Every pixel becomes ``scale`` of its own; the channels are added."""

        def forward(self, x_BCPQ):
            y_B1PQ = x_BCPQ.sum(1, keepdim=True)
            return y_B1PQ.repeat_interleave(scale[0], 2).repeat_interleave(scale[1], 3)

    units = [noise(9, 11, 13), noise(9, 11, 13)]
    tiled = planes.PlaneTiles(tile=(8, 8), halo=2, blend=1, batch=3, scale=scale)
    found = planes.view(Repeat(), units, tiled, across, run=QUIET)
    plane_axes = [axis for axis in range(3) if axis != across]
    wanted = units[0] + units[1]
    for axis, by in zip(plane_axes, scale):
        wanted = wanted.repeat(by, axis)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("across", [planes.AXIAL, planes.CORONAL, planes.SAGITTAL])
def test_neighbouring_planes_are_channels_and_the_last_one_is_repeated(across):
    class Channel(nn.Module):
        """One of the channels."""

        def __init__(self, k: int):
            super().__init__()
            self.k = k

        def forward(self, x_BCPQ):
            assert x_BCPQ.shape[1] == 5
            return x_BCPQ[:, self.k : self.k + 1]

    volume = noise(9, 11, 13)
    tiles = planes.PlaneTiles(tile=(8, 8), halo=2, blend=1, batch=3, neighbours=2)
    for k in range(5):
        found = planes.view(Channel(k), [volume], tiles, across, run=QUIET)
        at = (np.arange(volume.shape[across]) + k - 2).clip(0, volume.shape[across] - 1)
        np.testing.assert_allclose(found, volume.take(at, across), atol=1e-6)


def test_views_that_grow_in_plane_are_not_averaged():
    with pytest.raises(ValueError, match="cannot be averaged"):
        planes.both(nn.Identity(), [noise(3, 4, 5)], planes.PlaneTiles(scale=(2, 2)), run=QUIET)


def test_networks_that_answer_in_another_size_are_refused():
    with pytest.raises(ValueError, match="expected"):
        cubes.restore(nn.Identity(), noise(4, 8, 8), cubes.CubeTiles(2, 5), run=QUIET)
    with pytest.raises(ValueError, match="expected"):
        planes.both(nn.AvgPool2d(2), [noise(4, 8, 8)], planes.PlaneTiles(), run=QUIET)
    with pytest.raises(ValueError, match="leave gaps"):
        cubes.CubeTiles(4, 5, trim=3, step=3)


def test_native_slices_lie_where_the_grid_says():
    thick = Grid(4, 5.0, 5.0, (8, 8), (1.0, 1.0), start_mm=2.0)
    target = thick.with_slices(n=20, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    ends = grids.ends_for(thick, target)
    native = grids.native_grid(thick, 5, ends)
    assert ends == 1
    np.testing.assert_allclose(native.centres_mm()[[0, 5, -1]], [-3.0, 2.0, 22.0])
    assert grids.ends_for(thick, thick) == 0
    assert len(native.centres_mm()) == (4 - 1 + 2) * 5 + 1


@settings(max_examples=60, deadline=None)
@given(side=st.integers(3, 40), batch=st.integers(1, 9), cost=st.floats(1, 1e4))
def test_tile_and_batch_keep_under_the_cap_or_are_refused(side, batch, cost):
    room, wanted, least, align = 1e6, (side * 8, 128), (24, 24), (8, 8)
    if 24 * 24 * cost * memory.MARGIN > room:
        with pytest.raises(MemoryError, match="memory cap"):
            memory.fit(cost, wanted, batch, room, least, align)
        return
    tile, n = memory.fit(cost, wanted, batch, room, least, align)
    assert n * tile[0] * tile[1] * cost * memory.MARGIN <= room
    assert 1 <= n <= batch
    assert all(t % 8 == 0 and 24 <= t <= w for t, w in zip(tile, wanted))
    if tile != wanted:  # the next larger tile would not have fitted
        assert n == 1


def test_a_smaller_cap_changes_the_tiles_and_not_the_answer(monkeypatch, caplog):
    volume, net = noise(3, 96, 96), Blur(3)
    tiles = cubes.CubeTiles(2, 1, tile=(96, 96), halo=4, blend=4, align=8, batch=4)
    free = cubes.restore(net, volume, tiles, run=QUIET)
    used = memory.resident_bytes()
    monkeypatch.setattr(memory, "resident_bytes", lambda: used)
    monkeypatch.setattr(memory, "SLACK_BYTES", 0)
    run = Run(device="cpu", progress=False, max_memory_gib=(used + 300_000) / 2**30)
    with caplog.at_level(logging.WARNING):
        capped = cubes.restore(net, volume, tiles, run=run)
    assert "shrink" in caplog.text
    np.testing.assert_allclose(capped, free, atol=1e-6)


@pytest.mark.parametrize("scale", [(1, 1), (3, 1)])
def test_both_views_leave_equal_room_and_no_more_than_there_will_be(monkeypatch, scale):
    kept = []

    def ask(net, slices, tiles, plane, run, device, reserved, channels, threads):
        kept.append(reserved)
        return plane, 1

    monkeypatch.setattr(memory, "tile_and_batch", ask)
    net, tiles = nn.Upsample(scale_factor=scale), planes.PlaneTiles(scale=scale)
    both = planes.both(net, [noise(3, 4, 6)], tiles, run=QUIET)
    assert kept == [2 * both.nbytes, both.nbytes]  # by then the first view is held already


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_mirrored_positions_are_those_of_a_plane_that_was_padded(n):
    padded = np.pad(np.arange(n), (0, 9), mode="reflect")
    np.testing.assert_array_equal(planes.mirrored(np.arange(n + 9), n), padded)


def test_a_device_that_is_not_there_is_refused_and_threads_are_put_back():
    with pytest.raises(RuntimeError, match="cuda:99"):
        device.choose(Run(device="cuda:99"))
    before = torch.get_num_threads()
    with device.job(Run(device="cpu", threads=before + 1)) as run:
        assert run.device == "cpu"
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
