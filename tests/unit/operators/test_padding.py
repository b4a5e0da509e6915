"""Padding goes through degradations and restorations, and mixes with nothing that is measured."""

import numpy as np
import pytest

from support.cards import cards
from support.padded_scans import NUMBERS, THICK, THIN, as_in_file, outside, patient
from thinslice import plugins
from thinslice.io.padding import with_padding
from thinslice.operators import padding
from thinslice.operators.degradation import thick_of
from thinslice.operators.finer_grids import finer_pixels
from thinslice.operators.padding import carried
from thinslice.operators.profile_fit import fit_taps
from thinslice.volume import Volume

DEGRADATIONS = cards("degradations")
SIMULATED = [name for name in DEGRADATIONS if name != "acquired"]


def scan(number, step_px=0.0, grid=THIN):
    return with_padding(Volume(as_in_file(grid, number, step_px), grid))


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("step_px", [0.0, 0.15])
def test_thick_slices_do_not_depend_on_the_number(name, step_px):
    degradation = plugins.build("degradations", DEGRADATIONS[name])
    numbers = NUMBERS if step_px == 0 else NUMBERS[1:]  # unstated air that moves is measured
    thick = [thick_of(degradation, scan(number, step_px)) for number in numbers]
    for other in thick[1:]:
        assert np.array_equal(thick[0].voxels, other.voxels)
    assert thick[-1].padding.values == (-32768.0,)


@pytest.mark.parametrize("name", SIMULATED)
def test_what_saw_padding_is_padding_and_nothing_else(name):
    degradation = plugins.build("degradations", DEGRADATIONS[name])
    thick = thick_of(degradation, scan(-3024.0, 0.15))
    unmixed = Volume(patient(THIN), THIN)
    clean = thick_of(degradation, unmixed)
    measured = ~thick.padded()
    assert measured.mean() < 1
    spoilt = unmixed.voxels + np.where(scan(-3024.0, 0.15).padded(), 1000, 0)
    for other in (thick, thick_of(degradation, unmixed.with_voxels(spoilt))):
        assert (
            np.abs(other.voxels - clean.voxels, where=measured, out=np.zeros(measured.shape)).max()
            < 0.01
        )


def test_each_number_goes_its_own_way():
    numbers = as_in_file(THIN, -2000.0)
    numbers[:, 12:][outside(THIN)[:, 12:]] = -3024
    degradation = plugins.build("degradations", DEGRADATIONS["box5"])
    thick = thick_of(degradation, with_padding(Volume(numbers, THIN))).as_in_file()
    where = outside(THIN)[0]
    assert (thick[:, :12][:, where[:12]] == -2000).all()
    assert (thick[:, 12:][:, where[12:]] == -3024).all()


def test_restored_padding_is_that_of_the_nearest_thick_slice():
    thick = scan(-3024.0, 0.15, THICK)
    restored = carried(Volume(np.full(THIN.zyx, 7, np.float32), THIN), thick)
    nearest = np.abs(THIN.centres_mm()[:, None] - THICK.centres_mm()).argmin(1)
    assert np.array_equal(restored.padded(), thick.padded()[nearest])
    assert (restored.as_in_file()[restored.padded()] == -3024).all()


def test_halfway_between_two_slices_both_must_be_measured():
    thick = scan(-3024.0, 0.3, THICK)
    halfway = THICK.with_slices(n=7, increment_mm=5.0, thickness_mm=1.0, start_mm=4.5)
    restored = carried(Volume(np.zeros(halfway.zyx, np.float32), halfway), thick)
    assert np.array_equal(restored.padded(), thick.padded()[1:] | thick.padded()[:-1])


def test_finer_pixels_take_the_pixel_they_lie_in():
    thick = scan(-3024.0, 0.15, THICK)
    fine = finer_pixels(THICK, 2)
    restored = carried(Volume(np.zeros(fine.zyx, np.float32), fine), thick)
    assert np.array_equal(restored.padded(), thick.padded().repeat(2, 1).repeat(2, 2))


def test_a_scan_without_padding_gives_none():
    thick = Volume(patient(THICK), THICK)
    assert carried(Volume(patient(THIN), THIN), thick).padding is None
    assert thick_of(plugins.build("degradations", DEGRADATIONS["box5"]), thick).padding is None


def test_measured_profiles_do_not_see_padding():
    degradation = plugins.build("degradations", DEGRADATIONS["box5"])
    thin = scan(-3024.0, 0.15)
    thick = thick_of(degradation, thin)
    taps = fit_taps(thin, thick).weights
    spoilt = [spoil(volume) for volume in (thin, thick)]
    assert np.array_equal(fit_taps(*spoilt).weights, taps)
    np.testing.assert_allclose(taps[5:10], 0.2, atol=1e-3)


def spoil(volume):
    """Noise where there is padding."""
    noise = np.random.default_rng(3).normal(0, 500, volume.grid.zyx)
    voxels = np.where(volume.padded(), noise, volume.voxels)
    return Volume(voxels.astype(np.float32), volume.grid, volume.modality, volume.padding)


def test_numbers_of_blurred_edges_cost_nothing_and_stay_padding():
    """A scan turned by another tool has a number of its own in every voxel of its rim."""
    numbers = as_in_file(THIN, -3024.0)
    rim = outside(THIN) & (np.random.default_rng(5).random(THIN.zyx) < 0.3)
    numbers[rim] = np.linspace(-3000, -1600, int(rim.sum()), dtype=np.float32)
    thin = with_padding(Volume(numbers, THIN))
    assert len(thin.padding.values) > 100
    degradation = plugins.build("degradations", DEGRADATIONS["box5"])
    thick, plain = thick_of(degradation, thin), thick_of(degradation, scan(-3024.0))
    assert np.array_equal(thick.padded(), plain.padded())
    assert np.array_equal(thick.voxels, plain.voxels)
    assert thick.padding.values[0] == -3024
    assert len(thick.padding.values) <= padding.NUMBERS
