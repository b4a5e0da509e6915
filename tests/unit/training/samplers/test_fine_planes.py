"""Fine planes: which scans they come from, the axes, the planes beside, zoom in millimetres."""

import numpy as np
import pytest

from thinslice.training.samplers.fine_planes import FinePlanes
from thinslice.volume import Grid, Volume


def scan(increment_mm: float, pixel_mm: float = 0.8, n: int = 70) -> Volume:
    """A scan whose voxels are z + 100 y + 10000 x, in thousandths."""
    grid = Grid(n, increment_mm, increment_mm, (80, 90), (pixel_mm, pixel_mm))
    z, y, x = np.indices(grid.zyx, np.float32)
    return Volume(((z + 100 * y + 10000 * x) / 1000).astype(np.float32), grid)


def slopes(voxels_LWN: np.ndarray) -> list[float]:
    """Median steps along the three axes, in the thousandths of ``scan``."""
    return [abs(float(np.median(np.diff(voxels_LWN, axis=a)))) * 1000 for a in range(3)]


def test_axes_of_stacks_and_axial_slices() -> None:
    planes = FinePlanes([scan(1.0)], 32, 2)
    steps = set()
    for seed in range(40):
        slab = planes.draw(np.random.default_rng(seed))
        steps.add(tuple(round(step) for step in slopes(slab.voxels)))
    assert steps == {(1, 10000, 100), (1, 100, 10000), (100, 10000, 1), (10000, 100, 1)}


def test_a_thick_stack_gives_axial_slices_alone_without_neighbours() -> None:
    planes = FinePlanes([scan(5.0)], 32, 2)
    for seed in range(10):
        slab = planes.draw(np.random.default_rng(seed))
        assert slab.rows.thickness_mm == pytest.approx(slab.rows.increment_mm)
        assert np.ptp(slab.voxels, axis=2).max() == 0


def test_zoom_is_in_millimetres_alone() -> None:
    planes = FinePlanes([scan(1.0)], 32, 0, stacks=False, zoom=(2.0, 2.0))
    slab = planes.draw(np.random.default_rng(0))
    assert slab.rows.increment_mm == pytest.approx(1.6)
    assert slab.pixel_mm == pytest.approx(1.6)


def test_no_scan_fine_enough_is_refused() -> None:
    with pytest.raises(ValueError, match="no scan to learn from"):
        FinePlanes([scan(5.0, pixel_mm=2.0)], 32, 0)


def test_the_same_generator_draws_the_same_bits() -> None:
    planes = FinePlanes([scan(1.0), scan(5.0)], 32, 1)
    a, b = (planes.draw(np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(a.voxels, b.voxels)
    assert a.rows == b.rows


def test_a_draw_leaves_the_scan_alone() -> None:
    volume = scan(1.0)
    before = volume.voxels.copy()
    FinePlanes([volume], 32, 1).draw(np.random.default_rng(1)).voxels[:] = 0
    assert np.array_equal(volume.voxels, before)
