"""Figures of the papers: distributions, grids of assumptions, references."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.evidence import demo
from support.figures import ASSUMED, LINES, assumed, by_references, example, words_of
from thinslice import plugins
from thinslice.analyses import patients
from thinslice.report import style
from thinslice.report.figures import distribution, model_grid, references, scatter


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    drawn: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem: drawn.append(figure) or [])
    return drawn


@pytest.mark.parametrize("n", [4, 9])
def test_a_distribution_has_one_dot_per_patient_and_quartiles_from_five_on(n, kept, tmp_path):
    table = patients.build()(demo(n))
    distribution.build()(table, tmp_path / "a")
    axes = kept[0].axes[0]
    dots = [dot for c in axes.collections for dot in np.asarray(c.get_offsets())[:, 0]]
    acquired = table.query("degradation == 'acquired'")
    np.testing.assert_allclose(sorted(dots), sorted(acquired["value"]))
    boxes = [patch.get_path().vertices[:, 0] for patch in axes.patches]
    assert len(boxes) == (4 if n >= 5 else 0)
    if boxes:
        best = acquired.loc[acquired["method"] == "tvsrn", "value"]
        assert axes.get_yticklabels()[-1].get_text() == "tvsrn"  # the best on top
        top = boxes[-1]
        expected = np.quantile(best, [0.25, 0.75])
        np.testing.assert_allclose([top.min(), top.max()], expected)


def test_the_grid_puts_every_mean_at_its_assumption_and_frames_the_given_one(kept, tmp_path):
    table = assumed(missing="t0_o2")
    model_grid.build(methods=ASSUMED, given=[5.0, 2.5])(table, tmp_path / "a")
    axes = kept[0].axes[0]
    shades = np.asarray(axes.images[0].get_array().filled(np.nan))
    assert np.isnan(shades[0, 2])
    assert np.isnan(shades).sum() == 1
    means = table.set_index("method")["mean"]
    assert shades[1, 1] == means["t1_o1"] == np.nanmax(shades)
    assert shades[2, 0] == means["t2_o0"]
    (frame,) = axes.patches
    x, y = frame.get_xy()
    assert (round(x + frame.get_width() / 2), round(y + frame.get_height() / 2)) == (1, 1)
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["4.5", "5", "5.5"]


def test_the_grid_leaves_out_thick_slices_of_which_its_assumptions_do_not_speak(kept, tmp_path):
    """The variant that assumes what it is given is run on other slices too, and is right there."""
    rows = assumed().query("method == 't1_o1'").assign(degradation="overlap_2p5_1p25")
    table = pd.concat([rows, assumed()], ignore_index=True)
    model_grid.build(methods=ASSUMED, degradation="overlap_5_2p5")(table, tmp_path / "a")
    (axes,) = kept[0].axes
    assert "5_2p5" in axes.get_title(loc="left") + axes.get_title()
    with pytest.raises(LookupError, match="no rows of degradation overlap_9"):
        model_grid.build(methods=ASSUMED, degradation="overlap_9")(table, tmp_path / "a")


@pytest.mark.parametrize("kind", ["distribution", "references"])
def test_a_figure_shows_the_data_sets_it_is_asked_for_alone(kind, kept, tmp_path):
    module = plugins.module("figures", {"name": kind})
    made, settings = example(kind)
    table = pd.concat([made(), made().assign(dataset="rplhr_ct")], ignore_index=True)
    for asked, panels in (([], 2), (["rplhr_ct"], 1)):
        module.build(**settings, datasets=asked)(table, tmp_path / "a")
        titles = {axes.get_title(loc=loc) for axes in kept[-1].axes for loc in ("left", "center")}
        assert len({t.split(",")[0].split("/")[0] for t in titles if "acquired" in t}) == panels
    with pytest.raises(LookupError, match="no rows of dataset msd"):
        module.build(**settings, datasets=["msd"])(table, tmp_path / "a")


def test_a_scatter_has_every_patient_at_both_methods_numbers(kept, tmp_path):
    table = patients.build()(demo(6))
    scatter.build(method="tvsrn")(table, tmp_path / "a")
    acquired = table.query("degradation == 'acquired'")
    values = {name: part.set_index("patient")["value"] for name, part in acquired.groupby("method")}
    panels = {axes.get_xlabel(): axes for axes in kept[0].axes if axes.get_visible()}
    assert set(panels) == set(values) - {"tvsrn"}
    for other, axes in panels.items():
        dots = np.concatenate([np.asarray(dot.get_offsets()) for dot in axes.collections])
        expected = np.stack([values[other], values["tvsrn"][values[other].index]], 1)
        np.testing.assert_allclose(dots[dots[:, 0].argsort()], expected[expected[:, 0].argsort()])
        assert axes.get_xlim() == axes.get_ylim() == panels["linear"].get_xlim()
    assert "below the line tvsrn is better" in " ".join(words_of(kept[0]))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"method": "saint"}, "no rows of saint"),
        ({"method": "tvsrn", "degradation": "box9"}, "'box9'"),
    ],
)
def test_a_scatter_of_a_method_that_was_not_run_is_refused(settings, why, tmp_path):
    with pytest.raises(LookupError, match=why):
        scatter.build(**settings)(patients.build()(demo()), tmp_path / "a")


def test_a_grid_without_the_given_slices_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"given is \[5.0, 9.0\]"):
        model_grid.build(methods=ASSUMED, given=[5.0, 9.0])(assumed(), tmp_path / "a")


def test_references_draw_each_line_at_its_counts_with_score_and_seconds(kept, tmp_path):
    references.build(lines=LINES)(by_references(), tmp_path / "a")
    score_axes, seconds_axes = kept[0].axes
    by_name = {line.get_label(): line for line in score_axes.lines}
    np.testing.assert_allclose(by_name["by relevance"].get_ydata(), [49.5, 46.5, 43.5])
    np.testing.assert_allclose(np.round(by_name["by relevance"].get_xdata()), [0, 1, 2])
    np.testing.assert_allclose(np.round(by_name["averaged"].get_xdata()), [2])
    np.testing.assert_allclose(seconds_axes.lines[0].get_ydata(), [10.0, 16.0, 22.0])
