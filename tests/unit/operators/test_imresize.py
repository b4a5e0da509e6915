"""Shrinking is MATLAB's imresize, keeps ramps and levels, and coarse voxels tile the fine ones."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from support.golden_weights import fixture
from thinslice.degradations import imresize as degradation
from thinslice.operators import imresize
from thinslice.operators.degradation import in_plane, thick_of
from thinslice.operators.finer_grids import finer_pixels, finer_slices
from thinslice.volume import Grid, Volume

META, ARRAYS = fixture("georgescu", "functions")
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(26, 0.8, 1.0, (21, 17), (0.7, 0.9), -3.0, (9.0, -4.0, 70.5), TILTED)


def rounded(values: np.ndarray) -> np.ndarray:
    """As MATLAB stores 8-bit images: halves up, cut to 0..255."""
    return np.floor(values + 0.5).clip(0, 255)


@pytest.mark.parametrize("i", range(7))
def test_it_is_matlab_s_imresize(i):
    rows, columns = META["factors"][i]
    image = ARRAYS[f"image_{i}"].astype(float)
    up = imresize.weights(image.shape[0], rows)
    across = imresize.weights(image.shape[1], columns)
    assert np.abs(up @ image @ across.T - ARRAYS[f"double_{i}"]).max() < 1e-9
    assert np.array_equal(rounded(rounded(up @ image) @ across.T), ARRAYS[f"uint8_{i}"])


@pytest.mark.parametrize("factor", [2, 4])
def test_a_volume_is_shrunk_as_the_authors_shrink_it(factor):
    small, volume = ARRAYS[f"volume_small_x{factor}"], ARRAYS["volume"].astype(float)
    y, x = (imresize.weights(n, factor).toarray() for n in volume.shape[1:])
    slices = rounded(rounded(np.einsum("zyx,jy->zjx", volume, y)) @ x.T)
    n, n_out = len(volume), len(small)  # they ask for round(n / factor) slices, whatever n is
    z = imresize.weights(n, n / n_out, n_out).toarray()
    assert np.array_equal(rounded(np.einsum("kz,zyx->kyx", z, slices)), small)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("n", [29, 35, 8])
def test_rows_sum_to_one_and_ramps_stay_ramps(factor, n):
    weights = imresize.weights(n, factor).toarray()
    assert weights.shape == (-(-n // factor), n)
    assert np.abs(weights.sum(1) - 1).max() < 1e-12
    at = imresize.centres(len(weights), factor)
    whole = (at - 2 * factor >= -0.5) & (at + 2 * factor <= n - 0.5)
    assert np.abs(weights @ np.arange(n) - at)[whole].max(initial=0) < 1e-9
    if factor == 1:
        assert np.array_equal(weights, np.eye(n))


def test_nothing_is_enlarged():
    with pytest.raises(ValueError, match="factor starts at 1"):
        imresize.weights(10, 0.5)


def places(grid: Grid) -> np.ndarray:
    """Patient position [Z, Y, X, 3] of every voxel centre, mm."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.zyx), indexing="ij"), -1)
    return index @ grid.affine()[:3, :3].T + grid.affine()[:3, 3]


@pytest.mark.parametrize(("z", "p"), [(2, 1), (5, 1), (1, 2), (3, 4), (4, 3)])
def test_thick_voxels_lie_amid_the_thin_ones_they_stand_for(z, p):
    thick = degradation.build(through_plane=z, in_plane=p).thick_grid(THIN)
    n, (y, x) = thick.n, thick.shape
    assert (n, y, x) == (26 // z, 21 // p, 17 // p)
    blocks = places(THIN)[: n * z, : y * p, : x * p].reshape(n, z, y, p, x, p, 3)
    assert np.abs(blocks.mean((1, 3, 5)) - places(thick)).max() < 1e-9
    assert thick.thickness_mm == pytest.approx(z * THIN.thickness_mm)
    back = finer_slices(finer_pixels(thick, p), z)
    here = replace(THIN, n=n * z, shape=(y * p, x * p))
    assert back.same_place(here, 1e-9)


def test_a_slanted_plane_keeps_its_values_where_its_voxels_are():
    slant = places(THIN) @ [3.0, -2.0, 5.0]
    thick = thick_of(degradation.build(through_plane=2, in_plane=2), Volume(_f32(slant), THIN))
    inner = (slice(2, -2),) * 3
    wanted = places(thick.grid) @ [3.0, -2.0, 5.0]
    assert np.abs(thick.voxels - wanted)[inner].max() < 1e-3


def test_a_constant_stays_constant_even_at_the_ends():
    level = Volume(np.full(THIN.zyx, -876.0, np.float32), THIN)
    thick = thick_of(degradation.build(through_plane=3, in_plane=2), level)
    assert np.abs(thick.voxels + 876).max() < 1e-3


def test_nothing_but_the_result_is_held_besides_the_input():
    voxels = np.zeros((60, 64, 64), np.float32)
    grid = replace(THIN, n=60, shape=(64, 64))
    by = degradation.build(through_plane=1, in_plane=1)
    planes = by.planes(grid, by.thick_grid(grid))
    tracemalloc.start()
    try:
        out = in_plane(planes, voxels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(out, voxels)
    assert peak < 1.3 * out.nbytes


def test_impossible_factors_are_refused():
    for wrong in ({"through_plane": 0}, {"in_plane": 1.5}):
        with pytest.raises(ValueError, match="whole number"):
            degradation.build(**wrong)
    with pytest.raises(ValueError, match="cannot be shrunk"):
        degradation.build(in_plane=18).thick_grid(THIN)


def _f32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
