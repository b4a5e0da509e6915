"""A restored scan stands whole or not at all: kills, Ctrl-C, taken places, full disks."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from support.paths import importing
from support.restore import CPU, ENDS, dicom, killed_at, names, often, restored, statement_of
from thinslice.fs import transaction
from thinslice.fs.hashing import sha256_by_name
from thinslice.io import files
from thinslice.restoration import output, restore
from thinslice.training import loop

pytestmark = pytest.mark.usefixtures("no_picture")
KILLED_AT_5 = """
import os, signal, sys
from support.restore import often
from thinslice.cli import main
from thinslice.training import loop

def advance(self, *how, step=loop._Training.advance):
    if self.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    step(self, *how)

often(setattr)
loop._Training.advance = advance
sys.exit(main(["restore", *sys.argv[1:]]))
"""


def numbers(out):
    """All that is said of a restored scan but for when and where it was made."""
    told = statement_of(out)
    told["output"].pop("name")
    return {key: value for key, value in told.items() if key != "run"}


def test_a_killed_run_leaves_no_scan_and_the_same_command_ends_as_if_it_never_was(
    tmp_path, capsys, monkeypatch, nifti
):
    words = [*CPU, "--declared-thickness", "5"]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED_AT_5), nifti, tmp_path / "b.nii", *words],
        env=importing(),
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == ["b.nii.thinslice.work", "thick.nii.gz"]
    often(monkeypatch.setattr)
    status, printed, _ = restored(capsys, nifti, tmp_path / "b.nii", *words)
    assert (status, "resuming from" in printed) == (0, True)
    status, printed, _ = restored(capsys, nifti, tmp_path / "a.nii", *words)
    assert (status, "resuming from" in printed) == (0, False)
    assert (
        numbers(tmp_path / "b.nii")["output"]["files"]["b.nii"]
        == sha256_by_name(tmp_path / "a.nii")["a.nii"]
    )
    assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "b.nii").read_bytes()
    assert not [name for name in names(tmp_path) if "work" in name]


def test_ctrl_c_is_one_line_and_what_was_learned_is_kept(tmp_path, capsys, monkeypatch, nifti):
    often(monkeypatch.setattr)
    step = loop._Training.advance

    def advance(self, *how):
        if self.step == 4:
            raise KeyboardInterrupt
        step(self, *how)

    monkeypatch.setattr(loop._Training, "advance", advance)
    out = tmp_path / "out.nii"
    status, _, complaints = restored(capsys, nifti, out, *CPU)
    assert status == 130
    last = complaints.splitlines()[-1]
    assert last.startswith("thinslice restore: stopped; ")
    assert "to resume from" in last
    assert names(tmp_path) == ["out.nii.thinslice.work", "thick.nii.gz"]
    monkeypatch.setattr(loop._Training, "advance", step)
    (tmp_path / "out.nii.thinslice.work" / "mine").write_text("not thinslice's")
    other = [*CPU, "--modality", "MR"]
    status, _, complaints = restored(capsys, nifti, out, *other)
    assert (status, "another scan, method or version" in complaints) == (0, True)
    assert names(tmp_path / "out.nii.thinslice.work") == ["mine"]


def test_two_calls_do_not_write_one_name(tmp_path, capsys, monkeypatch, nifti):
    out, inner = tmp_path / "out.nii", []
    carry_out = restore.carry_out

    def meanwhile(*how):
        if not inner:
            inner.append(None)
            inner.append(restored(capsys, nifti, out, "--method", "linear"))
        return carry_out(*how)

    monkeypatch.setattr(restore, "carry_out", meanwhile)
    assert restored(capsys, nifti, out, "--method", "linear")[0] == 0
    status, _, complaints = inner[1]
    assert status == 2
    assert "another thinslice restore" in complaints


@pytest.mark.parametrize(
    ("name", "before"), [("out", True), ("out.nii", False), ("out.nii", True), ("out.zarr", True)]
)
def test_killed_at_any_rename_the_statement_is_never_another_scan_s(tmp_path, name, before):
    scan = files.read(dicom(tmp_path / "in"))
    new = restore.restore(scan, method="linear")
    old = restore.restore(scan, method="linear", increment_mm=0.8) if before else None
    status, nth, renames = -signal.SIGKILL, 0, 6 if before else 3
    while status == -signal.SIGKILL:
        nth += 1
        out = tmp_path / f"try{nth}" / name
        out.parent.mkdir()
        if old:
            output.write(old, out)
        hashes = sha256_by_name(out) if old else None
        status = killed_at_rename(nth, new, out)
        _coherent(out, hashes, status)
        went_on = transaction.finish_interrupted(out)
        assert out.exists()
        _coherent(out, hashes, status if not went_on else 0)
        assert names(out.parent) == sorted(f"{name}{end}" for end in ENDS)
        output.write(new, out, overwrite=True)
        assert names(out.parent) == sorted(f"{name}{end}" for end in ENDS)
        assert statement_of(out)["output"]["files"] == sha256_by_name(out)
    assert (status, nth) == (0, renames + 1)


def _coherent(out, old, status):
    """The old scan, or nothing, or the new one with its statement and its picture."""
    report = out.with_name(out.name + output.STATEMENT)
    listed = json.loads(report.read_text())["output"]["files"] if report.exists() else None
    if not out.exists():
        return
    has = sha256_by_name(out)
    assert listed in (None, has)
    if has != old or status == 0:
        assert listed == has
        assert out.with_name(out.name + output.PREVIEW).exists()


def killed_at_rename(nth, new, out):
    """Written by a child of this process that dies at its nth rename beside OUT; its status."""
    return killed_at(nth, out, lambda: output.write(new, out, overwrite=True))


@pytest.mark.parametrize("name", ["out", "out.nii", "out.zarr"])
@pytest.mark.parametrize("broken", ["scan", "picture", "last"])
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path, capsys, monkeypatch, name, broken):
    scan, out = dicom(tmp_path / "in"), tmp_path / name
    words = [scan, out, "--method", "linear", "--overwrite"]
    assert restored(capsys, *words, "--increment", "0.8")[0] == 0
    before, old = names(tmp_path), numbers(out)

    def full(*how, **options):
        raise OSError(28, "No space left on device")

    def last(made, place, move=os.replace, times=[]):  # noqa: B006 - once
        if str(place).endswith(output.PREVIEW) and not times:
            times.append(None)
            full()
        move(made, place)

    owner, attribute, put = {
        "scan": (output.files, "write", full),
        "picture": (output.preview, "draw", full),
        "last": (output.os, "replace", last),
    }[broken]
    with monkeypatch.context() as patched:
        patched.setattr(owner, attribute, put)
        status, _, complaints = restored(capsys, *words)
    assert (status, len(complaints.splitlines())) == (2, 1 + complaints.count("warning"))
    assert "No space left" in complaints
    assert (names(tmp_path), numbers(out)) == (before, old)
    assert sha256_by_name(out) == statement_of(out)["output"]["files"]


def test_overwriting_replaces_all_three(tmp_path, capsys, nifti):
    out = tmp_path / "out.nii.gz"
    assert restored(capsys, nifti, out, "--method", "linear")[0] == 0
    first = numbers(out)
    status, _, complaints = restored(capsys, nifti, out, "--method", "cubic")
    assert (status, "something there already" in complaints) == (2, True)
    assert numbers(out) == first
    assert restored(capsys, nifti, out, "--method", "cubic", "--overwrite")[0] == 0
    assert statement_of(out)["method"]["card"]["name"] == "cubic"
    assert statement_of(out)["output"]["files"] == sha256_by_name(out)
