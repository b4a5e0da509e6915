"""``thinslice restore IN OUT``: weights of the package, no network, a word outside their domain."""

import json
import socket
from dataclasses import replace

import numpy as np
import pytest

from support.conditioned import GRID, scan, weights_file
from support.restore import CPU, restored, statement_of
from thinslice.cli import main
from thinslice.fs.hashing import sha256_by_name
from thinslice.io import files
from thinslice.io.nifti.write import write_nifti
from thinslice.restoration import methods, output, quality, refine

pytestmark = pytest.mark.usefixtures("no_picture")
FINE = replace(GRID, pixel_mm=(0.9, 0.9))
DECLARED = ["--declared-thickness", "4"]


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    folder = tmp_path / "weights"
    folder.mkdir()
    path = weights_file(folder, side=16, batch=2)
    monkeypatch.setattr(methods, "PACKAGED", path)
    return path


@pytest.fixture
def thick(tmp_path):
    return write_nifti(scan(FINE), tmp_path / "thick.nii.gz")


def test_it_restores_without_weights_or_network_and_names_what_it_used(
    tmp_path, capsys, packaged, thick, monkeypatch
):
    monkeypatch.setattr(socket, "socket", None)
    out = tmp_path / "thin.nii.gz"
    status, printed, complaints = restored(capsys, thick, out, *CPU, "--strict", *DECLARED)
    assert (status, quality.OUTSIDE in complaints) == (0, False)
    method = statement_of(out)["method"]
    assert method["card"]["name"] == methods.DEFAULT
    assert method["weights"]["sha256"] == sha256_by_name(packaged)[packaged.name]
    assert (method["precision"], method["refined"]) == ("fp32", None)
    assert methods.DEFAULT in printed
    assert files.read(out).volume.grid.n == 36
    assert list(tmp_path.glob("*.work")) == []


def test_outside_its_domain_it_says_so_and_strict_refuses(tmp_path, capsys, packaged, thick):
    out = tmp_path / "thin.nii.gz"
    words = [thick, out, *CPU, "--declared-thickness", "16", "--dry-run"]
    status, _, complaints = restored(capsys, *words)
    assert status == 0
    for way in (
        "slices 16 mm thick; fitted on 1.5 to 10 mm",
        "slices apart by 0.25 of their thickness",
    ):
        assert f"{quality.OUTSIDE}: {way}" in complaints
    status, _, complaints = restored(capsys, *words, "--strict")
    assert status == 2
    assert "16 mm thick" in complaints.splitlines()[-1]
    status, _, complaints = restored(
        capsys, thick, out, *DECLARED, "--thickness", "3", "--increment", "3", "--dry-run"
    )
    assert "thin slices of 3 mm; fitted on 0.6 to 2 mm" in complaints


def test_refined_in_a_time_it_names_the_steps_and_those_give_the_same_bits(
    tmp_path, capsys, packaged, thick, monkeypatch
):
    monkeypatch.setattr(refine, "_steps_in", lambda *how: 3)
    first, second, plain = (tmp_path / f"{name}.nii" for name in ("first", "second", "plain"))
    status, printed, _ = restored(capsys, thick, first, *CPU, *DECLARED, "--refine", "60s")
    assert status == 0
    found = statement_of(first)["method"]["refined"]
    assert (found["steps"], found["repeat"]) == (3, "--refine 3steps --threads 1")
    assert found["repeat"] in printed
    assert restored(capsys, thick, second, *CPU, *DECLARED, "--refine", "3steps")[0] == 0
    assert restored(capsys, thick, plain, *CPU, *DECLARED)[0] == 0
    assert first.read_bytes() == second.read_bytes() != plain.read_bytes()


def test_a_time_is_measured_and_a_second_call_keeps_the_steps(tmp_path, packaged):
    from thinslice.interfaces import Run

    run = Run("cpu", threads=1, progress=False, work=tmp_path / "work")
    method = methods.choose().method
    budget = refine.Budget.of("1.5 s")
    _, first = refine.refined(method, scan(FINE), budget, run)
    decided = json.loads((run.work / refine.DECIDED).read_text())
    ((key, steps),) = decided.items()
    assert steps == first.steps
    (run.work / refine.DECIDED).write_text(json.dumps({key: 2}))
    learner, second = refine.refined(method, scan(FINE), budget, run)
    assert second.steps == 2
    assert learner is not method
    before = methods.choose().method.restore(scan(FINE), replace(FINE, n=3), run=run).voxels
    np.testing.assert_array_equal(
        method.restore(scan(FINE), replace(FINE, n=3), run=run).voxels, before
    )


def test_steps_are_decided_for_one_scan_and_one_time(tmp_path, packaged, monkeypatch):
    from thinslice.interfaces import Run

    counted = []
    monkeypatch.setattr(refine, "_steps_in", lambda *how: counted.append(how) or len(counted))
    run = Run("cpu", threads=1, progress=False, work=tmp_path / "work")
    method, first = methods.choose().method, scan(FINE)
    other = first.with_voxels(first.voxels + 1)
    short, longer = refine.Budget.of("1s"), refine.Budget.of("2s")
    calls = [(first, short), (other, short), (first, longer), (first, short), (other, short)]
    steps = [refine.refined(method, thick, budget, run)[1].steps for thick, budget in calls]
    assert steps == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("text", ["60", "0s", "0steps", "fast", "-3s", "", "1.5steps"])
def test_what_is_no_time_and_no_number_of_steps_is_refused(tmp_path, capsys, packaged, thick, text):
    assert main(["restore", str(thick), str(tmp_path / "o.nii"), f"--refine={text}"]) == 2
    assert "60s or 500steps" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "budget"),
    [("60s", (None, 60)), ("1.5min", (None, 90)), ("500steps", (500, None)), ("1 step", (1, None))],
)
def test_times_and_steps_as_people_write_them(text, budget):
    assert refine.Budget.of(text) == budget


def test_what_cannot_be_refined_is_refused_before_any_work(tmp_path, capsys, packaged, thick):
    words = ["restore", str(thick), str(tmp_path / "o.nii"), "--refine", "60s"]
    for name in ("cubic", methods.ALONE):
        assert main([*words, "--method", name]) == 2
        assert "leave out --refine" in capsys.readouterr().err
    coarse = write_nifti(scan(replace(GRID, pixel_mm=(3.0, 3.0))), tmp_path / "coarse.nii.gz")
    assert main(["restore", str(coarse), *words[2:]]) == 2
    assert "without refining" in capsys.readouterr().err
    assert not (tmp_path / "o.nii").exists()


def test_the_companion_files_stand_beside(tmp_path, capsys, packaged, thick):
    out = tmp_path / "thin.nii"
    assert restored(capsys, thick, out, *CPU, *DECLARED)[0] == 0
    assert out.with_name(out.name + output.STATEMENT).exists()
