"""A bad question is refused with status 2; only a broken chain is called broken."""

from pathlib import Path

import pytest

from thinslice.audit import chain
from thinslice.cli.command import main
from thinslice.fs.atomic import write_text
from thinslice.provenance import job as jobs
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path

SCORES = Path("results/scores/own/box5/linear/untrained.csv")
TABLE = Path("results/tables/benchmark.csv")
FIGURE = Path("results/figures/bars.png")
CARD = {"name": "linear", "module": "interpolation", "code": "0123456789abcdef"}


def make(path, rule, **inputs):
    with recorded_job(record_path(path), rule=rule, cards={}, inputs=inputs) as job:
        write_text(path, "metric,records\nrmse_hu,0\n")
        job.output("made", path)


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(SCORES, "score")
    make(TABLE, "analyse", scores=SCORES)
    make(FIGURE, "figure", table=TABLE)
    return tmp_path


def audit(capsys, *words):
    status = main(["audit", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((TABLE, "--row", 99), f"{TABLE} has rows 1 to 1, not 99"),
        ((TABLE, "--row", 1, "--cell", "median"), f"{TABLE} has no column 'median', only metric"),
        ((TABLE, "--cell", "metric"), "--cell names a column of a row: give --row too"),
        ((TABLE, "--row", 0), f"{TABLE} has rows 1 to 1, not 0"),
        (("nowhere.csv",), "no file nowhere.csv"),
        (("nowhere.csv", "--row", 1), "no file nowhere.csv"),
        ((SCORES, "--row", 1), f"{SCORES} is no table of results/tables but what rule score made"),
        ((FIGURE, "--row", 1), f"{FIGURE} is no table of results/tables but what rule figure made"),
        (("notes.txt",), "no file notes.txt"),
        ((TABLE.with_suffix(".svg"),), f"no file {TABLE.with_suffix('.svg')}"),
        (("0123456789abcdef",), "no record 0123456789abcdef below results"),
        (("0123456789abcdef", "--results", "elsewhere"), "no folder elsewhere"),
    ],
)
def test_a_question_without_an_answer_is_refused(capsys, words, line):
    status, out, err = audit(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"thinslice audit: {line}")
    assert err.count("\n") == 1
    assert "delete" not in err


def test_a_file_without_a_record_is_a_bad_question_too(capsys):
    Path("notes.txt").write_text("mine")
    status, _, err = audit(capsys, "notes.txt")
    assert status == 2
    assert "no record names notes.txt" in err


@pytest.mark.parametrize("linked", [False, True])
def test_whatever_has_a_record_can_be_audited(capsys, run, monkeypatch, linked):
    if linked:
        Path("results").rename(run / "disk")
        Path("results").symlink_to(run / "disk")
    (run / "elsewhere").mkdir()
    identity = read_record(record_path(FIGURE))["id"]
    for folder, up in ((run, Path(".")), (run / "elsewhere", Path(".."))):
        monkeypatch.chdir(folder)
        for question in [(up / FIGURE,), (run / SCORES,), (identity, "--results", up / "results")]:
            status, out, err = audit(capsys, *question)
            assert (status, err) == (0, ""), out
            assert out.endswith("every link holds\n")


def test_a_lost_record_of_a_table_is_a_broken_chain(capsys):
    record_path(TABLE).unlink()
    status, out, _ = audit(capsys, TABLE)
    assert status == 1
    assert f"BROKEN  {record_path(TABLE)} is missing" in out


def test_a_lost_table_is_a_broken_chain(capsys):
    TABLE.unlink()
    status, out, _ = audit(capsys, FIGURE)
    assert status == 1
    assert f"{TABLE} is missing" in out


def recorded_with_code(monkeypatch, tmp_path):
    """A score whose record says that a script and a plug-in made it."""
    scripts = tmp_path / "checkout"
    scripts.mkdir()
    (scripts / "score.py").write_text("import sys\n")
    for module in (jobs, chain):
        monkeypatch.setattr(module, "SCRIPTS", scripts)
    monkeypatch.setattr("sys.argv", [str(scripts / "score.py")])
    make(SCORES, "score")
    return scripts


def test_code_that_this_installation_lacks_is_a_note(capsys, monkeypatch, tmp_path):
    scripts = recorded_with_code(monkeypatch, tmp_path)
    assert audit(capsys, SCORES)[0] == 0
    (scripts / "score.py").unlink()
    status, out, _ = audit(capsys, SCORES)
    assert status == 1
    assert "score.py is gone here" in out
    scripts.rmdir()  # a wheel holds no scripts
    status, out, _ = audit(capsys, SCORES)
    assert status == 0
    assert "note    score.py is not part of this installation: not compared" in out


def test_code_of_another_version_of_an_installation_is_a_note(capsys, monkeypatch, tmp_path):
    """A wheel holds methods, perhaps other ones; only a checkout is held to the code that ran."""
    with recorded_job(
        record_path(SCORES), rule="restore", cards={"method": CARD}, inputs={}
    ) as job:
        job.output("made", SCORES)
    status, out, _ = audit(capsys, SCORES)
    assert status == 1
    assert "BROKEN  code of linear is" in out
    monkeypatch.setattr(chain, "SCRIPTS", tmp_path / "nowhere")
    status, out, _ = audit(capsys, SCORES)
    assert status == 0
    assert "note    code of linear is" in out
