"""The demo's figures show every number of their tables, and nothing else."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from support.figures import example, words_of
from thinslice.report import style
from thinslice.report.figures import bars, gap_matrix

TABLES = {"bars": example("bars").table(), "gap_matrix": example("gap_matrix").table()}


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    drawn: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem: drawn.append(figure) or [])
    return drawn


@pytest.mark.parametrize("module", [bars, gap_matrix], ids=["bars", "gap_matrix"])
def test_sim_marks_the_simulated_parts_alone_where_others_are_not(module, kept, tmp_path):
    kind = module.__name__.rsplit(".", 1)[-1]
    table = TABLES[kind]
    place = table["degradation" if kind == "bars" else "tested_on"]
    acquired = place.str.endswith("acquired")
    module.build()(table.assign(sim=np.where(acquired, "", "sim")), tmp_path / "a")
    words = words_of(kept[0])
    assert not any(text.startswith("sim  |") for text in words)
    marked = {text for text in words if text.endswith("(sim)")}
    assert len(marked) == place[~acquired].nunique()
    assert not any("acquired" in text for text in marked)


def test_the_gap_matrix_prints_every_mean_once(kept, tmp_path):
    table = TABLES["gap_matrix"]
    gap_matrix.build()(table, tmp_path / "a")
    printed = sorted(text.split(" ")[0] for text in words_of(kept[0]) if text[:1].isdigit())
    assert printed == sorted(f"{mean:.1f}" for mean in table["mean"])


def test_bars_put_one_dot_per_patient_and_the_bar_at_the_mean(kept, tmp_path):
    table = TABLES["bars"]
    bars.build()(table, tmp_path / "a")
    axes = kept[0].axes[0]  # acquired: all methods
    dots = [dot for c in axes.collections for dot in np.asarray(c.get_offsets())[:, 1]]
    acquired = table.query("degradation == 'acquired'")
    np.testing.assert_allclose(sorted(dots), sorted(acquired["value"]))
    heights = sorted(p.get_height() for p in axes.patches)
    np.testing.assert_allclose(heights, sorted(acquired["mean"].unique()))
