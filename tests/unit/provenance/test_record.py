"""Records: written last, linked by hashes, and no byte of them can change unseen."""

import multiprocessing
import os
import signal
import time

import pytest

from thinslice.fs.atomic import write_text
from thinslice.fs.locks import locked
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import BrokenLinkError, read_record, record_path, sha256_of


def make(path, text="1,2\n", inputs=None):
    with recorded_job(
        record_path(path), rule="make", cards={"method": {"name": "m"}}, inputs=inputs or {}
    ) as job:
        write_text(path, text)
        job.output("table", path)
        job.fact("cases", 3)
    return path


def test_a_record_links_an_input_to_the_record_that_made_it(tmp_path):
    first = make(tmp_path / "a.csv")
    second = make(tmp_path / "b.csv", inputs={"first": first})
    link = read_record(record_path(second))["inputs"]["first"]
    assert link["sha256"] == sha256_of(first)
    assert link["record_id"] == read_record(record_path(first))["id"]


def test_a_record_tells_the_commit_the_packages_and_the_machine(tmp_path):
    record = read_record(record_path(make(tmp_path / "a.csv")))
    assert record["packages"]["numpy"]
    assert record["machine"]["cores"] >= 1
    assert record["peak_memory_gib"] > 0
    assert record["facts"] == {"cases": 3}
    assert set(record["git"]) == {"commit", "dirty"}


def test_any_changed_byte_of_a_record_is_seen(tmp_path):
    path = record_path(make(tmp_path / "a.csv"))
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[position] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises(BrokenLinkError):
            read_record(path)
    path.write_bytes(whole)
    assert read_record(path)["rule"] == "make"


@pytest.mark.parametrize("text", ["[]", "[1]", '"id"', "3", "null", "{}", "{", "", "\x00"])
def test_what_is_no_record_is_refused(tmp_path, text):
    (tmp_path / "a.record.json").write_text(text)
    with pytest.raises(BrokenLinkError, match="not a record"):
        read_record(tmp_path / "a.record.json")


def test_an_input_that_changed_since_it_was_made_is_refused(tmp_path):
    first = make(tmp_path / "a.csv")
    first.write_text("1,3\n")
    with pytest.raises(BrokenLinkError, match=r"a\.csv is not what"):
        make(tmp_path / "b.csv", inputs={"first": first})
    assert not record_path(tmp_path / "b.csv").exists()


def test_what_an_input_record_made_must_still_be_so(tmp_path):
    """gather, evidence, analyse and page read files through their records."""
    first = make(tmp_path / "a.csv")
    first.write_text("1,3\n")
    with pytest.raises(BrokenLinkError, match=r"a\.csv is not what"):
        make(tmp_path / "b.csv", inputs={"first": record_path(first)})
    first.unlink()
    with pytest.raises(BrokenLinkError, match=r"a\.csv is missing"):
        make(tmp_path / "b.csv", inputs={"first": record_path(first)})


def test_asking_git_for_the_commit_takes_no_lock_of_its_index(tmp_path, monkeypatch):
    """Dozens of jobs ask at once, and a person may be committing."""
    asked = tmp_path / "asked"
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    make(tmp_path / "a.csv")
    lines = asked.read_text().splitlines()
    assert len(lines) == 2
    assert all("--no-optional-locks" in line for line in lines)


def test_an_input_without_a_record_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("1\n")
    with pytest.raises(BrokenLinkError, match="missing"):
        make(tmp_path / "b.csv", inputs={"first": tmp_path / "a.csv"})


def test_a_job_that_fails_leaves_no_record(tmp_path):
    record = tmp_path / "a.record.json"
    with (
        pytest.raises(RuntimeError),
        recorded_job(record, rule="make", cards={}, inputs={}),
    ):
        raise RuntimeError("no")
    assert not record.exists()


def test_a_raw_file_is_hashed_as_it_is(tmp_path):
    raw = tmp_path / "scan.nii"
    raw.write_bytes(b"voxels")
    with recorded_job(tmp_path / "r.record.json", rule="fetch", cards={}, inputs={}, raw=[raw]):
        pass
    inputs = read_record(tmp_path / "r.record.json")["inputs"]
    assert list(inputs) == [str(raw)]
    assert inputs[str(raw)]["sha256"] == sha256_of(raw)
    assert inputs[str(raw)]["record"] is None


def _hold(path, held):
    with locked(path):
        held.set()
        time.sleep(60)


def test_the_lock_of_a_killed_job_is_free_again(tmp_path):
    context = multiprocessing.get_context("fork")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "a.csv", held))
    holder.start()
    assert held.wait(10)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    started = time.monotonic()
    with locked(tmp_path / "a.csv"):
        assert time.monotonic() - started < 5
