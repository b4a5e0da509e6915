"""Padding of a volume: what stands there is kept, and no voxel depends on it."""

import numpy as np
import pytest

from thinslice.volume import EMPTY_HU, Grid, Padding, Volume, filled, window_of

GRID = Grid(n=4, increment_mm=5.0, thickness_mm=5.0, shape=(3, 4), pixel_mm=(1.0, 1.0))
RNG = np.random.default_rng(0)


def scan(number=-2000.0, modality="CT"):
    """Pixel (0, 0) is padded in every slice, (0, 1) in slices 0 and 3, (2, 3) in slice 1."""
    numbers = np.random.default_rng(0).normal(40, 10, GRID.zyx).astype(np.float32)
    mask = np.zeros(GRID.zyx, bool)
    mask[:, 0, 0] = mask[0, 0, 1] = mask[3, 0, 1] = mask[1, 2, 3] = True
    numbers[mask] = number
    padding = Padding.of(mask, numbers)
    return numbers, mask, Volume(filled(numbers, mask, modality), GRID, modality, padding)


def test_file_values_come_back():
    numbers, mask, volume = scan()
    assert np.array_equal(volume.as_in_file(), numbers)
    assert np.array_equal(volume.padding.mask, mask)
    assert volume.padding.counts() == {-2000.0: int(mask.sum())}


@pytest.mark.parametrize("number", [-1024.0, -3024.0, -32768.0, -1e9])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_voxels_do_not_depend_on_the_number(number, modality):
    assert np.array_equal(scan(number, modality)[2].voxels, scan(-2000.0, modality)[2].voxels)


def test_measured_voxels_are_left_alone():
    numbers, mask, volume = scan()
    assert np.array_equal(volume.voxels[~mask], numbers[~mask])


def test_fill_is_the_nearest_measured_slice_or_empty_air():
    _, _, volume = scan()
    assert (volume.voxels[:, 0, 0] == EMPTY_HU).all()
    assert volume.voxels[0, 0, 1] == volume.voxels[1, 0, 1]
    assert volume.voxels[3, 0, 1] == volume.voxels[2, 0, 1]
    assert volume.voxels[1, 2, 3] == volume.voxels[0, 2, 3]  # of two as near, the lower


def test_fill_of_mr_is_its_lowest_measured_value():
    numbers, mask, volume = scan(-5.0, "MR")
    assert (volume.voxels[:, 0, 0] == numbers[~mask].min()).all()


def test_several_numbers_are_told_apart():
    numbers = RNG.normal(0, 1, GRID.zyx).astype(np.float32)
    numbers[:, 0], numbers[1:3, 2] = -3024, -2000
    padding = Padding.of(numbers < -1000, numbers)
    assert padding.values == (-3024.0, -2000.0)
    assert padding.counts() == {-3024.0: 16, -2000.0: 8}
    volume = Volume(filled(numbers, padding.mask, "CT"), GRID, "CT", padding)
    assert np.array_equal(volume.as_in_file(), numbers)


def test_nothing_padded_is_no_padding():
    assert Padding.of(np.zeros(GRID.zyx, bool), np.zeros(GRID.zyx)) is None


def test_a_number_too_low_for_the_format_is_raised_to_its_lowest():
    _, mask, volume = scan(-1e9)
    assert (volume.as_in_file(-32768)[mask] == -32768).all()


def test_a_number_too_high_for_the_format_becomes_its_lowest():
    """63536 is -2000 in 16 bits without a sign; what does not fit is not measured air either."""
    _, mask, volume = scan(63536.0)
    assert (volume.as_in_file(-32768, 32767)[mask] == -32768).all()
    assert (volume.as_in_file()[mask] == 63536).all()


def test_padding_follows_new_values_on_the_same_grid_only():
    _, _, volume = scan()
    assert volume.with_voxels(volume.voxels + 1).padding is volume.padding
    assert volume.with_voxels(volume.voxels[:2], _with(n=2)).padding is None


def test_another_grid_refuses_the_padding():
    _, _, volume = scan()
    with pytest.raises(ValueError, match="padding"):
        Volume(volume.voxels[:2], _with(n=2), "CT", volume.padding)


def test_blocks_of_the_mask():
    _, mask, volume = scan()
    assert np.array_equal(volume.padded(slice(1, 2)), mask[1:2])
    assert volume.with_padding(None).padded() is None


def test_the_window_of_mr_leaves_padding_out():
    numbers, mask, volume = scan(-1e6, "MR")
    low, high = np.percentile(numbers[~mask], (0.5, 99.5))
    assert window_of(volume).low == pytest.approx(low)
    assert window_of(volume).high == pytest.approx(high)


def _with(n):
    return GRID.with_slices(n=n, increment_mm=5.0, thickness_mm=5.0, start_mm=0.0)


def test_more_numbers_than_16_bits_tell_apart_are_padding_too():
    numbers = -3024 + np.linspace(0, 1500, 300 * 300, dtype=np.float32).reshape(1, 300, 300)
    padding = Padding.of(np.ones(numbers.shape, bool), numbers)
    assert padding is not None
    scan = Volume(np.zeros_like(numbers), Grid(1, 1.0, 1.0, (300, 300), (1.0, 1.0)))
    np.testing.assert_array_equal(scan.with_padding(padding).as_in_file(), numbers)
