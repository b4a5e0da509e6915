"""Costs in a paper's tables: size, seconds, training and memory from the runs."""

from dataclasses import replace

import pandas as pd
import pytest

from support.evidence import demo
from support.printed_paper import SETTINGS, SKIPPED, row_of
from thinslice.analyses import published
from thinslice.interfaces import Evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return replace(demo(), skipped=SKIPPED)


def of_costs(evidence: Evidence, **runs: float) -> pd.DataFrame:
    """A table of what tvsrn and cubic cost, with these columns of the runs replaced."""
    about = {"dataset": "phantom", "degradation": "acquired", "patients": 4}
    columns = [{"title": name, "metric": name} for name in ("train_days", "slice_s")]
    columns.append({"title": "gpu", "metric": "gpu_memory_gib"})
    rows = [["TVSRN", "tvsrn", 2.1, 0.1, 2.5], ["Bicubic", "cubic", 1, 0.1, 1]]
    tables = {"t": {"title": "t", "about": about, "columns": columns, "rows": rows}}
    changed = replace(evidence, runs=evidence.runs.assign(**runs))
    return published.build(tables=tables)(changed)


def test_training_and_graphics_memory_stand_beside_the_paper_s_without_a_difference(evidence):
    table = of_costs(evidence, gpu_memory_gib=2.25, slices=50)
    days, per_slice, memory = (
        row_of(table, "TVSRN", name) for name in ("train_days", "slice_s", "gpu")
    )
    assert (days["mean"], days["unit"], memory["mean"]) == (181_440 / 86_400, "days", 2.25)
    volume = row_of(published.build(**SETTINGS)(evidence), "TVSRN", "s")["mean"]
    assert per_slice["mean"] == pytest.approx(volume / 50, rel=1e-12)
    assert table["difference"].isna().all()
    assert days["records"]


def test_what_no_run_cost_has_a_reason(evidence):
    table = of_costs(evidence)
    assert row_of(table, "TVSRN", "gpu")["why"] == "no graphics card was used"
    assert row_of(table, "Bicubic", "train_days")["why"] == "nothing was trained beforehand"
