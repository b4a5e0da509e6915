"""A fitted method that learns from each scan too: its seconds and its seed stand in the record."""

import sys
from pathlib import Path

import pytest

from support.wave_pairs import pairs
from thinslice import plugins, store
from thinslice.interfaces import Run
from thinslice.jobs import clean, restore
from thinslice.methods import davsr
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path

SETTINGS = {**davsr.TINY, "fuse": False, "seed": 5}
RUN = Run(device="cpu", threads=1, progress=False)
THICK, OUT = Path("results/thick.zarr"), Path("results/restored/a/b/davsr/x.zarr")


@pytest.fixture(autouse=True)
def inputs(tmp_path, monkeypatch) -> None:
    """A store of two thick scans, and weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["restore.py"])
    with store.writing(THICK) as out:
        for pair in pairs(0, 1):
            out.add(pair.case, pair.thick, split="test", target=pair.thin.grid.to_json())
    with recorded_job(record_path(THICK), rule="degrade", cards={}, inputs={}) as job:
        job.output("thick", THICK)
    plugins.build("methods", {"name": "davsr", "settings": SETTINGS}).save(Path("w"), {})
    with recorded_job(record_path(Path("w")), rule="train", cards={}, inputs={}) as job:
        job.output("weights", Path("w"))


def facts_of(**settings) -> tuple[dict, int | None]:
    card = {"name": "davsr", "fit": "population", "settings": {**SETTINGS, **settings}}
    request = restore.RestoreRequest(card, THICK, OUT, Path("w"), Path("results/work"), RUN, True)
    restore.restore_cases(request)
    record = read_record(record_path(OUT))
    return record["facts"], record["seed"]


def test_seconds_of_learning_and_the_seed_are_recorded_and_its_checkpoints_can_be_cleaned():
    facts, seed = facts_of()
    assert seed == 5
    assert sorted(facts["learning_s"]) == ["case0", "case1"]
    assert all(0 < s <= facts["wall_s"][case] for case, s in facts["learning_s"].items())
    assert (Path(facts["work"]) / "case0/curve.csv").is_file()
    clean.work(Path("results"))
    assert not Path(facts["work"]).exists()


def test_without_adapting_nothing_is_learned_here():
    facts, seed = facts_of(adapt_steps=0)
    assert seed is None
    assert "learning_s" not in facts
    assert "work" not in facts
