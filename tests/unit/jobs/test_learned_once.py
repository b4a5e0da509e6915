"""A network that several methods restore with is trained once, and its record is found from all."""

import sys
from pathlib import Path

import numpy as np
import pytest

from thinslice import store
from thinslice.audit.chain import Walk
from thinslice.families import self_supervised
from thinslice.interfaces import Run
from thinslice.jobs import clean, restore
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path
from thinslice.training import loop
from thinslice.volume import Grid, Volume

TINY = {"depth": 3, "steps": 5, "crop": 8, "batch": 2}
LEARNS = {"name": "sr4", "module": "sr4zct", "fit": "volume", "settings": TINY}
ONE_VIEW = {**LEARNS, "name": "sr4_coronal", "settings": {**TINY, "view": "coronal"}}
THICK = Path("results/thick/phantom/box5.zarr")
CASES = ["a", "b"]


@pytest.fixture(autouse=True)
def thick(tmp_path, monkeypatch) -> None:
    """A store of two test cases, with its record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["restore.py"])
    rng = np.random.default_rng(0)
    thin = Grid(16, 1.0, 1.0, (14, 12), (1.0, 1.0))
    grid = thin.with_slices(n=4, increment_mm=4.0, thickness_mm=4.0, start_mm=2.0)
    with store.writing(THICK) as out:
        for case in CASES:
            scan = Volume(rng.normal(0, 300, grid.zyx).astype(np.float32), grid)
            out.add(case, scan, split="test", target=thin.to_json())
    with recorded_job(record_path(THICK), rule="degrade", cards={}, inputs={}) as job:
        job.output("thick", THICK)


@pytest.fixture
def resumed_at(monkeypatch) -> list[int]:
    """The steps that trainings began at."""
    began: list[int] = []

    def train(*args, **kwargs):
        trained = loop.train(*args, **kwargs)
        began.append(trained.resumed_at)
        return trained

    monkeypatch.setattr(self_supervised, "train", train)
    return began


def restored(card, name: str, record: Path | None = None) -> Path:
    out = Path(f"results/restored/phantom/box5/{name}/untrained.zarr")
    before = restore.learned_before(card, record)
    run = Run(device="cpu", threads=1, progress=False)
    restore.restore_cases(
        restore.RestoreRequest(
            card, THICK, out, None, Path("results/work"), run, True, learned=before.get("learned")
        )
    )
    return out


def test_another_view_is_restored_with_the_same_network_without_training(resumed_at):
    teacher = record_path(restored(LEARNS, "sr4"))
    assert resumed_at == [0, 0]
    shared = restored(ONE_VIEW, "sr4_coronal", teacher)
    assert resumed_at == [0, 0, 5, 5]
    alone = restored(ONE_VIEW, "alone")
    assert resumed_at[4:] == [0, 0]
    assert store.digest(shared) == store.digest(alone)
    assert store.digest(shared) != store.digest(teacher.with_name("untrained.zarr"))


def test_the_audit_leads_to_the_job_that_learned(resumed_at):
    teacher = record_path(restored(LEARNS, "sr4"))
    shared = record_path(restored(ONE_VIEW, "sr4_coronal", teacher))
    links = list(Walk().links(shared))
    assert teacher in [link.record for link in links]
    assert not any(link.problems for link in links if link.rule == "restore")
    assert read_record(shared)["inputs"]["learned"]["record_id"] == read_record(teacher)["id"]


def test_checkpoints_that_were_removed_are_made_again_and_the_answer_is_the_same(resumed_at):
    teacher = record_path(restored(LEARNS, "sr4"))
    first = store.digest(restored(ONE_VIEW, "sr4_coronal", teacher))
    clean.clean("work", Path("results"))
    assert not list(Path("results/work").glob("*/*/*"))
    assert store.digest(restored(ONE_VIEW, "again", teacher)) == first
    assert resumed_at[-2:] == [0, 0]
