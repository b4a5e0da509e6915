"""``thinslice restore`` of padded scans: same answer inside, same numbers outside, all said."""

import json

import numpy as np
import pytest

from support import dicom_maker
from support.padded_scans import NUMBERS, THICK, as_in_file, outside
from support.restore import CPU, PRESETS, restored, statement_of
from thinslice.cli import main
from thinslice.io import files
from thinslice.io.nifti.write import write_nifti
from thinslice.io.read import read_scan
from thinslice.restoration import methods, restore
from thinslice.volume import Volume

pytestmark = pytest.mark.usefixtures("no_picture")
ENDINGS = ["", ".nii.gz", ".zarr"]


def nifti(folder, number, step_px=0.0):
    folder.mkdir(exist_ok=True)
    volume = Volume(as_in_file(THICK, number, step_px), THICK)
    return write_nifti(volume, folder / f"in{number:g}.nii.gz")


def dicom(folder, number, tagged=False):
    def change(k, data):
        if tagged:
            data.PixelPaddingValue = int(number) + 1024

    positions = dicom_maker.positions_of(THICK.n, 5.0)
    name = folder / f"in{number:g}{tagged}"
    return dicom_maker.series(name, as_in_file(THICK, number), positions, change=change)


def answer(capsys, scan, out, *words):
    status, _, err = restored(capsys, scan, out, "--method", "cubic", *words)
    assert status == 0, err
    return files.read(out).volume


def field(volume):
    """Which voxels of an answer no padding is near of."""
    return np.broadcast_to(~outside(THICK)[0], volume.grid.zyx)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("make", [nifti, dicom])
def test_the_answer_inside_and_the_numbers_outside(tmp_path, capsys, make, ending):
    numbers = NUMBERS if make is nifti else NUMBERS[:3]
    first = None
    for number in numbers:
        out = tmp_path / f"out{number:g}{ending}"
        got = answer(capsys, make(tmp_path, number), out)
        inside = field(got)
        first = got if first is None else first
        np.testing.assert_array_equal(got.voxels[inside], first.voxels[inside])
        assert (got.as_in_file()[~inside] == number).all()


def test_a_dicom_series_with_and_without_the_tag(tmp_path, capsys):
    plain = answer(capsys, dicom(tmp_path, -2000.0), tmp_path / "plain")
    tagged = answer(capsys, dicom(tmp_path, -2000.0, tagged=True), tmp_path / "tagged")
    np.testing.assert_array_equal(plain.as_in_file(), tagged.as_in_file())


def test_the_default_method(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(methods, "presets", lambda: PRESETS)
    volumes = []
    for number in NUMBERS:
        out = tmp_path / f"out{number:g}.nii.gz"
        assert restored(capsys, nifti(tmp_path, number), out, *CPU)[0] == 0
        volumes.append(files.read(out).volume)
    inside = field(volumes[0])
    for volume in volumes[1:]:
        np.testing.assert_array_equal(volume.voxels[inside], volumes[0].voxels[inside])
    assert (volumes[-1].as_in_file()[~inside] == -32768).all()


def test_the_statement_counts_the_voxels_of_each_number(tmp_path, capsys):
    out = tmp_path / "out.nii.gz"
    answer(capsys, nifti(tmp_path, -3024.0), out)
    statement = statement_of(out)
    n = int(outside(THICK).sum())
    assert statement["input"]["padding"] == [{"value": -3024.0, "voxels": n}]
    (entry,) = statement["output"]["padding"]
    assert entry["value"] == -3024.0
    assert entry["voxels"] == int((~field(files.read(out).volume)).sum())
    assert any(f"{n} voxels" in line for line in statement["warnings"])


def test_a_scan_without_padding_says_so(tmp_path, capsys):
    out = tmp_path / "out.nii.gz"
    answer(capsys, nifti(tmp_path, -1024.0), out)
    assert statement_of(out)["input"]["padding"] == statement_of(out)["output"]["padding"] == []


def test_a_field_that_moves_takes_the_padding_of_the_nearest_slice(tmp_path, capsys):
    got = [
        answer(capsys, nifti(tmp_path, number, 0.15), tmp_path / f"out{number:g}.nii.gz")
        for number in NUMBERS[1:]
    ]
    for volume, number in zip(got, NUMBERS[1:]):
        assert np.array_equal(volume.padded(), got[0].padded())
        assert np.array_equal(volume.voxels, got[0].voxels)
        assert (volume.as_in_file()[volume.padded()] == number).all()
        assert volume.voxels[~volume.padded()].min() > -1500


def test_a_number_of_16_bits_is_no_reason_to_refuse(tmp_path, capsys):
    got = answer(capsys, nifti(tmp_path, -32768.0), tmp_path / "out")
    assert (got.as_in_file()[~field(got)] == -32768).all()


def test_a_volume_from_memory(tmp_path):
    answers = []
    for number in NUMBERS:
        result = restore.restore(Volume(as_in_file(THICK, number), THICK), method="linear")
        answers.append(result.volume)
        assert any("padding" in line for line in result.warnings) == (number != NUMBERS[0])
    inside = field(answers[0])
    for volume in answers[1:]:
        assert np.array_equal(volume.voxels[inside], answers[0].voxels[inside])


@pytest.mark.parametrize("tilt_mm", [0.0, 0.7])
def test_an_irregular_scan_as_acquired(tmp_path, tilt_mm):
    """Uneven slices, maybe shifted in-plane: the same answer, and the scan's own number outside."""
    z_mm = np.array([0.0, 5.0, 10.0, 15.0, 21.0, 26.0, 31.0, 36.0])
    positions = [(0.0, tilt_mm * k, z) for k, z in enumerate(z_mm)]
    answers = []
    for number in NUMBERS[1:3]:
        folder = tmp_path / f"{number:g}"
        dicom_maker.series(folder, as_in_file(THICK, number), positions)
        result = restore.restore(read_scan(folder, as_acquired=True), method="linear")
        answers.append(result.volume)
        assert result.volume.padding.values == (number,)
        assert (result.volume.as_in_file()[result.volume.padded()] == number).all()
    np.testing.assert_array_equal(answers[0].voxels, answers[1].voxels)
    assert answers[0].voxels.min() > -1400


def test_trust_does_not_depend_on_the_number():
    scans = [Volume(as_in_file(THICK, number), THICK) for number in NUMBERS[1:]]
    reports = [restore.restore(scan, method="linear").trust for scan in scans]
    assert reports[0] == reports[1] == reports[2]


def test_inspect_counts_them(tmp_path, capsys):
    assert main(["inspect", str(nifti(tmp_path, -3024.0)), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert f"{outside(THICK).sum()} voxels" in json.dumps(rows)


def test_thickened_scans_keep_it(tmp_path):
    answers = []
    for number in NUMBERS:
        out = tmp_path / f"out{number:g}.nii.gz"
        words = [str(nifti(tmp_path, number)), str(out), "--thickness", "10"]
        assert main(["thicken", *words]) == 0
        answers.append(files.read(out).volume)
    inside = field(answers[0])
    for volume, number in zip(answers, NUMBERS):
        assert np.array_equal(volume.voxels[inside], answers[0].voxels[inside])
        assert (volume.as_in_file()[~inside] == number).all()
