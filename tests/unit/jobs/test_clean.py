"""Disk space back: what goes, what stays, and that nothing is to do afterwards."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest

from support.audit import TABLE, audit
from support.checkout import Checkout, twin
from thinslice.jobs import clean
from thinslice.provenance.records import sha256_of

CELL = "phantom/box5/linear/untrained"
SCORES = f"results/scores/{CELL}.csv"
RESTORED = f"results/restored/{CELL}.zarr"


@pytest.fixture
def full(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


def files(checkout: Checkout) -> dict[str, bytes]:
    """Every result that is no volume, log, checkpoint or note."""
    results = checkout.folder / "results"
    kept = (
        "scores",
        "tables",
        "figures",
        "weights",
        "evidence",
        "thin",
        "thick",
        "raw",
        "restored",
    )
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.relative_to(results).parts[0] in kept
        and not any(part == "restored" for part in path.relative_to(results).parts)
    }  # fmt: skip


def digests(checkout: Checkout) -> dict[str, str]:
    folder = checkout.folder / "results/restored"
    return {
        str(path.parent.relative_to(folder)): sha256_of(path)
        for path in folder.rglob("manifest.json")
    }


def test_restored_volumes_go_nothing_is_to_do_and_a_protocol_makes_them_again(full):
    before, volumes = files(full), digests(full)
    done = full.run("clean_restored")
    assert f"removed {len(volumes)} restored volumes" in done.stdout + done.stderr
    assert digests(full) == {}
    assert files(full) == before
    assert full.planned() == set()
    full.edit("src/thinslice/protocols/tvsrn.py", "-1024.0", "-1000.0")
    planned = full.planned()
    assert RESTORED in planned
    assert not any(path.startswith(("results/weights", "results/thick")) for path in planned)
    full.run(SCORES)
    assert digests(full).items() <= volumes.items()
    assert full.planned(SCORES) == set()


@pytest.mark.slow
def test_an_audit_says_that_a_volume_was_removed_and_how_to_have_it_again(full):
    full.run("clean_restored")
    done = audit(full, "linear")
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"REMOVED: {RESTORED}" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert "1 volume(s) were removed" in last
    assert "--configfile" in last  # without it another config's workflow would be run
    made_by, rest = last.split(": ")[1].split(" && ")
    full.run(*made_by.split()[3:])
    full.run(*rest.split()[3:])
    assert audit(full, "linear").returncode == 0


def test_a_volume_that_nobody_removed_is_a_broken_link(full):
    shutil.rmtree(full.folder / RESTORED)
    done = audit(full, "linear")
    assert done.returncode == 1
    assert f"{RESTORED} is missing" in done.stdout


def test_a_note_of_another_volume_counts_for_nothing(full):
    full.run("clean_restored")
    note = (full.folder / RESTORED).with_suffix(".removed.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "record": "0123456789abcdef"}))
    assert audit(full, "linear").returncode == 1


def test_checkpoints_of_ended_trainings_go_and_others_stay(full):
    work = full.folder / "results/work/edsr_small"
    ended = list(work.iterdir())
    shutil.copytree(ended[0], work / "0123456789abcdef")
    done = full.run("clean_work")
    assert [path.name for path in work.iterdir()] == ["0123456789abcdef"]
    assert f"removed {len(ended)} checkpoints" in done.stdout + done.stderr
    assert full.planned() == set()
    assert full.thinslice("audit", TABLE).returncode == 0


def test_cleaning_beside_other_jobs_is_refused(full):
    done = full.run("clean_restored", "all", check=False)
    assert done.returncode != 0
    assert "run alone" in done.stdout + done.stderr
    assert (full.folder / RESTORED).exists()


def test_no_cleaning_while_another_run_works_in_the_folder(full):
    with (full.folder / "results/.run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = full.run("clean_restored", check=False)
    assert done.returncode != 0
    assert "another thinslice run" in done.stdout + done.stderr
    assert (full.folder / RESTORED).exists()


def test_what_is_not_scored_or_not_ours_stays(full, tmp_path, monkeypatch):
    monkeypatch.chdir(full.folder)
    results = Path("results")
    (results / f"scores/{CELL}.record.json").unlink()
    other = results / "restored/phantom/box5/edsr_small/phantom--box5.zarr"
    shutil.rmtree(other)
    (other / "photos").mkdir(parents=True)
    outside = tmp_path / "elsewhere.zarr"
    linked = results / "restored/phantom/acquired/linear/untrained.zarr"
    shutil.move(linked, outside)
    os.symlink(outside, linked)
    done = clean.restored(results)
    assert (results / "restored" / f"{CELL}.zarr/manifest.json").exists()
    assert (other / "photos").is_dir()
    assert (outside / "manifest.json").exists()
    assert len(done.left) == 3
    assert any("is not scored" in why for why in done.left)
    assert any("not a thinslice store" in why for why in done.left)
    assert any("a link" in why for why in done.left)


def test_a_folder_behind_a_link_is_left_alone(full, tmp_path, monkeypatch):
    monkeypatch.chdir(full.folder)
    away = tmp_path / "away"
    shutil.move("results/restored", away)
    os.symlink(away, "results/restored")
    done = clean.restored(Path("results"))
    assert done.removed == 0
    assert any(away.rglob("manifest.json"))
