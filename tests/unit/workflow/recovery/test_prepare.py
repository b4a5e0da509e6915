"""Only a run that makes something settles its folder: what merely looks leaves it as it is."""

import os
from pathlib import Path

import pytest

from support.checkout import Checkout, twin
from thinslice.workflow.recovery import prepare, run_lock
from thinslice.workflow.recovery.snakemake_state import SnakemakeState

SCORES = "results/scores/phantom/box5/linear/untrained"
LOOKS = [("-n",), ("--summary",), ("--unlock",), ("--report", "../report.html")]


@pytest.fixture(scope="module")
def left(finished, tmp_path_factory) -> Checkout:
    """As a killed run leaves it: a result of its orphan's, one that is torn, one from tomorrow."""
    checkout = twin(finished, tmp_path_factory.mktemp("left") / "thinslice")
    results = checkout.folder / "results"
    (results / ".run.lock").write_text("4711\n")
    for memory in (checkout.folder / ".snakemake/metadata").rglob("*"):
        if memory.is_file() and '"rule": "page"' in memory.read_text():
            memory.unlink()
    os.truncate(checkout.folder / f"{SCORES}.csv", 9)
    os.utime(results / "tables/benchmark.record.json", (4e9, 4e9))
    return checkout


def listed(folder: Path) -> dict[str, float]:
    results = folder / "results"
    return {str(path): path.stat().st_mtime for path in results.rglob("*") if path.is_file()}


@pytest.mark.parametrize("looks", LOOKS, ids=lambda looks: looks[0])
def test_what_only_looks_touches_nothing(left, looks):
    before = listed(left.folder)
    left.run(*looks)
    assert listed(left.folder) == before


def test_a_run_settles_the_folder_before_it_plans(left):
    before = listed(left.folder)
    done = left.run("results/raw/phantom.record.json")
    assert "1 results were finished after their run was killed" in done.stderr
    assert f"will be recomputed: {SCORES}.csv is not what" in done.stderr
    assert "1 results are dated in the future" in done.stderr
    assert listed(left.folder) != before


def test_where_another_run_works_nothing_is_touched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/a.record.json").write_text("torn")
    with run_lock.idle(Path("results")):
        assert prepare.prepare(Path("results"), SnakemakeState(Path(".snakemake"))) == []
    assert prepare.prepare(Path("results"), SnakemakeState(Path(".snakemake"))) != []
