"""Slices at any positions: what is made thick again comes back, and regular slices stay theirs."""

import numpy as np
import pytest

from thinslice.operators import planes
from thinslice.volume import Grid

THIN = Grid(80, 1.0, 1.0, (1, 1), (1.0, 1.0))
EVEN = 4.5 + 5.0 * np.arange(15)
MANY = {
    "even": (EVEN, np.full(15, 5.0)),
    "jitter": (EVEN + np.resize([0.4, -0.7, 0.1], 15), np.full(15, 5.0)),
    "missing": (np.delete(EVEN, [6, 7]), np.full(13, 5.0)),
    "mixed": (np.r_[EVEN[:7], 42, 52, 62, 72], np.r_[np.full(7, 5.0), np.full(4, 10.0)]),
    "overlapping": (4.5 + 2.5 * np.arange(29), np.full(29, 5.0)),
    "apart": (4.5 + 8.0 * np.arange(9), np.full(9, 3.0)),
}


def body(z_mm):
    """HU along a column: an edge, a ramp and a rib."""
    return np.where(z_mm > 33, 40.0, -800.0) + 2 * z_mm + 700 * ((z_mm > 50) & (z_mm < 54))


@pytest.mark.parametrize("name", MANY)
def test_slices_made_thick_again_come_back_within_a_thousandth_of_an_edge(name):
    centres, thickness = MANY[name]
    seen = planes.seen_matrix(centres, thickness, THIN)
    thick = seen @ body(THIN.centres_mm())
    again = seen @ planes.estimator(seen, thickness, 1.0) @ thick
    np.testing.assert_allclose(again, thick, atol=0.002 * np.ptp(thick))


@pytest.mark.parametrize("name", MANY)
def test_ramps_come_back_exactly(name):
    """They bend nowhere, whatever the positions and thicknesses."""
    centres, thickness = MANY[name]
    seen = planes.seen_matrix(centres, thickness, THIN)
    ramp = 3.0 * THIN.centres_mm() - 100
    back = planes.estimator(seen, thickness, 1.0) @ (seen @ ramp)
    np.testing.assert_allclose(back, ramp, atol=1e-6)


@pytest.mark.parametrize("thin", [(1.0, 1.0), (0.5, 1.0), (0.5, 0.5)])
def test_a_slice_weighs_its_thickness_around_its_centre(thin):
    increment, thickness = thin
    grid = THIN.with_slices(
        n=round(80 / increment), increment_mm=increment, thickness_mm=thickness, start_mm=0.0
    )
    seen = planes.seen_matrix(np.array([30.0, 42.0, 53.3]), np.array([5.0, 8.0, 5.0]), grid)
    seen, z = seen.toarray(), grid.centres_mm()
    np.testing.assert_allclose(seen.sum(1), 1)
    np.testing.assert_allclose(seen @ z, [30.0, 42.0, 53.3], atol=1e-9)
    width = [np.sqrt(12 * (row @ (z - row @ z) ** 2) + thickness**2) for row in seen[:2]]
    flanks_mm = 1.2  # they widen a trapezoid's variance, not its FWHM
    assert width == pytest.approx(np.hypot([5.0, 8.0], flanks_mm), rel=0.015)


def test_a_single_slice_is_refused():
    seen = planes.seen_matrix(np.array([30.0]), np.array([5.0]), THIN)
    with pytest.raises(ValueError, match="two slices"):
        planes.estimator(seen, np.array([5.0]), 1.0)


def test_the_lattice_passes_through_the_slices_that_are_regular():
    for name in ("even", "missing", "mixed"):
        centres, thickness = MANY[name]
        grid = planes.lattice(centres, thickness, THIN)
        assert (grid.increment_mm, grid.thickness_mm) == (5.0, 5.0)
        assert grid.start_mm == pytest.approx(4.5)
        end = grid.centres_mm()[-1] + 2.5
        assert abs(end - (centres[-1] + thickness[-1] / 2)) <= 2.5, name


def test_gaps_are_where_slices_are_missing_and_nowhere_else():
    assert planes.gaps(*MANY["missing"]) == [(32.0, 42.0)]
    for name in ("even", "jitter", "mixed", "overlapping", "apart"):
        assert planes.gaps(*MANY[name]) == [], name
