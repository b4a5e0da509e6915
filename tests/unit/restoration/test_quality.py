"""What can be said of a restored scan without a truth."""

from dataclasses import replace

import numpy as np
import pytest

from support.paths import REAL_SCANS
from support.patient import SCAN, patient
from thinslice import read
from thinslice.datasets import phantom
from thinslice.operators import interpolation, profiles, projection
from thinslice.operators.grids import thin_grid
from thinslice.operators.thickening import SliceProfile, thickening_matrix
from thinslice.restoration import quality
from thinslice.training import fitted_on
from thinslice.volume import Grid, Padding, Volume

BELL = SliceProfile(5.0, 1.0)


def made_thick(thin: Volume, profile: SliceProfile = BELL) -> Volume:
    return Volume(projection.apply(thickening_matrix(profile, thin.grid, SCAN), thin), SCAN)


@pytest.mark.parametrize("thick", [(5, 5), (5, 2.5), (3, 2), (2.5, 1.25), (6.7, 5), (5, 7)])
@pytest.mark.parametrize("thin", [(1.0, 1.0), (2.0, 1.0), (0.8, 0.8)])
def test_slices_of_any_thickness_and_increment_are_made_as_thick_as_the_scan_s(thick, thin):
    """A step and a wave, both seen through bells: the truth is known, at any sampling."""
    scan = Grid(14, thick[1], thick[0], (1, 1), (1.0, 1.0))
    restored = thin_grid(scan, *thin)
    fine = Grid(4000, 0.05, 0.05, (1, 1), (1.0, 1.0), scan.start_mm - 40)
    z_mm = fine.centres_mm()
    inside = 100 * np.sin(z_mm / 6) + 300 * (z_mm > 20)
    seen, has = (
        projection.profile_matrix(profiles.gaussian(grid.thickness_mm), fine, grid) @ inside
        for grid in (scan, restored)
    )
    again = thickening_matrix(SliceProfile(scan.thickness_mm, 1.0), restored, scan) @ has
    np.testing.assert_allclose(again[1:-1], seen[1:-1], atol=2.0)
    np.testing.assert_allclose(again, seen, atol=0.1 * np.ptp(seen))


