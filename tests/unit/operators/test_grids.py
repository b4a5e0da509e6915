"""The grid a person's scan is restored on: all of the scan, nothing beside it."""

from dataclasses import replace

import pytest

from thinslice.operators.grids import thin_grid
from thinslice.volume import Grid

TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
SCAN = Grid(23, 5.0, 5.0, (6, 8), (0.7, 0.9), -41.3, (9.0, -4.0, 700.5), TILTED)
LENGTHS = [(5.0, 5.0), (5.0, 2.5), (3.0, 2.0), (2.5, 1.25), (6.7, 5.0), (5.0, 7.0)]


def ends(grid: Grid) -> tuple[float, float]:
    half = grid.thickness_mm / 2
    return grid.start_mm - half, grid.centres_mm()[-1] + half


@pytest.mark.parametrize(("thickness_mm", "increment_mm"), LENGTHS)
@pytest.mark.parametrize("thin", [(1.0, 1.0), (1.25, 0.8), (0.7, 0.7)])
def test_the_extent_is_kept_within_one_thin_slice_and_in_the_same_frame(
    thickness_mm, increment_mm, thin
):
    thick = replace(SCAN, thickness_mm=thickness_mm, increment_mm=increment_mm)
    grid = thin_grid(thick, *thin)
    (low, high), (first, last) = ends(thick), ends(grid)
    assert first >= low - 1e-6
    assert last <= high + 1e-6
    assert (first - low) + (high - last) < thin[1] + 1e-6
    assert (first - low) == pytest.approx(high - last, abs=1e-9)
    same = ("shape", "pixel_mm", "origin_mm", "direction")
    assert all(getattr(grid, name) == getattr(thick, name) for name in same)


@pytest.mark.parametrize(("thickness_mm", "increment_mm"), LENGTHS[:5])
def test_a_scan_asked_for_as_it_is_has_the_grid_it_has(thickness_mm, increment_mm):
    thick = replace(SCAN, thickness_mm=thickness_mm, increment_mm=increment_mm)
    assert thin_grid(thick, thickness_mm, increment_mm).same_place(thick)


@pytest.mark.parametrize(
    ("asked", "words"),
    [((6.0, 1.0), "6 mm thick"), ((5.0, 5.1), "leave gaps"), ((0.0, 1.0), "must be positive")],
)
def test_what_makes_no_sense_is_refused_with_its_numbers(asked, words):
    with pytest.raises(ValueError, match=words):
        thin_grid(SCAN, *asked)
