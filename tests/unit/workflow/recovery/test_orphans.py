"""What a job finished after its driver was killed is taken back if it is the same, else redone."""

import json
import os
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from thinslice.fs.atomic import write_text
from thinslice.provenance import duplicates
from thinslice.provenance.job import recorded_job
from thinslice.workflow.recovery import orphans
from thinslice.workflow.recovery.snakemake_state import SnakemakeState


def job(*, cards="m", by="first"):
    """A job that makes a folder and a file; returns whether its body was run."""
    ran = False
    record = Path("results/weights/w.record.json")  # as rules name it
    with recorded_job(record, rule="make", cards={"method": cards}, inputs={}) as running:
        ran = True
        for name in ("w.pt", "w.curve.csv"):
            write_text(record.parent / name, by)
            running.output(name, record.parent / name)
    return ran


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with one result, made by a job that outlived its driver."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake/metadata").mkdir(parents=True)
    assert job()
    return tmp_path


def remember(folder, made_at, *, split=False):
    """Snakemake's memory of the record, as made at a time; in two parts, as long names are."""
    name = urlsafe_b64encode(b"results/weights/w.record.json").decode()
    path = folder / ".snakemake/metadata" / (f"@{name[:9]}/{name[9:]}" if split else name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"endtime": made_at}))


def set_aside():
    return orphans.set_aside(Path("results"), SnakemakeState(Path(".snakemake")))


def names(folder):
    made = Path(folder, "results/weights").iterdir()
    return sorted(path.name for path in made if not path.name.endswith(".lock"))


def test_what_snakemake_does_not_know_of_is_hidden_and_taken_back_unchanged(folder):
    before = {name: (folder / "results/weights" / name).read_bytes() for name in names(folder)}
    assert [str(path) for path in set_aside()] == ["results/weights/w.record.json"]
    assert not set(before) & set(names(folder))
    with pytest.raises(SystemExit) as ended:
        job(by="second")
    assert ended.value.code == 0
    after = {name: (folder / "results/weights" / name).read_bytes() for name in names(folder)}
    assert after == before


def test_what_a_killed_writer_left_goes_also_where_nothing_is_written(folder):
    set_aside()
    (folder / "results/weights/.w.record.json.1.partial").write_text('{"id": "12')
    with pytest.raises(SystemExit):
        job(by="second")
    assert names(folder) == ["w.curve.csv", "w.pt", "w.record.json"]


def test_a_job_of_other_cards_makes_its_own_and_removes_what_was_hidden(folder):
    set_aside()
    assert job(cards="other", by="second")
    assert (folder / "results/weights/w.pt").read_text() == "second"
    assert names(folder) == ["w.curve.csv", "w.pt", "w.record.json"]


def test_what_was_spoilt_while_it_was_hidden_is_made_again(folder):
    set_aside()
    (hidden,) = (folder / "results/weights").glob(".*w.pt")
    hidden.write_text("torn")
    assert job(by="second")
    assert names(folder) == ["w.curve.csv", "w.pt", "w.record.json"]


@pytest.mark.parametrize("split", [False, True])
def test_what_snakemake_knows_of_stays(folder, split):
    made_at = (folder / "results/weights/w.record.json").stat().st_mtime
    remember(folder, made_at, split=split)
    assert set_aside() == []
    remember(folder, made_at - 60, split=split)  # of the result before this one
    assert len(set_aside()) == 1


def test_what_snakemake_knows_of_stays_though_it_was_copied_or_touched(folder):
    remember(folder, (folder / "results/weights/w.record.json").stat().st_mtime)
    os.utime(folder / "results/weights/w.record.json", (4e9, 4e9))
    assert set_aside() == []


@pytest.mark.parametrize("torn", ['{"endti', ""])
def test_a_torn_memory_is_none(folder, torn):
    remember(folder, 4e9)
    (memory,) = (folder / ".snakemake/metadata").iterdir()
    memory.write_text(torn)
    (folder / ".snakemake/metadata/stray file").touch()
    assert len(set_aside()) == 1


def test_of_a_job_with_two_records_of_which_one_is_hidden_nothing_is_left(folder):
    """As where a driver was killed while it wrote down the one and not the other."""
    both = [Path(f"results/thin/{name}.record.json") for name in "ab"]

    def two(by):
        with recorded_job(*both, rule="make", cards={}, inputs={}) as running:
            write_text(both[0].parent / "volumes", by)
            running.output("volumes", both[0].parent / "volumes")

    two("first")
    duplicates.set_aside(both[0])
    two("second")
    assert (both[0].parent / "volumes").read_text() == "second"
    assert not list(both[0].parent.glob(f"{duplicates.ASIDE}*"))


def test_a_job_without_outputs_is_not_done_again(folder):
    """As the one that hashes raw files: its record is all that it makes."""
    record = Path("results/raw/a.record.json")

    def fetch():
        with recorded_job(record, rule="fetch", cards={}, inputs={}):
            pass

    fetch()
    before = record.read_bytes()
    duplicates.set_aside(record)
    with pytest.raises(SystemExit):
        fetch()
    assert record.read_bytes() == before


def test_a_result_that_is_not_whole_is_not_hidden(folder):
    os.remove(folder / "results/weights/w.pt")
    assert set_aside() == []
    assert names(folder) == ["w.curve.csv", "w.record.json"]
