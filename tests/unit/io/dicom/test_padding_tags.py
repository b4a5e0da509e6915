"""PixelPaddingValue and its range, in stored values, read and written."""

import numpy as np
import pydicom
import pytest

from support import dicom_maker
from support.padded_scans import NUMBERS, THICK, as_in_file, outside, patient
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.dicom.read import read_dicom
from thinslice.io.dicom.write import write_dicom
from thinslice.io.inspect import scans_in
from thinslice.volume import EMPTY_HU, Padding

POSITIONS = dicom_maker.positions_of(THICK.n, 5.0)
MADE = Derivation("made", "made", "a method")


def series(folder, hu, change=lambda k, data: None):
    return dicom_maker.series(folder, hu, POSITIONS, change=change)


def stating(value, limit=None, vr=None):
    def change(k, data):
        data.add_new("PixelPaddingValue", vr or "SS", value)
        if limit is not None:
            data.add_new("PixelPaddingRangeLimit", vr or "SS", limit)

    return change


@pytest.mark.parametrize("number", NUMBERS[1:3])
@pytest.mark.parametrize("tagged", [True, False])
def test_padding_is_marked_with_and_without_the_tag(tmp_path, number, tagged):
    change = stating(int(number) + 1024) if tagged else lambda k, data: None
    scan = read_dicom(series(tmp_path / "scan", as_in_file(THICK, number), change))
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))
    assert np.array_equal(scan.volume.voxels, as_in_file(THICK, EMPTY_HU))
    assert np.array_equal(scan.volume.as_in_file(), as_in_file(THICK, number))


def test_the_lowest_stored_number(tmp_path):
    hu = np.where(outside(THICK), -32768 - 1024, patient(THICK))
    scan = read_dicom(series(tmp_path / "scan", hu, stating(-32768)))
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))


def test_stated_air_is_padding(tmp_path):
    hu = as_in_file(THICK, EMPTY_HU)
    plain = read_dicom(series(tmp_path / "plain", hu))
    scan = read_dicom(series(tmp_path / "scan", hu, stating(0)))
    assert plain.volume.padding is None
    assert scan.volume.padding.mask.mean() > 0.95 * outside(THICK).mean()
    assert not (scan.volume.padding.mask & ~outside(THICK)).any()
    assert np.array_equal(plain.volume.voxels, scan.volume.voxels)


def test_a_range_from_value_to_limit(tmp_path):
    hu = as_in_file(THICK, -3024.0)
    steps = np.random.default_rng(0).integers(0, 40, hu.shape)
    hu = np.where(outside(THICK), hu + steps, hu)
    for name, ends in {"up": (-2000, -1961), "down": (-1961, -2000)}.items():
        scan = read_dicom(series(tmp_path / name, hu, stating(*ends)))
        assert np.array_equal(scan.volume.padding.mask, outside(THICK))
        assert np.array_equal(scan.volume.as_in_file(), hu)


def test_a_value_written_without_its_sign(tmp_path):
    hu = as_in_file(THICK, -3024.0)
    scan = read_dicom(series(tmp_path / "scan", hu, stating(65536 - 2000, vr="US")))
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))


def test_the_tag_speaks_of_stored_values_of_each_slice(tmp_path):
    """Every slice has a rescale, and a padding, of its own."""
    hu = as_in_file(THICK, -3024.0)

    def change(k, data):
        stored = hu[k] + 1024 + 10 * k
        data.PixelData, data.RescaleIntercept = stored.astype("<i2").tobytes(), -1024 - 10 * k
        data.PixelPaddingValue = -2000 + 10 * k

    scan = read_dicom(series(tmp_path / "scan", hu, change))
    assert np.array_equal(scan.volume.padding.mask, outside(THICK))


def test_a_stated_value_inside_the_patient_is_measured(tmp_path):
    hu = patient(THICK)
    hu[:, 11:14, 12:15] = 0
    scan = read_dicom(series(tmp_path / "scan", hu, stating(1024)))
    assert scan.volume.padding is None or not scan.volume.padding.mask[:, 11:14, 12:15].any()


@pytest.mark.parametrize("value", ["", "many", None])
def test_a_tag_without_a_number_states_nothing(tmp_path, value):
    def change(k, data):
        data.add_new("PixelPaddingValue", "LO", value)

    assert read_dicom(series(tmp_path / "scan", patient(THICK), change)).volume.padding is None


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_a_written_series_states_it_and_comes_back(tmp_path, number):
    source = series(tmp_path / "in", as_in_file(THICK, -3024.0))
    scan = read_dicom(source)
    numbered = Padding(scan.volume.padding.labels, (number,))
    volume = scan.volume.with_padding(numbered)
    write_dicom(volume, tmp_path / "out", source=scan.files, derivation=MADE)
    again = read_dicom(tmp_path / "out")
    first = pydicom.dcmread(tmp_path / "out/0001.dcm")
    assert np.array_equal(again.volume.as_in_file(), volume.as_in_file())
    assert np.array_equal(again.volume.padding.mask, outside(THICK))
    assert first.PixelPaddingValue + first.RescaleIntercept == number
    assert first["PixelPaddingValue"].VR == "SS"


def test_a_number_that_16_bits_do_not_hold_becomes_the_lowest(tmp_path):
    scan = read_dicom(series(tmp_path / "in", as_in_file(THICK, -3024.0)))
    padding = Padding(scan.volume.padding.labels, (-1e9,))
    write_dicom(scan.volume.with_padding(padding), tmp_path / "out", derivation=MADE)
    again = read_dicom(tmp_path / "out").volume
    assert again.padding.values == (-32768.0,)


def test_several_numbers_are_stated_as_a_range(tmp_path):
    hu = as_in_file(THICK, -3024.0)
    hu[:, :12][outside(THICK)[:, :12]] = -2000
    scan = read_dicom(series(tmp_path / "in", hu))
    write_dicom(scan.volume, tmp_path / "out", derivation=MADE)
    first = pydicom.dcmread(tmp_path / "out/0001.dcm")
    assert (first.PixelPaddingValue, first.PixelPaddingRangeLimit) == (-3024, -2000)
    assert np.array_equal(read_dicom(tmp_path / "out").volume.as_in_file(), hu)


def test_inspect_states_the_tag_in_hu(tmp_path):
    folder = series(tmp_path / "scan", as_in_file(THICK, -2000.0), stating(-2000 + 1024))
    (row,) = scans_in(folder)
    assert any("states padding: -2000 (PixelPaddingValue)" in line for line in row.warnings)
