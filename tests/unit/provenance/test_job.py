"""A job started twice, as by a killed driver and the next one, is done once."""

import multiprocessing

import pytest

from thinslice.fs.atomic import write_text
from thinslice.fs.locks import fcntl
from thinslice.provenance import environment
from thinslice.provenance.job import Job, recorded_job
from thinslice.provenance.records import read_record, record_path

CONTEXT = multiprocessing.get_context("fork")


def run(path, *, cards=None, text="1,2\n", begun=None, go=None):
    """A job that says when it has begun and goes on when told."""
    record = record_path(path)
    with recorded_job(record, rule="make", cards=cards or {"m": (1, 2)}, inputs={}) as job:
        if begun:
            begun.set()
            go.wait(30)
        write_text(path, text)
        job.output("table", path)
        job.fact("by", text)


@pytest.fixture
def first(tmp_path):
    """The first of two jobs, begun; called, it is let go on, and the other one runs beside it."""
    begun, go = CONTEXT.Event(), CONTEXT.Event()
    path = tmp_path / "a.csv"
    process = CONTEXT.Process(target=run, args=(path,), kwargs={"begun": begun, "go": go})
    process.start()
    assert begun.wait(30)

    def beside(**second):
        other = CONTEXT.Process(target=run, args=(path,), kwargs=second)
        other.start()
        other.join(1.0)  # it waits for the lock
        assert other.is_alive()
        go.set()
        process.join(30)
        other.join(30)
        return other.exitcode, read_record(record_path(path))

    yield beside
    go.set()
    process.join()


def test_the_second_ends_as_done_and_leaves_the_first_s_result(first):
    ended, record = first(text="of the second")
    assert ended == 0
    assert record["facts"] == {"by": "1,2\n"}


def test_a_job_of_other_cards_is_done_all_the_same(first):
    ended, record = first(cards={"m": (1, 3)}, text="of the second")
    assert ended == 0
    assert record["facts"] == {"by": "of the second"}


def test_a_job_that_did_not_wait_is_done_again(tmp_path):
    """Asked for without a rival: Snakemake has its reasons."""
    for text in ("first", "second"):
        run(tmp_path / "a.csv", text=text)
    assert (tmp_path / "a.csv").read_text() == "second"


@pytest.mark.parametrize("spoilt", ["output", "record", "neither"])
def test_what_stands_must_be_whole(tmp_path, monkeypatch, spoilt):
    path = tmp_path / "a.csv"
    run(path, text="first")
    if spoilt == "output":
        path.write_text("torn")
    if spoilt == "record":
        record_path(path).write_text("{}")
    monkeypatch.setattr(fcntl, "flock", refuses_once())
    if spoilt == "neither":
        with pytest.raises(SystemExit) as ended:
            run(path, text="second")
        assert ended.value.code == 0
    else:
        run(path, text="second")
        assert path.read_text() == "second"


def refuses_once():
    """flock, as a job meets it that has to wait."""
    asked = []

    def flock(file, how):
        asked.append(how)
        if len(asked) == 1:
            raise BlockingIOError

    return flock


def test_the_gpus_that_a_job_was_given_are_in_its_record(tmp_path, monkeypatch):
    for given in ("1", "GPU-5c2a,GPU-77f0", None):
        if given is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
        run(tmp_path / "a.csv")
        assert read_record(tmp_path / "a.record.json")["machine"]["gpus"] == given


def test_what_a_killed_job_was_writing_is_removed_by_the_next(tmp_path):
    path = tmp_path / "a.csv"
    for name in (path.name, record_path(path).name):
        (tmp_path / f".{name}.4711.partial").write_text("half of it")
    run(path)
    assert not list(tmp_path.glob(".*.partial"))
    assert read_record(record_path(path))["facts"] == {"by": "1,2\n"}


@pytest.mark.parametrize(
    ("name", "other"),
    [("versions", {"python": "3.11.0", "numpy": "0"}), ("machine", {"cpu": "of another node"})],
)
def test_results_of_other_packages_or_another_processor_have_another_key(monkeypatch, name, other):
    """They would go into a record that names those of the job that found them."""
    job = Job("score", {}, None)
    ours = job.key()
    monkeypatch.setattr(environment, name, lambda: other)
    assert job.key() != ours
