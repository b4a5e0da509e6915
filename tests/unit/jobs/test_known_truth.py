"""Scores against known solids: thick slices lose small nodules and widen edges; rows say whose."""

import pytest

from support.spheres import NODULE_HU, grid_of, rendered
from thinslice.interfaces import ScoringInput
from thinslice.jobs.known_truth import truth_rows
from thinslice.metrics.known_solids import Sphere
from thinslice.operators import profiles
from thinslice.operators.interpolation import resample_z

LARGE = Sphere(0.0, 0.0, 0.4, 14.0, NODULE_HU)
SMALL = Sphere(8.0, 8.0, 16.0, 5.0, NODULE_HU)


def rows_of(*spheres: Sphere) -> dict[tuple[str, str], float]:
    """Values by metric and range, of linear interpolation of 5 mm slices."""
    thin = rendered(grid_of(1.0), spheres, profiles.gaussian(1.0))
    thick_grid = thin.grid.with_slices(n=11, increment_mm=5.0, thickness_mm=5.0, start_mm=-25.0)
    thick = rendered(thick_grid, spheres, profiles.gaussian(5.0))
    restored = resample_z(thick, thin.grid, "linear")
    source = {"solids": [sphere._asdict() for sphere in spheres]}
    rows = truth_rows(ScoringInput(restored, thin, thick), source)
    return {(row["metric"], row["range"]): row["value"] for row in rows}


def test_restored_thin_and_thick_slices_are_measured_on_the_same_spheres():
    rows = rows_of(LARGE, SMALL)
    assert abs(rows["thin_nodule_error", "d14"]) < 5
    assert abs(rows["thin_nodule_error", "d5"]) < 15
    assert rows["nodule_error", "d5"] < -50
    assert abs(rows["nodule_error", "d14"]) < abs(rows["nodule_error", "d5"])
    assert rows["thin_effective_thickness_mm", ""] == pytest.approx(1.0, abs=0.2)
    assert rows["effective_thickness_mm", ""] > 4


def test_without_known_solids_there_is_no_row():
    assert rows_of() == {}
