"""Padding is told from measurements, whatever its number, and never more than padding."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from support.padded_scans import NUMBERS, THICK, as_in_file, outside, patient
from thinslice.errors import Refused
from thinslice.io.nifti.read import read_nifti
from thinslice.io.padding import settled, with_padding
from thinslice.volume import EMPTY_HU, Volume

BELOW_AIR = [*NUMBERS[1:], -1025.0, -5000.0, -1e9]
HERE = Path("scan")


def marked(numbers, modality="CT", stated=None):
    return with_padding(Volume(np.asarray(numbers, np.float32), THICK, modality), stated)


def mask_of(volume):
    return np.zeros(THICK.zyx, bool) if volume.padding is None else volume.padding.mask


@pytest.mark.parametrize("number", BELOW_AIR)
@pytest.mark.parametrize("step_px", [0.0, 0.15])
def test_the_outside_is_marked_whatever_its_number(number, step_px):
    scan = marked(as_in_file(THICK, number, step_px))
    assert np.array_equal(mask_of(scan), outside(THICK, step_px))
    assert scan.padding.values == (number,)
    assert np.array_equal(scan.as_in_file(), as_in_file(THICK, number, step_px))


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_voxels_are_those_of_a_scan_padded_with_air(number):
    assert np.array_equal(marked(as_in_file(THICK, number)).voxels, as_in_file(THICK, EMPTY_HU))


def test_unstated_air_is_no_padding():
    assert marked(as_in_file(THICK, EMPTY_HU)).padding is None


def test_a_field_that_moves_is_filled_from_measured_slices_alone():
    scans = [marked(as_in_file(THICK, number, 0.15)) for number in NUMBERS[1:]]
    assert all(np.array_equal(scan.voxels, scans[0].voxels) for scan in scans)
    sometimes = outside(THICK, 0.15).any(0) & ~outside(THICK, 0.15).all(0)
    assert scans[0].voxels[:, sometimes].min() > -1020


def test_what_does_not_reach_the_border_is_measured():
    numbers = as_in_file(THICK, -2000.0)
    numbers[2, 11:14, 12:15] = -1500  # a dark streak of metal
    numbers[3, 11:14, 12:15] = -2000  # even of the padding's own number
    numbers[4, 11:14, 12:15] = EMPTY_HU
    assert np.array_equal(mask_of(marked(numbers)), outside(THICK))


def test_a_streak_that_reaches_the_border_is_measured_too():
    numbers = patient(THICK)
    numbers[2, 12, :] = np.linspace(-1100, -1500, THICK.shape[1])
    assert marked(numbers).padding is None


@pytest.mark.parametrize("spread", [2, 10, 60])
def test_noisy_air_below_air_is_measured(spread):
    noise = np.rint(np.random.default_rng(0).normal(-1040, spread, THICK.zyx))
    assert marked(noise).padding is None


def test_edges_blurred_by_resampling_or_lossy_compression():
    rough = np.random.default_rng(0).integers(-40, 41, THICK.zyx)
    numbers = as_in_file(THICK, -3024.0) + np.where(outside(THICK), rough, 0)
    numbers[:, :3] = -3024
    edge = outside(THICK, radius_px=10.0) & ~outside(THICK)
    numbers[edge] = -2100
    numbers[3, 11:14, 12:15] = -2100  # not beside it
    scan = marked(numbers)
    assert np.array_equal(mask_of(scan)[:, 3:], (outside(THICK) | edge)[:, 3:])
    assert np.array_equal(scan.as_in_file(), numbers)


def test_sagittal_slices_have_padding_at_their_ends_and_whole_slices_of_it():
    numbers = as_in_file(THICK, -3024.0).transpose(2, 0, 1)
    grid = replace(THICK, n=THICK.shape[1], shape=(THICK.n, THICK.shape[0]))
    scan = with_padding(Volume(np.ascontiguousarray(numbers), grid))
    assert np.array_equal(scan.padded(), outside(THICK).transpose(2, 0, 1))


def test_one_corner_cut_off():
    numbers = patient(THICK)
    y, x = np.mgrid[: THICK.shape[0], : THICK.shape[1]]
    numbers[:, y + x < 9] = -2000
    assert np.array_equal(mask_of(marked(numbers)), np.broadcast_to(y + x < 9, THICK.zyx))


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_corners_of_few_pixels(pixels):
    numbers, y = patient(THICK), np.mgrid[: THICK.shape[0], : THICK.shape[1]]
    corner = y[0] + y[1] < pixels
    numbers[:, corner] = -3024
    assert np.array_equal(mask_of(marked(numbers)), np.broadcast_to(corner, THICK.zyx))


def test_slices_that_are_padding_throughout_and_others_without_any():
    numbers = patient(THICK)
    numbers[0], numbers[-1] = -3024, -3024
    scan = marked(numbers)
    assert mask_of(scan)[[0, -1]].all()
    assert not mask_of(scan)[1:-1].any()
    assert np.array_equal(scan.voxels[0], numbers[1])


def test_numbers_that_differ_from_slice_to_slice_and_within_one():
    numbers = as_in_file(THICK, -2000.0)
    numbers[1::2][outside(THICK)[1::2]] = -3024
    numbers[0, :3] = -32768
    scan = marked(numbers)
    assert scan.padding.values == (-32768.0, -3024.0, -2000.0)
    assert np.array_equal(scan.as_in_file(), numbers)
    kept = ~outside(THICK) & (numbers > -32768)
    assert np.array_equal(mask_of(scan), ~kept)


def test_stated_air_is_padding_where_it_is_flat_and_reaches_the_border():
    numbers = as_in_file(THICK, EMPTY_HU)
    numbers[2, 12, 14] = numbers[3, 10:14, 10:14] = EMPTY_HU
    scan = marked(numbers, stated=numbers == EMPTY_HU)
    assert not (mask_of(scan) & ~outside(THICK)).any()
    assert (outside(THICK) & ~mask_of(scan)).mean() < 0.02  # single pixels between circle and row


def test_stated_noise_cut_at_air_is_measured():
    noise = np.rint(np.random.default_rng(0).normal(-1010, 20, THICK.zyx)).clip(EMPTY_HU)
    scan = marked(noise, stated=noise == EMPTY_HU)
    assert mask_of(scan).mean() < 0.01


def test_background_of_mr_is_no_padding_stated_or_not():
    numbers = np.where(outside(THICK), 0, patient(THICK, modality="MR"))
    assert marked(numbers, "MR", stated=numbers == 0).padding is None


def test_mr_pads_what_is_stated_only():
    numbers = np.where(outside(THICK), -2000, patient(THICK, modality="MR"))
    assert marked(numbers, "MR").padding is None
    assert np.array_equal(mask_of(marked(numbers, "MR", numbers == -2000)), outside(THICK))


def test_notes_count_the_voxels_and_name_the_number():
    _, notes = settled(HERE, Volume(as_in_file(THICK, -3024.0), THICK))
    (line,) = notes
    assert line.startswith(f"{outside(THICK).sum()} voxels (")
    assert "(-3024)" in line
    assert settled(HERE, Volume(as_in_file(THICK, EMPTY_HU), THICK))[1] == []


def test_measured_values_below_air_are_still_named():
    numbers = as_in_file(THICK, -3024.0)
    numbers[2, 12, 14] = -1500
    _, notes = settled(HERE, Volume(numbers, THICK))
    assert "measured values go down to -1500, below air" in notes


def test_padding_alone_is_refused():
    with pytest.raises(Refused, match="padding alone"):
        settled(HERE, Volume(np.full(THICK.zyx, -2000, np.float32), THICK))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("number", NUMBERS[1:])
def test_nifti_of_any_type(tmp_path, dtype, number):
    array = as_in_file(THICK, number).transpose(2, 1, 0).astype(dtype)
    affine = np.diag([-2.0, -2.0, 5.0, 1.0])
    nib.save(nib.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    scan = read_nifti(tmp_path / "scan.nii.gz")
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))
    assert np.array_equal(scan.volume.voxels, as_in_file(THICK, EMPTY_HU))


def test_nifti_scaled_by_slope_and_intercept(tmp_path):
    stored = (2 * (as_in_file(THICK, -3024.0) + 1024)).transpose(2, 1, 0).astype(np.int16)
    image = nib.Nifti1Image(stored, np.diag([-2, -2, 5, 1]))
    nib.save(image, tmp_path / "scan.nii")
    with (tmp_path / "scan.nii").open("r+b") as file:
        file.seek(112)  # scl_slope, scl_inter
        file.write(np.array([0.5, -1024], "<f4").tobytes())
    scan = read_nifti(tmp_path / "scan.nii")
    assert np.array_equal(scan.volume.as_in_file(), as_in_file(THICK, -3024.0))
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))
