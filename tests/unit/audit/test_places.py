"""The folder a workflow ran in is found through links, from anywhere, and after a move."""

import os
from pathlib import Path

import pytest

from thinslice.audit.places import Place, entered, names, place_of
from thinslice.errors import Refused
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import BrokenLinkError, read_record, record_path

TABLE = Path("results/tables/benchmark.csv")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder in which a job made one table."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    with recorded_job(record_path(TABLE), rule="analyse", cards={}, inputs={}) as job:
        write_text(TABLE, "a\n1\n")
        job.output("table", TABLE)
    return tmp_path / "run"


@pytest.mark.parametrize("made", [TABLE, record_path(TABLE)])
def test_in_its_own_folder_and_from_another(run, made, monkeypatch):
    assert place_of(made) == Place(run, made)
    monkeypatch.chdir(run.parent)
    assert place_of(Path("run") / made) == Place(run, made)
    monkeypatch.chdir(run / "results")
    assert place_of(Path("tables") / made.name) == Place(run, made)
    assert place_of(run / made) == Place(run, made)


@pytest.mark.parametrize("made", [TABLE, record_path(TABLE)])
def test_results_may_be_a_link_to_another_disk(run, made):
    (run / "results").rename(run.parent / "disk")
    (run / "results").symlink_to(run.parent / "disk")
    assert place_of(made) == Place(run, made)
    assert place_of(run.parent / "disk/tables" / made.name) == Place(run, made)  # from the folder


def test_the_folder_itself_may_be_a_link(run):
    os.symlink(run, run.parent / "link")
    place = place_of(run.parent / "link" / TABLE)
    assert place.folder.samefile(run)
    assert place.path == TABLE


@pytest.mark.parametrize("made", [TABLE, record_path(TABLE)])
def test_results_may_have_another_name_now(run, made, monkeypatch):
    (run / "results").rename(run.parent / "disk")
    monkeypatch.chdir(run.parent)
    renamed = Path("disk/tables") / made.name
    assert place_of(renamed) == Place(run.parent, made, run.parent / "disk")
    content = read_record(Path("disk/tables") / record_path(TABLE).name)
    assert names(content, Path("disk/tables") / TABLE.name)
    with entered(renamed) as inside:
        assert inside == made
        assert inside.samefile(run.parent / renamed)
    assert Path.cwd() == run.parent


def test_a_file_away_from_results_is_a_question_and_no_break(run, monkeypatch):
    for path in (TABLE, record_path(TABLE)):
        path.rename(run.parent / path.name)
    monkeypatch.chdir(run.parent)
    with pytest.raises(Refused, match="run this in the folder that holds results"):
        place_of(Path("benchmark.csv"))


def test_another_result_in_its_place_is_a_break(run):
    for path in (TABLE, record_path(TABLE)):
        path.rename(path.with_name(path.name.replace("benchmark", "patients")))
    with pytest.raises(BrokenLinkError, match=r"patients\.csv is not what its record made"):
        place_of(TABLE.with_name("patients.csv"))
