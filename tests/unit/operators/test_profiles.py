"""Slice profiles: closed forms of width, noise, spectrum and edges; what their matrices keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thinslice.operators import profiles, projection
from thinslice.volume import Grid, Volume

BELL_125 = profiles.gaussian(1.25)
MEAN_OF_5 = profiles.averaged(BELL_125, [-2, -1, 0, 1, 2], [0.2] * 5)
MEAN_OF_7 = profiles.averaged(BELL_125, 0.7 * np.arange(-3, 4), [1 / 7] * 7)
PROFILES = {
    "box 5": profiles.box(5),
    "trapezoid 5": profiles.trapezoid(5, 1.2),
    "bell 5": profiles.gaussian(5),
    "triangle 5": profiles.triangle(5),
    "blend": profiles.scanner_profile(5, 1.05, 0.3),
    "measured": profiles.from_taps([0.1, 0.5, 0.3, 0.1], 1.3),
    "mean of 5": MEAN_OF_5,
}
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def slices(n: int, increment_mm: float, start_mm: float = 0.0) -> Grid:
    return Grid(n, increment_mm, increment_mm, (3, 4), (1.0, 1.0), start_mm)


@pytest.mark.parametrize(
    ("profile", "fwhm", "fwtm", "energy", "mtf"),
    [  # sums on a grid of 0.01 mm: widths hold to two steps of it
        (BELL_125, 1.25, 2.28, 0.531, (0.946, 0.801, 0.606)),
        (profiles.trapezoid(5, 1.2), 5.0, 5.95, 0.184, (0.622, 0.000, 0.170)),
        (profiles.gaussian(5), 5.0, 9.1, 0.133, (0.411, 0.028, 0.000)),
        (profiles.triangle(5), 5.0, 9.0, 0.133, (0.405, 0.000, 0.045)),
        (MEAN_OF_5, 4.98, 6.12, 0.180, (0.612, 0.000, 0.150)),
        (MEAN_OF_7, 4.88, 6.14, 0.181, (0.619, 0.017, 0.141)),
    ],
    ids=["bell 1.25", "trapezoid", "bell 5", "triangle", "mean of 5", "mean of 7"],
)
def test_widths_noise_and_spectrum_of_known_profiles(profile, fwhm, fwtm, energy, mtf):
    assert profile.fwhm_mm == pytest.approx(fwhm, abs=0.021)
    assert profile.fwtm_mm == pytest.approx(fwtm, abs=0.021)
    assert profile.energy_per_mm == pytest.approx(energy, abs=6e-4)
    assert profile.mtf(np.array([0.1, 0.2, 0.3])) == pytest.approx(mtf, abs=6e-4)


def test_widths_in_closed_form():
    assert profiles.box(5.3).fwhm_mm == pytest.approx(5.3, abs=1e-9)
    assert profiles.trapezoid(5, 1.2).fwtm_mm == pytest.approx(5 + 0.8 * 1.2, abs=1e-9)
    assert profiles.gaussian(5).fwtm_mm == pytest.approx(
        5 * np.sqrt(np.log(10) / np.log(2)), abs=1e-9
    )


def test_energy_in_closed_form():
    assert profiles.box(4).energy_per_mm == pytest.approx(1 / 4, rel=1e-12)
    sigma = 5 / profiles.FWHM_PER_SIGMA
    assert profiles.gaussian(5).energy_per_mm == pytest.approx(
        1 / (2 * sigma * np.sqrt(np.pi)), rel=1e-9
    )


@every_profile
def test_every_profile_is_one_function_seen_four_ways(profile):
    z = np.linspace(-profile.support_mm, profile.support_mm, 40001)
    h = profile.density(z)
    dz = z[1] - z[0]
    assert profile.cdf(profile.support_mm) - profile.cdf(-profile.support_mm) > 1 - 1e-7
    running = np.cumsum((h[1:] + h[:-1]) / 2) * dz
    assert np.abs(running + profile.cdf(z[0]) - profile.cdf(z[1:])).max() < 2e-4
    f = np.array([0.0, 0.07, 0.31])
    spectrum = (h * np.exp(-2j * np.pi * f[:, None] * z)).sum(1) * dz
    assert np.abs(spectrum) == pytest.approx(profile.mtf(f), abs=2e-4)
    assert (h**2).sum() * dz == pytest.approx(profile.energy_per_mm, abs=2e-4)


def test_noise_correlation_of_neighbouring_slices():
    assert BELL_125.correlation(0.7) == pytest.approx(0.65, abs=0.005)
    assert BELL_125.correlation(1.0) == pytest.approx(0.41, abs=0.005)
    assert profiles.gaussian(5).correlation(5) == pytest.approx(0.25, abs=1e-6)
    assert profiles.trapezoid(5, 1.2).correlation(5) == pytest.approx(0.04, abs=0.005)
    assert profiles.gaussian(5).correlation(2.5) == pytest.approx(0.71, abs=0.005)
    assert profiles.trapezoid(5, 1.2).correlation(2.5) == pytest.approx(0.54, abs=0.005)


def test_averaging_five_thin_slices_leaves_more_noise_than_if_it_were_white():
    left = np.sqrt(MEAN_OF_5.energy_per_mm / BELL_125.energy_per_mm)
    lags = np.subtract.outer(np.arange(5), np.arange(5))
    covariance = np.vectorize(BELL_125.correlation)(lags.astype(float))
    assert left == pytest.approx(0.58, abs=0.005)
    assert left == pytest.approx(np.sqrt(covariance.mean()), rel=1e-9)


@pytest.mark.parametrize(
    ("profile", "worst_hu"),
    [
        (profiles.trapezoid(5, 1.2), 5.8),
        (profiles.gaussian(5), 84.5),
        (profiles.triangle(5), 89.9),
        (profiles.gaussian(5 / np.sqrt(2.2 * np.log(2)) * profiles.FWHM_PER_SIGMA), 234),
    ],
    ids=["trapezoid", "bell", "triangle", "bell of sigma T/sqrt(2.2 ln 2)"],
)
def test_edge_of_1000_hu_against_the_mean_of_five(profile, worst_hu):
    z = np.linspace(-12, 12, 24001)
    difference = 1000 * np.abs(profile.cdf(z) - MEAN_OF_5.cdf(z)).max()
    assert difference == pytest.approx(worst_hu, rel=0.012)


def test_a_box_on_cell_edges_is_the_plain_mean():
    weights = projection.profile_matrix(
        profiles.box(5), slices(20, 1.0), slices(4, 5.0, start_mm=2.0)
    ).toarray()
    assert np.abs(weights - np.kron(np.eye(4), np.full(5, 0.2))).max() < 1e-12


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from([profiles.box, profiles.gaussian, profiles.triangle]),
    width=st.floats(0.1, 6),
    thin=st.floats(0.4, 2),
    thick=st.floats(0.3, 4),
    phase=st.floats(0, 3),
)
def test_a_ramp_keeps_its_positions_and_a_constant_its_value(kind, width, thin, thick, phase):
    profile, fine = kind(width), slices(48, thin, start_mm=-7.3)
    reach = max(profile.support_mm - thin / 2, 0)
    room = fine.centres_mm()[-1] - fine.start_mm - 2 * reach
    coarse = slices(max(int((room - phase) / thick), 1), thick, fine.start_mm + reach + phase)
    weights = projection.profile_matrix(profile, fine, coarse)
    assert np.abs(weights.sum(1) - 1).max() < 1e-12
    if coarse.centres_mm()[-1] <= fine.centres_mm()[-1] - reach:
        assert np.abs(weights @ fine.centres_mm() - coarse.centres_mm()).max() < 1e-9
        assert weights.toarray().min() >= 0


def test_ends_are_scaled_to_what_exists():
    weights = projection.profile_matrix(profiles.box(5), slices(20, 1.0), slices(4, 5.0)).toarray()
    assert weights[0, :3] == pytest.approx([1 / 3] * 3, abs=1e-12)  # two of five cells are off


def test_an_edge_through_the_matrix_follows_the_profile():
    fine, coarse = slices(400, 0.05), slices(12, 1.3, start_mm=2.6)
    for profile in (
        profiles.box(3.3),
        profiles.gaussian(2.1),
        profiles.scanner_profile(3, 1.1, 0.4),
    ):
        edge = (fine.centres_mm() > 10.025).astype(float)
        seen = projection.profile_matrix(profile, fine, coarse) @ edge
        assert np.abs(seen - profile.cdf(coarse.centres_mm() - 10.025)).max() < 2e-3


def test_measured_taps_come_back_on_their_own_slices():
    taps = [0.1, 0.2, 0.4, 0.2, 0.1]
    weights = projection.profile_matrix(
        profiles.from_taps(taps, 1.0), slices(20, 1.0), slices(3, 5.0, start_mm=4.0)
    )
    assert weights.toarray()[1, 7:12] == pytest.approx(taps, abs=1e-12)


@pytest.mark.parametrize("slab", [1, 2, 64])
def test_slabs_make_no_difference_and_volumes_are_read_as_arrays(slab):
    voxels = np.random.default_rng(0).normal(size=(20, 3, 4)).astype(np.float32)
    weights = projection.profile_matrix(
        profiles.gaussian(3), slices(20, 1.0), slices(6, 2.7, start_mm=2.0)
    )
    whole = np.einsum("kz,zyx->kyx", weights.toarray(), voxels)
    for scan in (voxels, Volume(voxels, slices(20, 1.0))):
        thick = projection.apply(weights, scan, slab=slab)
        assert thick.dtype == np.float32
        assert np.abs(thick - whole).max() < 1e-6


def test_refusals_say_what_was_found():
    with pytest.raises(ValueError, match="0 <= ramp <= FWHM"):
        profiles.trapezoid(1.0, 1.2)
    with pytest.raises(ValueError, match="lies off the scan"):
        projection.profile_matrix(profiles.box(1), slices(5, 1.0), slices(2, 20.0))
    moved = Grid(2, 1, 1, (3, 4), (1, 1), origin_mm=(1.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="origin and direction"):
        projection.profile_matrix(profiles.box(1), slices(5, 1.0), moved)
    with pytest.raises(ValueError, match="5 thin slices"):
        projection.apply(
            projection.profile_matrix(profiles.box(1), slices(5, 1.0), slices(2, 1.0)),
            np.zeros((6, 2, 2)),
        )
    with pytest.raises(ValueError, match="0 to 1"):
        profiles.scanner_profile(5, bell_fraction=1.5)
