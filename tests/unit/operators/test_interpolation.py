"""Interpolation along z and in-plane: positions kept, samples returned, equal to scipy inside."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates
from torch.nn.functional import interpolate

from thinslice import plugins
from thinslice.operators import interpolation
from thinslice.volume import Grid, Volume

TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
RAMP_MOVES = {  # at most, in slices; cubic by what its mirrored ends send inside
    **{"nearest": 0.5 + 1e-6, "linear": 1e-9, "cubic": 1e-4, "keys": 1e-9, "keys75": 0.0482},
    **{"lanczos2": 0.0318, "lanczos3": 0.0202, "lanczos4": 0.0147},
}
every_kind = pytest.mark.parametrize("kind", interpolation.KINDS)


def noise(n: int = 12, increment_mm: float = 2.5, start_mm: float = -3.0) -> Volume:
    grid = Grid(n, increment_mm, 5.0, (5, 4), (0.8, 0.7), start_mm, (7.0, 2.0, -9.0), TILTED)
    voxels = np.random.default_rng(n).normal(0, 100, grid.zyx)
    return Volume(voxels.astype(np.float32), grid)


def finer(grid: Grid, n: int, increment_mm: float, start_mm: float) -> Grid:
    return grid.with_slices(n=n, increment_mm=increment_mm, thickness_mm=1.0, start_mm=start_mm)


@every_kind
def test_coinciding_slices_come_back(kind):
    volume = noise()
    back = interpolation.resample_z(volume, volume.grid, kind)
    assert np.abs(back.voxels - volume.voxels).max() < 1e-4
    part = interpolation.resample_z(volume, finer(volume.grid, 4, 5.0, 2.0), kind)
    assert np.abs(part.voxels - volume.voxels[2:10:2]).max() < 1e-4


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(interpolation.KINDS),
    spaced=st.floats(0.5, 6),
    at=st.lists(st.floats(0, 23), min_size=1, max_size=9),
)
def test_rows_sum_to_one_and_a_ramp_stays_a_ramp_inside(kind, spaced, at):
    from_mm = -40 + spaced * np.arange(40)
    to_mm = -40 + spaced * (8 + np.array(at))
    rows = interpolation.weights(from_mm, to_mm, kind)
    assert np.abs(rows.sum(1) - 1).max() < 1e-12
    off = RAMP_MOVES[kind] * spaced
    ramp = np.broadcast_to(from_mm[:, None, None], (40, 2, 3))
    moved = interpolation.resample_z_array(ramp, from_mm, to_mm, kind)
    assert np.abs(moved - to_mm[:, None, None]).max() <= off + 2e-5


@every_kind
def test_end_slices_are_held(kind):
    volume = noise()
    around = finer(volume.grid, 2, 60.0, -20.0)  # before the first and after the last centre
    held = interpolation.resample_z(volume, around, kind).voxels
    assert np.abs(held - volume.voxels[[0, -1]]).max() < 1e-4


@pytest.mark.parametrize(("kind", "order"), [("linear", 1), ("cubic", 3)])
def test_equals_scipy_everywhere_within_the_scan(kind, order):
    volume = noise()
    to_mm = np.linspace(-3.0, 24.5, 37)
    ours = interpolation.resample_z_array(volume.voxels, volume.grid.centres_mm(), to_mm, kind)
    z, y, x = np.meshgrid((to_mm + 3) / 2.5, np.arange(5), np.arange(4), indexing="ij")
    # in-plane on whole pixels a spline returns its samples, so 3-D scipy is the 1-D spline here
    theirs = map_coordinates(volume.voxels.astype(float), [z, y, x], order=order, mode="mirror")
    assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize(("kind", "lobes"), [("lanczos2", 2), ("lanczos3", 3), ("lanczos4", 4)])
def test_lanczos_is_the_windowed_sinc(kind, lobes):
    from_mm, at = np.arange(20.0), 9.3
    row = interpolation.weights(from_mm, np.array([at]), kind).toarray()[0]
    u = at - from_mm
    kernel = np.where(np.abs(u) < lobes, np.sinc(u) * np.sinc(u / lobes), 0)
    assert row == pytest.approx(kernel / kernel.sum(), abs=1e-12)


@pytest.mark.parametrize(("kind", "a"), [("keys", -0.5), ("keys75", -0.75)])
def test_bicubic_is_the_cubic_of_keys_in_closed_form(kind, a):
    s = 0.3
    taps = [  # Keys 1981, equation 4, at distances 1 + s, s, 1 - s and 2 - s
        a * (s**3 - 2 * s**2 + s),
        (a + 2) * s**3 - (a + 3) * s**2 + 1,
        -(a + 2) * s**3 + (2 * a + 3) * s**2 - a * s,
        a * (s**2 - s**3),
    ]
    row = interpolation.weights(np.arange(9.0), np.array([4 + s]), kind).toarray()[0]
    assert row[3:7] == pytest.approx(taps, abs=1e-12)
    assert not row[[0, 1, 2, 7, 8]].any()


def test_of_kernels_without_a_prefilter_only_keys_keeps_parabolas():
    from_mm, to_mm = np.arange(20.0), np.linspace(2, 17, 61)
    for kind in set(interpolation.KINDS) - {"cubic"}:
        moved = interpolation.weights(from_mm, to_mm, kind) @ from_mm**2
        assert (np.abs(moved - to_mm**2).max() < 1e-9) == (kind == "keys"), kind


def test_bicubic_equals_the_tools_whose_kernels_they_are():
    """PyTorch's up to the ends; OpenCV and Pillow see beyond outermost centres, ours hold."""
    x = np.random.default_rng(0).normal(size=30).astype(np.float32)
    plane = torch.from_numpy(x).double()[None, None, :, None].expand(1, 1, 30, 6)
    theirs = interpolate(plane, size=(146, 6), mode="bicubic", align_corners=True)[0, 0, :, 0]
    rows = interpolation.weights(np.arange(30.0), np.linspace(0, 29, 146), "keys75")
    assert np.abs(rows @ x.astype(float) - theirs.numpy()).max() < 1e-12
    columns, at = np.repeat(x[:, None], 16, 1), (np.arange(120) + 0.5) / 4 - 0.5
    picture = Image.fromarray(columns)
    resized: dict[interpolation.Kind, np.ndarray] = {
        "keys": np.asarray(picture.resize((16, 120), Image.Resampling.BICUBIC)),
        "lanczos3": np.asarray(picture.resize((16, 120), Image.Resampling.LANCZOS)),
        "keys75": cv2.resize(columns, (16, 120), interpolation=cv2.INTER_CUBIC),
        "lanczos4": cv2.resize(columns, (16, 120), interpolation=cv2.INTER_LANCZOS4),
    }
    for kind, enlarged in resized.items():
        ours = interpolation.weights(np.arange(30.0), at, kind) @ x
        assert np.abs(ours - enlarged[:, 8])[16:-16].max() < 1e-6, kind


