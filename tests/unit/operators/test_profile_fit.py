"""Taps measured from a pair: known profiles are found again; the real pair, where it is at hand."""

import numpy as np
import pytest

from support.paths import REAL_SCANS
from thinslice.operators import profiles, projection
from thinslice.operators.profile_fit import ProfileFit, fit_taps, matrix_from_taps
from thinslice.volume import Grid, Volume

PAIR = REAL_SCANS / "pair"


def pair(taps: np.ndarray, start_mm: float = 5.0) -> tuple[Volume, Volume]:
    rng = np.random.default_rng(3)
    fine = Grid(40, 1.0, 1.0, (6, 5), (1.0, 1.0))
    coarse = fine.with_slices(n=7, increment_mm=4.5, thickness_mm=3.0, start_mm=start_mm)
    thin = Volume(rng.normal(0, 100, fine.zyx).astype(np.float32), fine)
    half = len(taps) // 2
    at = coarse.centres_mm()[:, None] + np.arange(-half, half + 1)
    between = np.apply_along_axis(
        lambda column: np.interp(at.ravel(), fine.centres_mm(), column), 0, thin.voxels
    ).reshape(*at.shape, 6, 5)
    return thin, thin.with_voxels(np.einsum("j,kjyx->kyx", taps, between), coarse)


@pytest.mark.parametrize("start_mm", [5.0, 5.25])
def test_known_taps_are_found_again_lobes_and_shift_included(start_mm):
    taps = np.array([-0.02, 0.1, 0.5, 0.37, 0.05])
    found = fit_taps(*pair(taps, start_mm), half_width_mm=3.0, slab=4)
    assert found.weights == pytest.approx([0, *taps, 0], abs=1e-5)
    assert found.offset_mm == pytest.approx(float(taps @ np.arange(-2, 3)), abs=1e-4)


def test_width_is_linear_between_taps():
    assert ProfileFit(np.array([0.25, 0.5, 0.25]), 1.0).fwhm_mm == pytest.approx(2.0)
    assert ProfileFit(np.array([1.0]), 0.8).fwhm_mm == pytest.approx(0.8)


def test_their_matrix_repeats_the_fit():
    taps = np.array([0.05, 0.25, 0.4, 0.25, 0.05])
    thin, thick = pair(taps)
    found = fit_taps(thin, thick.with_voxels(thick.voxels), half_width_mm=2.0)
    coarse = thin.grid.with_slices(n=7, increment_mm=5.0, thickness_mm=3.0, start_mm=5.0)
    weights = matrix_from_taps(found, thin.grid, coarse).toarray()
    assert weights[0, 3:8] == pytest.approx(taps, abs=1e-5)


def test_refusals_name_the_reason():
    thin, thick = pair(np.array([0.25, 0.5, 0.25]))
    with pytest.raises(ValueError, match="too little"):
        fit_taps(thin.with_voxels(np.zeros(thin.grid.zyx)), thick)
    with pytest.raises(ValueError, match="no thick slice"):
        fit_taps(thin, thick, half_width_mm=30.0)


@pytest.mark.skipif(not PAIR.is_dir(), reason="the real pair is not beside this checkout")
def test_the_real_pair_has_a_bell_of_4_8_mm():
    nibabel = pytest.importorskip("nibabel")
    names = ("phantom_head_philips_1mm_UB_iDose2.nii.gz", "phantom_head_philips_5mm_UB.nii.gz")
    a, b = (np.asarray(nibabel.load(PAIR / n).dataobj).T.astype(np.float32) for n in names)
    thin = Volume(np.ascontiguousarray(a), Grid(80, 1.0, 1.0, a.shape[1:], (1.0, 1.0)))
    coarse = thin.grid.with_slices(n=16, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    fitted_on = thin.with_voxels(b[:8], coarse.with_slices(
        n=8, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0))  # fmt: skip
    taps = fit_taps(thin, fitted_on)
    assert taps.fwhm_mm == pytest.approx(4.8, abs=0.05)

    def held_out_rmse_hu(profile: profiles.Profile) -> float:
        seen = projection.apply(projection.profile_matrix(profile, thin.grid, coarse), thin)[9:14]
        varies = np.stack([np.ptp(a[5 * k - 5 : 5 * k + 10], axis=0) > 3 for k in range(9, 14)])
        return float(np.sqrt(((seen - b[9:14])[varies] ** 2).mean()))

    assert held_out_rmse_hu(taps.profile()) < 4
    assert held_out_rmse_hu(taps.profile()) < held_out_rmse_hu(profiles.gaussian(4.5)) < 8
    assert held_out_rmse_hu(profiles.box(5)) > 15
