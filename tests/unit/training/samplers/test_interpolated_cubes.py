"""Interpolated training cubes: input and truth are the same voxels, and little is read."""

from dataclasses import replace

import numpy as np
import pytest

from thinslice.interfaces import Pair
from thinslice.operators.interpolation import resample
from thinslice.training.samplers.crops import MARGIN
from thinslice.training.samplers.interpolated_cubes import InterpolatedCubes, around, interpolated
from thinslice.volume import Grid, Volume

CT = (0.0, 1000.0)  # a window in which nothing is clipped: unit * 1000 is the value
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(30, 1.0, 1.0, (24, 20), (0.5, 0.7), 40.0, (30.0, 20.0, 10.0), TILTED)


def coarse(in_plane: int, phase_mm: float = 0.4) -> Grid:
    """Thick slices and coarser pixels that reach far beyond the thin scan on all sides."""
    _, y_axis, x_axis = np.array(TILTED)
    pixel_mm = (in_plane * 0.5, in_plane * 0.7)
    corner = np.array(THIN.origin_mm) - 10 * (y_axis * pixel_mm[0] + x_axis * pixel_mm[1])
    z, y, x = (float(mm) for mm in corner)
    return Grid(30, 2.5, 2.5, (44, 40), pixel_mm, 20.0 + phase_mm, (z, y, x), TILTED)


def ramp(grid: Grid) -> Volume:
    """Every voxel says where in the patient it is."""
    k, j, i = np.indices(grid.zyx)
    z, y, x, _ = np.tensordot(grid.affine(), np.stack([k, j, i, np.ones_like(k)]), 1)
    return Volume((5 * z + 3 * y + 2 * x + 300).astype(np.float32), grid)


class Counting:
    """A scan that counts the voxels that are read of it."""

    def __init__(self, volume: Volume):
        self.volume, self.grid, self.modality = volume, volume.grid, volume.modality
        self.padding, self.padded, self.read_voxels = None, volume.padded, 0

    def read(self, z=slice(None), y=slice(None), x=slice(None)) -> np.ndarray:
        block = self.volume.read(z, y, x)
        self.read_voxels = max(self.read_voxels, block.size)
        return block


@pytest.mark.parametrize("in_plane", [1, 2])
def test_input_and_truth_of_a_cube_lie_in_the_same_place(in_plane):
    pair = Pair("a", ramp(coarse(in_plane)), ramp(THIN))
    x, y = InterpolatedCubes([pair], (8, 6, 7), 6, CT)(np.random.default_rng(0))
    assert x.shape == y.shape == (6, 1, 8, 6, 7)
    np.testing.assert_allclose(x, y, atol=2e-4)


@pytest.mark.parametrize("in_plane", [1, 2])
def test_a_block_is_that_part_of_the_whole_scan_interpolated(in_plane):
    grid = coarse(in_plane)
    noise = np.random.default_rng(0).uniform(0, 1000, grid.zyx).astype(np.float32)
    scan = Volume(noise, grid)
    whole = resample(scan, THIN, "cubic").voxels
    asked = replace(THIN, n=6, start_mm=THIN.start_mm + 11)
    block = interpolated(scan, asked, "cubic")
    np.testing.assert_allclose(block, whole[11:17], atol=0.5)


def test_only_what_lies_around_a_cube_is_read():
    scan = Counting(ramp(coarse(2)))
    interpolated(scan, replace(THIN, n=4, shape=(4, 4)), "cubic")
    assert scan.read_voxels <= (4 + 2 * MARGIN) ** 3
    first, sizes = around(THIN, replace(THIN, n=4, shape=(5, 6), start_mm=THIN.start_mm + 3))
    assert (first, sizes) == ((3, 0, 0), (4, 5, 6))  # the same voxels: nothing beside them


def test_scans_that_point_another_way_are_refused():
    scan = ramp(replace(THIN, direction=(TILTED[0], TILTED[2], TILTED[1])))
    with pytest.raises(ValueError, match="axes point different ways"):
        interpolated(scan, replace(THIN, n=4), "cubic")


def test_smaller_scans_than_cubes_are_mirrored_out():
    pair = Pair("a", ramp(coarse(1)), ramp(THIN))
    x, y = InterpolatedCubes([pair], (40, 30, 10), 1, CT, flips=False)(np.random.default_rng(0))
    assert y.shape == (1, 1, 40, 30, 10)
    np.testing.assert_array_equal(y[0, 0, 30:], y[0, 0, 20:30].flip(0))
    np.testing.assert_allclose(x, y, atol=2e-4)
