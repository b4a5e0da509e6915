"""``thinslice restore`` from end to end: places, values, and what is said beside the scan."""

import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import matplotlib.image as images
import numpy as np
import pytest

from support.patient import SCAN, patient
from support.restore import CARD, SCHEMA, dicom, restored, statement_of
from thinslice.cli import arguments, main
from thinslice.fs.hashing import sha256_by_name
from thinslice.io import files
from thinslice.io.nifti.write import write_nifti
from thinslice.provenance.code_digest import closure
from thinslice.restoration import methods, quality, restore

ENDINGS = ["", ".nii.gz", ".nii", ".zarr"]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize("method", ["nearest", "linear"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("onward", [1, -1])
def test_dicom_asked_for_as_it_is_comes_back_bit_for_bit(tmp_path, capsys, method, ending, onward):
    scan, out = dicom(tmp_path / "in", onward=onward), tmp_path / f"out{ending}"
    own = ["--thickness", "5", "--increment", "2.5", "--method", method]
    assert restored(capsys, scan, out, *own)[0] == 0
    before = files.read(scan).volume
    after = files.read(out, thickness_mm=5.0).volume
    np.testing.assert_array_equal(after.voxels, before.voxels)
    assert after.grid.same_place(before.grid, 0.01)
    assert "nothing gets thinner" in " ".join(statement_of(out)["warnings"])
    assert statement_of(out)["trust"]["consistency"]["rmse"] == pytest.approx(0, abs=1e-3)


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize("method", ["nearest", "linear"])
def test_nifti_asked_for_as_it_is_comes_back_bit_for_bit(tmp_path, capsys, nifti, method):
    out = tmp_path / "out.nii"
    own = ["--thickness", "5", "--increment", "5", "--method", method]
    assert restored(capsys, nifti, out, *own)[0] == 0
    before, after = files.read(nifti).volume, files.read(out).volume
    np.testing.assert_array_equal(after.voxels, before.voxels)
    assert after.grid.same_place(before.grid, 0.01)


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize("slices", [(5, 5), (5, 2.5), (3, 2), (2.5, 1.25), (6.7, 5)])
@pytest.mark.parametrize("ending", ["", ".nii.gz"])
def test_the_extent_is_kept_within_a_thin_slice_and_the_frame_wholly(
    tmp_path, capsys, slices, ending
):
    scan = dicom(tmp_path / "in", *slices)
    out = tmp_path / f"out{ending}"
    assert restored(capsys, scan, out, "--method", "cubic")[0] == 0
    thick, thin = files.read(scan).volume.grid, files.read(out).volume.grid
    for grid in (thick, thin):
        assert grid.direction == pytest.approx(np.array(thick.direction), abs=1e-6)
    ends = [
        (grid.affine() @ (k, 0, 0, 1))[:3] @ thick.direction[0] + side * grid.thickness_mm / 2
        for grid in (thick, thin)
        for k, side in ((0, -1), (grid.n - 1, 1))
    ]
    (low, high), (first, last) = ends[:2], ends[2:]
    assert low - 0.01 <= first < low + 1
    assert high - 1 < last <= high + 0.01


def test_what_stands_beside_is_what_was_done(tmp_path, capsys):
    scan, out = dicom(tmp_path / "in"), tmp_path / "thin.nii.gz"
    status, printed, complaints = restored(capsys, scan, out, "--method", "cubic")
    assert (status, complaints.count("Traceback")) == (0, 0)
    found = statement_of(out)
    for told, path in ((found["input"], scan), (found["output"], out)):
        assert told["files"] == sha256_by_name(path)
    assert found["input"]["path"] == str(scan)
    card = {"name": "cubic", "module": "interpolation", "settings": {"kind": "cubic"}}
    assert found["method"]["card"] == card
    assert found["method"]["fidelity"] == "textbook"
    printed_warnings = [line[9:] for line in complaints.splitlines()]
    assert set(printed_warnings) | {found["trust"]["verdict"]["sentence"]} >= set(found["warnings"])
    assert len(printed_warnings) == len(set(printed_warnings)) <= len(found["warnings"])
    assert found["grids"]["output"]["thickness_mm"] == 1.0
    picture = images.imread(tmp_path / "thin.nii.gz.preview.png")
    assert min(picture.shape[:2]) > 500
    assert np.ptp(picture) > 0.9
    for words in ("7 slices of 12 x 14", "overlapping by 2.5 mm", "Not a medical device"):
        assert words in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in", "thin.nii.gz", "thin.nii.gz.preview.png", "thin.nii.gz.thinslice.json",
    ]  # fmt: skip


@pytest.mark.usefixtures("no_picture")
def test_a_zip_and_the_folder_in_it_are_the_same_input(tmp_path, capsys):
    scan = dicom(tmp_path / "in")
    zipped = shutil.make_archive(str(tmp_path / "scan"), "zip", tmp_path, "in")
    for name, path in (("a.nii", scan), ("b.nii", zipped)):
        assert restored(capsys, path, tmp_path / name, "--method", "linear")[0] == 0
    folder, packed = (statement_of(tmp_path / name)["input"] for name in ("a.nii", "b.nii"))
    assert packed["path"] == zipped
    assert (packed["files"], packed["sha256"]) == (folder["files"], folder["sha256"])
    assert packed["source"]["zip_sha256"] == sha256_by_name(Path(zipped))["scan.zip"]


@pytest.mark.usefixtures("no_picture")
def test_weights_bring_their_method_and_a_like_scan_draws_no_warning(
    tmp_path, capsys, nifti, weights
):
    out = tmp_path / "out.nii"
    declared = ["--declared-thickness", "5"]
    status, _, complaints = restored(
        capsys, nifti, out, "--weights", weights, "--strict", *declared
    )
    assert (status, quality.OUTSIDE in complaints) == (0, False)
    assert [row["slice"] for row in statement_of(out)["trust"]["consistency"]["slices"]] == [
        *range(1, 13)
    ]
    method = statement_of(out)["method"]
    assert method["card"] == CARD
    assert method["weights"]["sha256"] == sha256_by_name(weights)["tiny.pt"]
    assert method["parameters"] > 0


@pytest.mark.usefixtures("no_picture")
def test_a_scan_unlike_those_fitted_on_is_warned_of_and_with_strict_refused(
    tmp_path, capsys, weights, monkeypatch
):
    scan, out = dicom(tmp_path / "in", 3.0, 2.0), tmp_path / "out.nii"
    status, _, complaints = restored(capsys, scan, out, "--weights", weights)
    assert status == 0
    ways = statement_of(out)["trust"]["outside_of_what_was_learned"]
    assert len(ways) >= 3
    for words in ways:
        assert complaints.count(words) == 1  # before it is restored, and not again
    assert any("3 mm thick" in words for words in ways)
    monkeypatch.setattr(restore, "carry_out", None)  # it is not even begun
    status, _, complaints = restored(
        capsys, scan, out, "--weights", weights, "--strict", "--overwrite"
    )
    assert status == 2
    assert all(words in complaints.splitlines()[-1] for words in ways)


def test_a_dry_run_says_all_and_writes_nothing(tmp_path, capsys, nifti):
    before = sorted(path.name for path in tmp_path.rglob("*"))
    status, printed, _ = restored(capsys, nifti, tmp_path / "out", "--dry-run")
    assert status == 0
    for words in ("12 slices of 40 x 48", "60 slices of", methods.DEFAULT, "device   c", "dry"):
        assert words in printed
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("no_picture")
def test_mr_is_restored_in_its_own_unit(tmp_path, capsys):
    scan = write_nifti(patient(SCAN, modality="MR"), tmp_path / "mr.nii", dtype="float32")
    out = tmp_path / "out.nii.gz"
    assert restored(capsys, scan, out, "--modality", "MR", "--method", "linear")[0] == 0
    assert statement_of(out)["input"]["modality"] == "MR"


def test_three_lines_of_python(tmp_path, nifti):
    code = f"""
import sys
from thinslice import read, restore, write
result = restore(read({str(nifti)!r}), method="cubic")
write(result, {str(tmp_path / "out.nii.gz")!r})
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert statement_of(tmp_path / "out.nii.gz")["grids"]["output"]["n"] == 60


@pytest.mark.usefixtures("no_picture")
def test_a_volume_from_memory_is_restored_and_written_too(tmp_path):
    from thinslice import restore, write

    write(restore(patient(SCAN), method="linear"), tmp_path / "out")
    assert statement_of(tmp_path / "out")["input"]["files"] == {}
    assert files.read(tmp_path / "out").volume.grid.n == 60


def test_importing_the_package_loads_nothing_and_ties_nothing_together():
    code = "import sys, thinslice; print(*(m for m in ('numpy', 'torch') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""
    assert "thinslice.restoration.restore" not in closure(["thinslice.io.dicom.derived_header"])
    with pytest.raises(ImportError):
        from thinslice import no_such_thing  # noqa: F401


@pytest.mark.parametrize(
    ("text", "gib"), [("6G", 6.0), ("500M", 500 / 1024), ("1.5GiB", 1.5), ("2gb", 2.0)]
)
def test_memory_as_people_write_it(text, gib):
    assert arguments.gibibytes(text) == pytest.approx(gib)


@pytest.mark.parametrize(
    "words",
    [["--max-memory", "6"], ["--max-memory", "lots"], ["--max-memory", "0G"],
     ["--thickness", "-1"], ["--increment", "nan"], ["--threads", "0"], ["--device", "tpu"]],
)  # fmt: skip
def test_amounts_that_are_none_are_refused(capsys, words):
    with pytest.raises(SystemExit) as refused:
        main(["restore", "in", "out", *words])
    assert refused.value.code == 2
    assert words[1] in capsys.readouterr().err
