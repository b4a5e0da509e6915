"""What lies outside a window of values: nothing inside it, and linear in between."""

from dataclasses import replace

import numpy as np

from thinslice.families.outside_window import residue, residue_on
from thinslice.volume import Grid, Volume, Window

WINDOW = Window(-1000.0, 2000.0)
THICK = Grid(4, 5.0, 5.0, (2, 3), (1.0, 1.0))


def test_values_are_the_nearest_of_the_window_plus_their_residue():
    values = np.array([-3000.0, -1000.0, 0.0, 2000.0, 3000.0], np.float32)
    np.testing.assert_array_equal(residue(values, WINDOW), [-2000, 0, 0, 0, 1000])
    assert np.ndim(residue(values[1:4], WINDOW)) == 0


def test_the_residue_of_a_scan_is_linear_between_slices_and_overshoots_nowhere():
    voxels = np.zeros(THICK.zyx, np.float32)
    voxels[1, 0, 2], voxels[2, 1, 1] = 3000, -1500
    grid = THICK.with_slices(n=16, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    beyond = residue_on(grid, Volume(voxels, THICK), WINDOW)
    np.testing.assert_allclose(beyond[:11, 0, 2], 200.0 * np.r_[:6, 4:-1:-1], atol=1e-3)
    np.testing.assert_allclose(beyond[5:16, 1, 1], -100.0 * np.r_[:6, 4:-1:-1], atol=1e-3)
    assert np.count_nonzero(beyond) == 18


def test_a_scan_inside_the_window_has_none_on_any_pixels():
    finer = replace(THICK, shape=(4, 6), pixel_mm=(0.5, 0.5))
    scan = Volume(np.zeros(THICK.zyx, np.float32), THICK)
    assert residue_on(finer, scan, WINDOW) == 0
