"""Training crops: the truth lies where the network is told it lies, for any phase and ratio."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from thinslice.interfaces import Pair
from thinslice.operators.interpolation import resample_z_array
from thinslice.training.samplers import crops
from thinslice.training.samplers.cubes import Cubes, CubeShape
from thinslice.training.samplers.planes import Planes
from thinslice.volume import Grid, Volume

CT = (0.0, 4000.0)  # a window in which nothing is clipped: unit * 4000 is the value
SLOPE = 10.0
rng = np.random.default_rng


class Lazy:
    """A scan that remembers what was read of it."""

    def __init__(self, volume: Volume):
        self.volume, self.grid, self.modality = volume, volume.grid, volume.modality
        self.padding, self.padded, self.second = volume.padding, volume.padded, volume.second
        self.seen: list[tuple[slice, slice, slice]] = []

    def read(self, z=slice(None), y=slice(None), x=slice(None)) -> np.ndarray:
        self.seen.append((z, y, x))
        return self.volume.read(z, y, x)


def ramp(n, increment_mm, start_mm, shape=(12, 10)) -> Volume:
    """Every voxel says where its slice is: 10 per mm."""
    grid = Grid(n, increment_mm, increment_mm, shape, (0.7, 0.7), start_mm)
    values = np.broadcast_to(SLOPE * grid.centres_mm()[:, None, None], grid.zyx)
    return Volume(values.astype(np.float32), grid)


def noise(volume: Volume, seed: int = 0) -> Volume:
    values = np.random.default_rng(seed).uniform(0, CT[1], volume.voxels.shape)
    return volume.with_voxels(values)


def pair_of(thick: Volume, thin: Volume) -> Pair:
    return Pair("a", thick, thin)


@settings(max_examples=80, deadline=None)
@given(
    thick_mm=st.floats(1.5, 7),
    thin_mm=st.floats(0.4, 1.4),
    phase_mm=st.floats(-4, 4),
    depth=st.integers(1, 4),
    factor=st.integers(1, 5),
    trim=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_the_truth_of_a_cube_is_at_its_native_positions(
    thick_mm, thin_mm, phase_mm, depth, factor, trim, seed
):
    assume((depth - 1) * factor + 1 > 2 * trim)
    thick = ramp(8, thick_mm, 40.0)
    thin = ramp(int(9 * thick_mm / thin_mm), thin_mm, 40.0 + phase_mm)
    shape = CubeShape(depth, factor, (6, 5), trim)
    try:
        cubes = Cubes([pair_of(thick, thin)], shape, 3, CT)
    except ValueError as error:
        assert "no cube" in str(error)  # noqa: PT017
        return
    x, y = (t[:, 0, :, 0, 0].double().numpy() * CT[1] / SLOPE for t in cubes(rng(seed)))
    assert x.shape == (3, depth)
    assert y.shape == (3, (depth - 1) * factor + 1 - 2 * trim)
    here_mm = x[:, :1] + thick_mm * (trim + np.arange(shape.out)) / factor
    first, last = thin.grid.centres_mm()[[0, -1]]
    assert (here_mm >= first - 2 * crops.SAME_MM).all()
    assert (here_mm <= last + 2 * crops.SAME_MM).all()
    # A mirrored spline bends a ramp at the scan's very ends; elsewhere the answer is exact.
    inner = np.minimum(here_mm - first, last - here_mm) > crops.MARGIN * thin_mm
    assert np.abs(y - here_mm)[inner].max(initial=0) < 0.005
    assert np.abs(y - here_mm).max() < 0.5 * thin_mm


@pytest.mark.parametrize("phase_slices", [0, 2, -3])
def test_thin_slices_that_lie_there_are_taken_as_they_are(phase_slices):
    thick = noise(ramp(6, 5.0, 20.0))
    thin = Lazy(noise(ramp(40, 1.0, 20.0 + phase_slices), 1))
    shape = CubeShape(3, 5, (12, 10))
    cubes = Cubes([Pair("a", thick, thin)], shape, 1, CT, flips=False)
    x, y = cubes(rng(0))
    z0 = next(k for k in range(6) if np.allclose(thick.voxels[k] / CT[1], x[0, 0, 0], atol=1e-6))
    expected = thin.volume.voxels[z0 * 5 - phase_slices :][: shape.out] / CT[1]
    np.testing.assert_allclose(y[0, 0], expected, atol=1e-6)
    assert [z.stop - z.start for z, _, _ in thin.seen] == [shape.out]


def test_only_the_block_needed_is_read():
    thick, thin = Lazy(ramp(60, 2.5, 0.0)), Lazy(ramp(160, 0.9, 3.0))
    Cubes([Pair("a", thick, thin)], CubeShape(3, 2, (4, 4)), 4, CT)(rng(0))
    Planes([Pair("a", thick, thin)], (16, 4), 4, CT)(rng(0))
    sizes = [
        [len(range(n)[s]) for s, n in zip(block, scan.grid.zyx)]
        for scan in (thick, thin)
        for block in scan.seen
    ]
    assert len(sizes) == 16
    assert max(z for z, _, _ in sizes) <= 16 + 2 * crops.MARGIN + 2
    assert all(max(y, x) <= 4 for _, y, x in sizes)


def test_a_plane_crop_is_the_interpolated_scan_beside_the_thin_one():
    thick, thin = noise(ramp(40, 2.3, 10.0)), noise(ramp(90, 0.9, 12.0), 1)
    whole = resample_z_array(thick.voxels, thick.grid.centres_mm(), thin.grid.centres_mm(), "cubic")
    x_B1ZW, y_B1ZW = Planes([pair_of(thick, thin)], (20, 6), 6, CT, flips=False)(rng(1))
    for b in range(6):
        found = 0
        for volume, crop in ((whole, x_B1ZW[b, 0]), (thin.voxels, y_B1ZW[b, 0])):
            planes = np.moveaxis(volume.clip(*CT) / CT[1], 1 + b % 2, 0)
            views = np.lib.stride_tricks.sliding_window_view(planes, (20, 6), (1, 2))
            where = np.argwhere(np.abs(views - crop.numpy()).max((-1, -2)) < 2e-3)
            assert len(where) == 1
            found = where[0].tolist() if not found else found
            assert where[0].tolist() == found


@pytest.mark.parametrize("view", ["coronal", "sagittal"])
@pytest.mark.parametrize("flips", [False, True])
def test_neighbours_are_the_planes_beside_the_one_to_be_answered(view, flips):
    scan = noise(ramp(24, 1.0, 0.0))
    axis = {"coronal": 1, "sagittal": 2}[view]
    n = scan.voxels.shape[axis]
    whole = np.moveaxis(scan.voxels.clip(*CT) / CT[1], axis, 0)
    draw = Planes([pair_of(scan, scan)], None, 40, CT, flips=flips, views=[view], neighbours=2)
    seen = set()
    for x_CZW, y_1ZW in zip(*(part.numpy() for part in draw(rng(0)))):
        turned = whole if np.abs(whole - y_1ZW).max((1, 2)).min() < 1e-3 else whole[:, :, ::-1]
        k = int(np.abs(turned - y_1ZW).max((1, 2)).argmin())
        np.testing.assert_allclose(x_CZW, turned[np.arange(k - 2, k + 3).clip(0, n - 1)], atol=2e-3)
        seen.add(k)
    assert {0, n - 1} <= seen


@pytest.mark.parametrize("kind", ["cubes", "planes"])
def test_flips_turn_question_and_answer_alike(kind):
    volume = ramp(30, 1.0, 0.0)
    volume = volume.with_voxels(volume.voxels + 50.0 * np.arange(10))
    pair = pair_of(volume, volume)
    if kind == "cubes":
        x, y = Cubes([pair], CubeShape(4, 1, (6, 6)), 32, CT)(rng(0))
    else:
        x, y = Planes([pair], (6, 6), 32, CT)(rng(0))
    np.testing.assert_allclose(x, y, atol=1e-6)
    slopes = torch.sign((x[..., -1] - x[..., 0]).mean((1, 2, 3) if kind == "cubes" else (1, 2)))
    assert {-1.0, 1.0} <= set(slopes.tolist())


def test_a_scan_smaller_than_a_crop_is_mirrored_out():
    small = noise(ramp(5, 1.0, 0.0, (3, 4)))
    x, y = Planes([pair_of(small, small)], (8, 9), 4, CT)(rng(0))
    assert x.shape == y.shape == (4, 1, 8, 9)
    np.testing.assert_allclose(y[:, 0, 5], y[:, 0, 4])
    x, y = Cubes([pair_of(small, small)], CubeShape(3, 1, (8, 9)), 4, CT, flips=False)(rng(0))
    np.testing.assert_allclose(y[:, 0, :, 3:6], y[:, 0, :, :3].flip(2))


def test_scans_whose_frames_differ_along_z_are_matched_and_aside_refused():
    thick, thin = ramp(8, 5.0, 20.0), ramp(40, 1.0, 20.0)
    moved = replace(thin.grid, origin_mm=(0.0, 0.0, 20.0), start_mm=0.0)
    shape = CubeShape(2, 5, (12, 10))
    x, y = Cubes([pair_of(thick, thin)], shape, 2, CT)(rng(3))
    u, v = Cubes([pair_of(thick, thin.with_voxels(thin.voxels, moved))], shape, 2, CT)(rng(3))
    assert torch.equal(x, u)
    assert torch.equal(y, v)
    for wrong in ({"origin_mm": (1.0, 0.0, 0.0)}, {"pixel_mm": (0.7, 0.71)}):
        other = thin.with_voxels(thin.voxels, replace(thin.grid, **wrong))
        with pytest.raises(ValueError, match=r"^a: "):
            Planes([pair_of(thick, other)], (4, 4), 1, CT)


def test_the_data_key_follows_the_data():
    a, b = ramp(4, 5.0, 0.0), ramp(20, 1.0, 0.0)
    pair = Pair("a", a, b)
    key = crops.data_key([pair], [])
    assert key == crops.data_key([Pair("a", Lazy(a), Lazy(b))], [])
    others = [
        ([], [pair]),
        ([pair._replace(case="b")], []),
        ([Pair("a", noise(a), b)], []),
        ([Pair("a", a, ramp(20, 1.0, 0.5))], []),
    ]
    keys = {crops.data_key(*groups) for groups in others}
    assert len(keys) == len(others)
    assert key not in keys


@pytest.mark.parametrize(("share", "flipped"), [(0.0, 0), (1.0, 8)])
def test_as_many_cubes_are_flipped_as_the_authors_flip(share, flipped):
    thick = noise(ramp(3, 2.0, 0.0))
    pair = pair_of(thick, noise(ramp(5, 1.0, 0.0), seed=1))
    cubes = Cubes([pair], CubeShape(3, 2, (12, 10)), 8, CT, flip_share=share)
    as_stored = torch.from_numpy(thick.voxels / CT[1])
    x, _ = cubes(rng(0))
    assert sum(torch.allclose(cube, as_stored.flip(2)) for cube in x[:, 0]) == flipped
    assert sum(torch.allclose(cube, as_stored) for cube in x[:, 0]) == 8 - flipped