@every_kind
def test_slabs_make_no_difference_and_the_input_is_left_alone(kind):
    volume = noise()
    before, to_mm = volume.voxels.copy(), np.linspace(-3, 20, 17)
    made = [
        interpolation.resample_z_array(volume.voxels, volume.grid.centres_mm(), to_mm, kind, slab)
        for slab in (1, 2, 64)
    ]
    assert np.array_equal(made[0], made[2])
    assert np.array_equal(made[1], made[2])
    assert np.array_equal(before, volume.voxels)
    same_grid = interpolation.resample(volume, volume.grid, kind)
    assert not np.shares_memory(same_grid.voxels, volume.voxels)


@every_kind
def test_one_slice_is_everywhere(kind):
    lone = noise(n=1)
    spread = interpolation.resample_z(lone, finer(lone.grid, 3, 1.0, -4.0), kind)
    assert np.abs(spread.voxels - lone.voxels).max() < 1e-4


def test_interpolation_does_not_thin_and_pixels_must_agree():
    volume = noise()
    wanted = finer(volume.grid, 20, 1.0, 0.5)
    made = interpolation.resample_z(volume, wanted)
    assert made.grid.same_place(wanted)
    assert made.grid.thickness_mm == 5.0
    pixels = Grid(20, 1.0, 1.0, (10, 8), (0.4, 0.35), 0.5, (7.0, 2.0, -9.0), TILTED)
    with pytest.raises(ValueError, match="pixels"):
        interpolation.resample_z(volume, pixels)
    with pytest.raises(ValueError, match="point different ways"):
        interpolation.resample(volume, Grid(20, 1.0, 1.0, (5, 4), (0.8, 0.7)))
    with pytest.raises(ValueError, match="no interpolation 'quintic'"):
        interpolation.weights(np.arange(3.0), np.arange(3.0), "quintic")  # pyright: ignore
    with pytest.raises(ValueError, match="evenly spaced"):
        interpolation.weights(np.array([0.0, 1.0, 3.0]), np.arange(3.0), "linear")


def patient_ramp(grid: Grid) -> np.ndarray:
    """A linear function of patient position, at every voxel."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.zyx), indexing="ij"), -1)
    at = index @ grid.affine()[:3, :3].T + grid.affine()[:3, 3]
    return (at @ np.array([3.0, -5.0, 2.0])).astype(np.float32)


@pytest.mark.parametrize(("kind", "off"), [("linear", 1e-3), ("cubic", 0.02)])
def test_finer_pixels_and_a_moved_origin_keep_patient_positions(kind, off):
    coarse = Grid(30, 2.5, 5.0, (30, 31), (0.8, 0.7), -3.0, (7.0, 2.0, -9.0), TILTED)
    corner = coarse.affine() @ np.array([11.3, 11.7, 12.4, 1.0])  # between voxels, inside
    fine = Grid(9, 1.1, 1.0, (12, 9), (0.37, 0.41), 0.0, tuple(corner[:3]), TILTED)
    made = interpolation.resample(Volume(patient_ramp(coarse), coarse), fine, kind)
    assert np.abs(made.voxels - patient_ramp(fine)).max() < off


@pytest.mark.parametrize("name", interpolation.KINDS)
def test_methods_return_the_grid_asked_for(name):
    thick = noise()
    card = {"name": name, "module": "interpolation", "settings": {"kind": name}}
    method = plugins.build("methods", card)
    wanted = finer(thick.grid, 23, 1.1, -2.0)
    restored = method.restore(thick, wanted)
    assert restored.grid == wanted
    assert np.array_equal(restored.voxels, interpolation.resample_z(thick, wanted, name).voxels)
    assert method.parameters() == 0
    assert method.about.fidelity == "textbook"
    assert method.about.title
    assert method.about.idea