@pytest.mark.parametrize("bell", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("grid", [SCAN, replace(SCAN, increment_mm=2.5), replace(SCAN, n=1)])
def test_what_is_as_thick_as_the_scan_is_compared_as_it_is(grid, bell):
    weights = thickening_matrix(SliceProfile(5.0, bell), grid, grid).toarray()
    np.testing.assert_allclose(weights, np.eye(grid.n), atol=1e-9)


def test_a_box_over_slices_that_meet_is_their_mean():
    thin = thin_grid(SCAN, 1.0, 1.0)
    weights = thickening_matrix(SliceProfile(5.0, 0.0), thin, SCAN).toarray()
    np.testing.assert_allclose(weights, np.kron(np.eye(SCAN.n), np.ones(5) / 5), atol=1e-9)


def test_grids_of_two_frames_are_not_compared_but_a_shift_along_z_is():
    with pytest.raises(ValueError, match="moved by"):
        thickening_matrix(BELL, replace(SCAN, origin_mm=(1.0, 0.0, 0.0)), SCAN)
    thin = thin_grid(SCAN, 1.0, 1.0)
    elsewhere = replace(thin, start_mm=thin.start_mm - 7, origin_mm=(0.0, 0.0, 7.0))
    same, moved = (thickening_matrix(BELL, grid, SCAN).toarray() for grid in (thin, elsewhere))
    np.testing.assert_allclose(moved, same, atol=1e-9)


def ribs(noise_hu: float = 0.0) -> Volume:
    """The patient on thin slices, with bones that come and go along z."""
    thin = patient(thin_grid(SCAN, 1.0, 1.0), noise_hu)
    voxels = thin.voxels.copy()
    voxels[np.sin(thin.grid.centres_mm() / 2.5) > 0, 8:30, 10:36] = 900
    return thin.with_voxels(voxels)


@pytest.mark.parametrize("profile", [BELL, SliceProfile(5.25, 0.3), SliceProfile(6.5, 0.0)])
def test_a_scan_that_gives_its_slices_back_agrees_and_shows_their_profile(profile):
    thin = ribs()
    found = quality.report(thin, made_thick(thin, profile))
    assert found.agreement.profile == pytest.approx(profile)
    assert max(abs(check.bias) for check in found.agreement.slices) < 1e-3
    assert max(check.rmse for check in found.agreement.slices) < 1e-3
    assert found.verdict.agrees is True
    assert found.verdict.sentence not in quality.warnings(found)
    assert "measured" in found.to_json()["consistency"]["profile"]


def test_linear_interpolation_of_the_same_scan_differs():
    thin = ribs()
    thick = made_thick(thin)
    linear = interpolation.resample_z(thick, thin.grid, "linear")
    found = quality.report(Volume(linear.voxels, thin.grid), thick)
    assert found.verdict.agrees is False
    assert found.verdict.sentence in quality.warnings(found)
    assert all(check.flagged == check.telling for check in found.agreement.slices)


def test_a_drift_in_hu_is_the_bias_and_is_flagged_where_it_is():
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    drifted = thin.voxels.copy()
    drifted[30:] += 25
    found = quality.report(thin.with_voxels(drifted), made_thick(thin), profile=BELL)
    assert found.agreement.slices[-1].bias == pytest.approx(25, abs=0.1)
    flagged = [check.slice for check in found.agreement.slices if check.flagged]
    assert flagged
    assert min(flagged) >= 5  # the bell of the slice at 22.5 mm reaches into what begins at 30
    assert f"on {len(flagged)} of {len(found.agreement.slices)} slices" in found.verdict.sentence


def test_slices_without_a_patient_and_at_the_ends_are_named_from_1():
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    voxels = thin.voxels.copy()
    voxels[:25] = -1000
    empty = thin.with_voxels(voxels)
    found = quality.report(empty, made_thick(empty), profile=BELL).to_json()
    assert found["consistency"]["at_an_end"] == [1, 12]
    assert found["consistency"]["without_patient"] == [2, 3, 4, 5]
    assert [row["slice"] for row in found["consistency"]["slices"]] == [*range(6, 12)]
    for words in ("2 to 5", "without a patient", "1, 12", "reaching beyond"):
        assert words in found["verdict"]["sentence"]


@pytest.mark.parametrize("hu", [-1000.0, 0.0])
def test_pure_air_and_even_water_tell_nothing(hu):
    thick = Volume(np.full(SCAN.zyx, hu, np.float32), SCAN)
    thin = Volume(np.full(thin_grid(SCAN, 1.0, 1.0).zyx, hu, np.float32), thin_grid(SCAN, 1.0, 1.0))
    found = quality.report(thin, thick)
    assert found.verdict.agrees is None
    assert quality.warnings(found) == [found.verdict.sentence]


def test_two_slices_of_mr_are_judged_without_a_crash():
    two = replace(SCAN, n=2)
    thick, thin = patient(two, 3.0, "MR"), patient(thin_grid(two, 1.0, 1.0), 3.0, "MR")
    assert quality.report(thin, thick).verdict.agrees in (None, False, True)


@pytest.mark.parametrize("number", [-3024.0, 31000.0])
def test_padding_is_not_compared_measured_or_counted(number):
    thin = patient(thin_grid(SCAN, 1.0, 1.0), 5.0)
    thick = made_thick(thin)
    reports = []
    for value in (-1024.0, number):
        scans = []
        for scan in (thin, thick):
            mask = np.zeros(scan.grid.zyx, bool)
            mask[:, :12] = True
            numbers = np.where(mask, value, scan.voxels).astype(np.float32)
            scans.append(scan.with_padding(Padding.of(mask, numbers)))
        reports.append(quality.report(*scans).to_json())
    assert reports[0] == reports[1]
    assert reports[0]["values"]["restored"][1] < 1000


def test_values_outside_the_input_s_are_counted_and_said():
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    thick = made_thick(thin)
    voxels = thin.voxels.copy()
    voxels[3, 5:7, 5] = 4388
    voxels[9, 5, 5] = -1463
    found = quality.report(thin.with_voxels(voxels), thick)
    assert (found.values.below, found.values.above) == (1, 2)
    assert found.values.slices == (4, 10)
    words = " ".join(quality.warnings(found))
    for part in ("3 voxels", "down to -1463", "up to 4388"):
        assert part in words


@pytest.mark.slow
@pytest.mark.parametrize(
    "thick",
    [
        {},
        {"bell_fraction": 0.0, "width_factor": 1.0, "ramp_mm": 0.0},
        {"bell_fraction": 1.0, "width_factor": 1.3},
        {"nominal_mm": 3.0, "increment_mm": 2.0},
        {"nominal_mm": 2.5, "increment_mm": 2.5},
        {"iterative": 0.6},
    ],
)
def test_true_thin_scans_of_the_phantom_pass_and_linear_interpolation_fails(thick):
    for seed in (1, 2):
        case = phantom.build(seed=seed, patients={"test": 1}, length_mm=60.0, thick=thick)
        assert_true_passes_and_linear_fails(*(case.case("test", 0)[k] for k in (3, 4)))


def test_the_true_half_of_a_real_pair_passes_and_linear_interpolation_fails():
    names = ("phantom_head_philips_1mm_UB_iDose2", "phantom_head_philips_5mm_UB")
    paths = [REAL_SCANS / "pair" / f"{name}.nii.gz" for name in names]
    if not all(path.exists() for path in paths):
        pytest.skip("the real scans are not here")
    thin, thick = (
        read(path, thickness_mm=mm).volume for path, mm in zip(paths, (1.0, 5.0), strict=True)
    )
    assert_true_passes_and_linear_fails(thin, thick)


def assert_true_passes_and_linear_fails(thin: Volume, thick: Volume) -> None:
    linear = Volume(interpolation.resample_z(thick, thin.grid, "linear").voxels, thin.grid)
    true, plain = (quality.report(scan, thick) for scan in (thin, linear))
    flags = [check.flagged for check in true.agreement.slices]
    assert sum(flags) <= 0.05 * len(flags)
    assert true.verdict.agrees is True
    assert np.mean([check.flagged for check in plain.agreement.slices]) > 0.9
    assert plain.verdict.agrees is False


def test_a_scan_like_those_fitted_on_is_inside_and_every_difference_is_named():
    like = [
        fitted_on.of_scan(patient(SCAN, 12.0), "B30f"),
        fitted_on.of_scan(patient(SCAN, 15.0), "B31f"),
    ]
    fitted = fitted_on.of_scans(like)
    assert fitted_on.outside(fitted, fitted_on.of_scan(patient(SCAN, 14.0), "B30f")) == []
    thinner = replace(SCAN, thickness_mm=3.0, increment_mm=2.0, pixel_mm=(0.7, 0.7))
    words = " ".join(fitted_on.outside(fitted, fitted_on.of_scan(patient(thinner, 60.0), "B70f")))
    for part in ("3 mm thick", "every 2 mm", "pixels of 0.7", "noise of", "kernel B70f"):
        assert part in words
    apart = {**fitted_on.of_scan(patient(SCAN, 12.0), "B30f"), "increment_share": 0.4}
    assert fitted_on.outside(fitted, apart) == [
        "slices apart by 0.4 of their thickness; fitted on 1"
    ]
    brain = fitted_on.of_scan(patient(SCAN, 12.0, "MR"))
    assert fitted_on.outside(fitted, brain) == ["the scan is MR; fitted on CT"]


def test_weights_that_say_nothing_are_not_trusted_silently():
    assert fitted_on.outside({}, fitted_on.of_scan(patient(SCAN))) != []


@pytest.mark.parametrize("sigma", [3.0, 25.0])
def test_fine_noise_compares_scans_as_older_weights_files_do(sigma):
    flat = Grid(8, 1.0, 1.0, (96, 96), (0.7, 0.7))
    slope = np.broadcast_to(np.arange(96.0) * 3, flat.zyx)
    white = sigma * np.random.default_rng(1).standard_normal(flat.zyx)
    for ground in (0 * slope, slope):
        scan = Volume((ground + white).astype(np.float32), flat)
        assert fitted_on.of_scan(scan)["noise"] == pytest.approx(sigma, rel=0.05)
