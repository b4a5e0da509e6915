"""Runs of the evidence: what a restored case cost, through the records behind its scores."""

import math
from pathlib import Path
from typing import Any

import pytest

from thinslice.analyses import _evidence
from thinslice.columns import RUNS
from thinslice.provenance.records import FORMAT, BrokenLinkError, record_id, record_text

CELL = {"dataset": "d", "degradation": "acquired", "method": "m", "fitted_on": "d/acquired"}


def written(path: Path, **content: Any) -> dict[str, Any]:
    """A record at ``path``, and the link that another record names it by."""
    content = {"format": FORMAT, "outputs": {}, "inputs": {}, **content}
    identity = record_id(content)
    path.write_text(record_text({"id": identity, **content}))
    return {"record": str(path), "record_id": identity}


def scored(folder: Path, **inputs: Any) -> Path:
    """A score record of two cases restored with these inputs."""
    facts = {
        "parameters": 7,
        "device": "cuda:0",
        "fidelity": "own",
        "wall_s": {"a": 2.0, "b": 4.0},
        "slices": {"a": 40, "b": 50},
        "gpu_memory_gib": 1.5,
    }
    restore = folder / "restore.record.json"
    link = written(restore, facts=facts, inputs=inputs, peak_memory_gib=0.5)
    score = folder / "score.record.json"
    written(score, cards={"cell": {**CELL, "sim": ""}}, inputs={"restored": link})
    return score


def test_a_run_has_the_seconds_of_its_training_and_the_memory_of_its_card(tmp_path):
    trained = written(tmp_path / "w.record.json", facts={"train_s": 3600.5})
    runs = _evidence.runs([scored(tmp_path, weights=trained)])
    assert set(runs.columns) == set(RUNS)
    assert runs["train_s"].tolist() == [3600.5, 3600.5]
    assert runs["slices"].tolist() == [40, 50]
    assert runs["gpu_memory_gib"].tolist() == [1.5, 1.5]


@pytest.mark.parametrize("inputs", [{}, {"weights": {"record": None, "record_id": None}}])
def test_without_a_training_here_its_seconds_are_unknown(inputs, tmp_path):
    runs = _evidence.runs([scored(tmp_path, **inputs)])
    assert all(s is None or math.isnan(s) for s in runs["train_s"])


def test_weights_that_were_made_again_are_not_those_of_the_scores(tmp_path):
    trained = written(tmp_path / "w.record.json", facts={"train_s": 1.0})
    score = scored(tmp_path, weights=trained)
    written(tmp_path / "w.record.json", facts={"train_s": 2.0})
    with pytest.raises(BrokenLinkError, match="run the workflow again"):
        _evidence.runs([score])
