"""Asked to end, or killed while replacing OUT: a word, the right status, and nothing is lost."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from support.paths import importing
from support.quick import slow_but
from support.restore import (
    CPU,
    ENDS,
    at_rename,
    dicom,
    killed_at,
    names,
    often,
    restored,
    statement_of,
)
from support.signals import answer_all, ignore_all
from thinslice.cli import main, methods
from thinslice.fs import transaction
from thinslice.fs.hashing import sha256_by_name
from thinslice.io import files
from thinslice.restoration import output, restore

pytestmark = pytest.mark.usefixtures("no_picture")
STOPPED_AT_5 = """
import os, signal, sys
name = sys.argv.pop()
from support.restore import often
from thinslice.cli import main
from thinslice.training import loop; from thinslice.families import self_supervised
from thinslice.training.plan import Plan

def descend(self, *how, step=loop._Training._descend):
    if self.step == 4:
        os.kill(os.getpid(), getattr(signal, name))
    step(self, *how)

often(setattr)
self_supervised.Plan = Plan  # a checkpoint every minute: never
loop._Training._descend = descend
sys.exit(main(["restore", *sys.argv[1:]]))
"""
STATUS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def signalled(start, *words) -> subprocess.CompletedProcess[str]:
    """A restoration that gets a signal, the last word, in its fifth step; ``start`` goes first."""
    return subprocess.run(
        [sys.executable, "-c", STOPPED_AT_5, *words],
        env=importing(),
        capture_output=True,
        text=True,
        preexec_fn=start,
    )


@pytest.mark.parametrize("name", slow_but(["SIGTERM"], STATUS))
def test_asked_to_end_it_says_so_and_the_same_command_ends_as_if_it_never_was(
    tmp_path, capsys, monkeypatch, nifti, name
):
    words = [*CPU, "--declared-thickness", "5"]
    done = signalled(answer_all, nifti, tmp_path / "b.nii", *words, name)
    assert done.returncode == STATUS[name]
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("thinslice restore: stopped; ")
    assert names(tmp_path) == ["b.nii.thinslice.work", "thick.nii.gz"]
    often(monkeypatch.setattr)
    _, printed, _ = restored(capsys, nifti, tmp_path / "b.nii", *words)
    assert "resuming from" in printed
    assert restored(capsys, nifti, tmp_path / "a.nii", *words)[0] == 0
    assert (tmp_path / "a.nii").read_bytes() == (tmp_path / "b.nii").read_bytes()
    assert not [left for left in names(tmp_path) if "work" in left]


@pytest.mark.parametrize("name", slow_but(["SIGHUP"], ["SIGINT", "SIGHUP"]))
def test_what_is_ignored_from_the_start_stays_ignored(tmp_path, nifti, name):
    """`nohup thinslice restore ... &` outlives the terminal, and a Ctrl-C meant for another."""
    words = [*CPU, "--declared-thickness", "5"]
    done = signalled(ignore_all, nifti, tmp_path / "b.nii", *words, name)
    assert done.returncode == 0, done.stderr
    assert "stopped" not in done.stderr
    assert names(tmp_path) == sorted([*(f"b.nii{end}" for end in ENDS), "thick.nii.gz"])


def test_signals_are_answered_while_it_runs_and_not_after(tmp_path, capsys, monkeypatch, nifti):
    seen = []
    monkeypatch.setattr(
        restore, "carry_out", lambda *how: seen.append(signal.getsignal(signal.SIGTERM))
    )
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    try:
        with pytest.raises(AttributeError):
            restored(capsys, nifti, tmp_path / "a.nii", "--method", "linear")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert callable(seen[0])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ctrl_c_when_all_is_in_its_place_does_not_say_otherwise(
    tmp_path, capsys, monkeypatch, nifti
):
    out = tmp_path / "out.nii"

    def stop(path, sync=transaction.sync):
        if path == tmp_path and out.exists():
            raise KeyboardInterrupt
        sync(path)

    monkeypatch.setattr(transaction, "sync", stop)
    status, _, complaints = restored(capsys, nifti, out, "--method", "linear")
    assert (status, "already written, and is complete" in complaints) == (130, True)
    assert statement_of(out)["output"]["files"] == sha256_by_name(out)


@pytest.fixture
def two(tmp_path):
    """A scan restored in two ways."""
    scan = files.read(dicom(tmp_path / "in"))
    return [restore.restore(scan, method="linear", increment_mm=mm) for mm in (0.8, 1.0)]


@pytest.mark.parametrize("why", [SystemExit, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("name", ["out", "out.nii", "out.zarr"])
def test_what_fails_between_the_renames_leaves_all_as_it_was(tmp_path, monkeypatch, two, name, why):
    old, new = two
    out = tmp_path / "place" / name
    out.parent.mkdir()
    output.write(old, out)
    hashes, told = sha256_by_name(out), statement_of(out)

    def fail():
        raise why

    for nth in range(1, 7):
        with monkeypatch.context() as patched:
            rename, replace = at_rename(nth, out, fail)
            patched.setattr(os, "rename", rename)
            patched.setattr(os, "replace", replace)
            with pytest.raises(why):
                output.write(new, out, overwrite=True)
        assert (sha256_by_name(out), statement_of(out)) == (hashes, told)
        assert names(out.parent) == sorted(f"{name}{end}" for end in ENDS)


@pytest.mark.parametrize("name", slow_but(["out"], ["out", "out.nii"]))
def test_going_on_may_be_killed_too(tmp_path, two, name):
    old, new = two
    for nth in range(2, 7):
        out = tmp_path / str(nth) / name
        out.parent.mkdir()
        output.write(old, out)
        wanted = tmp_path / f"new{nth}{name}"
        output.write(new, wanted)
        assert killed_at(nth, out, partial(output.write, new, out, overwrite=True)) == -9
        while killed_at(1, out, partial(transaction.finish_interrupted, out)) == -9:
            assert killed_at(2, out, partial(transaction.finish_interrupted, out)) in (-9, 0)
        assert names(out.parent) == sorted(f"{name}{end}" for end in ENDS)
        assert sorted(statement_of(out)["output"]["files"].values()) == sorted(
            sha256_by_name(wanted).values()
        )
        assert statement_of(out)["output"]["files"] == sha256_by_name(out)


def test_what_was_put_there_meanwhile_is_left_alone(tmp_path, two):
    old, new = two
    out = tmp_path / "place" / "out.nii"
    out.parent.mkdir()
    output.write(old, out)
    hashes = sha256_by_name(out)
    assert killed_at(5, out, partial(output.write, new, out, overwrite=True)) == -9
    out.write_text("mine")
    assert not transaction.finish_interrupted(out)
    assert out.read_text() == "mine"
    (kept,) = out.parent.glob(".out.nii.partial-*/ before/out.nii")
    assert sha256_by_name(kept) == hashes


def test_the_next_command_tells_of_it(tmp_path, capsys, two):
    out = tmp_path / "place" / "out.nii"
    out.parent.mkdir()
    assert killed_at(1, out, partial(output.write, two[0], out)) == -9
    assert not out.exists()
    words = [tmp_path / "in", out, "--method", "linear"]
    status, _, complaints = restored(capsys, *words, "--dry-run")
    assert (status, out.exists()) == (0, False)  # a dry run writes nothing
    status, _, complaints = restored(capsys, *words)
    assert (status, len(complaints.splitlines())) == (2, 2)
    assert "when an earlier run was killed" in complaints
    assert "something there already" in complaints
    assert statement_of(out)["output"]["files"] == sha256_by_name(out)


def test_a_place_named_by_way_of_itself_is_replaced_whole(tmp_path, capsys):
    """``a/../a`` leads nowhere once ``a`` is moved away."""
    scan = dicom(tmp_path / "in")
    out = tmp_path / "out"
    words = ["--method", "linear", "--overwrite"]
    for named in (out, out / ".." / "out", tmp_path / "out" / ".." / "in" / ".." / "out"):
        assert restored(capsys, scan, named, *words)[0] == 0
        assert statement_of(out)["output"]["files"] == sha256_by_name(out)
    assert names(tmp_path) == sorted(["in", *(f"out{end}" for end in ENDS)])


def test_ctrl_c_in_any_command_is_one_line(capsys, monkeypatch):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(methods, "run", stop)
    assert main(["methods"]) == 130
    assert capsys.readouterr().err == "thinslice: stopped\n"
