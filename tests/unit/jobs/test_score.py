"""A question carries how its thick volume arose, as far as anybody knows."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from thinslice.columns import metric_name
from thinslice.degradations import profile
from thinslice.jobs import score
from thinslice.operators.degradation import thick_of
from thinslice.protocols import v1
from thinslice.volume import Grid, Volume

GRID = Grid(40, 1.0, 1.0, (32, 36), (2.0, 2.0))
MEANS = profile.build(shape="box", thickness_mm=5.0, increment_mm=5.0)


@dataclass(frozen=True)
class Coarse:
    """Means of five slices and of 2 x 2 pixels."""

    def thick_grid(self, thin: Grid) -> Grid:
        grid = MEANS.thick_grid(thin)
        return replace(grid, shape=(16, 18), pixel_mm=(4.0, 4.0), origin_mm=(1.0, 1.0, 0.0))

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        return MEANS.matrix(thin, MEANS.thick_grid(thin))

    def planes(self, thin: Grid, thick: Grid) -> tuple[csr_array, csr_array]:
        y, x = (csr_array(np.kron(np.eye(n), np.full(2, 0.5))) for n in thick.shape)
        return y, x


def thin_scan() -> Volume:
    body = np.hypot(*(np.mgrid[:32, :36] - np.array([15.5, 17.5])[:, None, None])) < 13
    noise = np.random.default_rng(0).normal(0, 25, GRID.zyx)
    return Volume((np.where(body, 40.0, -1000.0) + noise).astype(np.float32), GRID)


def rows(made_by, thick: Volume) -> dict[str, float]:
    thin = thin_scan()
    asked = score.scoring_input(thin.with_voxels(thin.voxels - 7), thin, thick, made_by)
    found, _ = score.rows(asked, {"v1": v1.build(threads=1)})
    return {metric_name(row): row["value"] for row in found}


@pytest.mark.parametrize("made_by", [MEANS, Coarse()], ids=["slices", "pixels too"])
def test_simulated_thick_is_consistent_by_its_declared_matrices(made_by):
    found = rows(made_by, thick_of(made_by, thin_scan()))
    assert found["consistency_bias_hu"] == pytest.approx(-7, abs=1e-3)
    assert found["consistency_floor_hu"] == pytest.approx(0, abs=1e-3)


def test_acquired_pixels_that_are_coarser_have_no_consistency_and_it_is_said(capsys):
    found = rows(None, thick_of(Coarse(), thin_scan()))
    assert "data consistency is not scored" in capsys.readouterr().err
    assert not [metric for metric in found if metric.startswith("consistency")]
    assert found["rmse_hu"] == pytest.approx(7, abs=1e-5)
