"""Every analysis, table and figure stands numbers that are not finite, and shows them."""

import math
import re
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.figures import ASSUMED, LINES, assumed, by_references, words_of
from support.odd_numbers import INF, NAN, PLANTS, planted
from support.quick import slow_but
from thinslice import plugins
from thinslice.analyses._evidence import read_table
from thinslice.report import findings, page, style, terminal
from thinslice.report.tables import typeset
from thinslice.report.tables.typeset import analysis_table

DRAWN_FROM = {
    "bars": "patients",
    "distribution": "patients",
    "gap_matrix": "domain_gap",
    "scatter": "patients",
    "slice_pairs": "slice_pairs",
    "tradeoff": "efficiency",
}
SPECIAL = {
    "model_grid": (assumed, {"methods": ASSUMED}),
    "references": (by_references, {"lines": LINES}),
}
SETTINGS = {"scatter": {"method": "tvsrn"}}  # of figures in DRAWN_FROM
OF_ONE_KIND = ("scatter", "tradeoff")  # of thick slices: the acquired

ANALYSES = [name for name in plugins.names("analyses") if name != "published"]
KINDS = plugins.names("figures")
SOME = slow_but(["nan", "both infinities", "all odd", "zero"], PLANTS)


def from_csv(table: pd.DataFrame, folder) -> pd.DataFrame:
    """A table as the jobs after it read it."""
    table.to_csv(folder / "t.csv", index=False)
    return read_table(folder / "t.csv")


@cache
def answer(name: str, plant: str) -> pd.DataFrame:
    """An analysis of two thick series; weights of each are tested on both."""
    evidence = planted(PLANTS[plant], degradations=("acquired", "bell_5mm"))
    return plugins.build("analyses", {"name": name})(evidence)


def table_of(name: str, plant: str, folder) -> pd.DataFrame:
    return from_csv(answer(name, plant), folder)


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that a test draws; every artist is laid out and drawn, but for its pixels."""
    figures: list[Figure] = []

    def render(figure: Figure, stem):
        figure.draw_without_rendering()
        figures.append(figure)
        return []

    monkeypatch.setattr(style, "save", render)
    return figures


def draw(kind: str, table: pd.DataFrame, settings, tmp_path) -> None:
    figure = plugins.build("figures", {"name": kind, "kind": kind, "settings": settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure(table, tmp_path / "a")


def figure_input(kind: str, plant: str, folder) -> tuple[pd.DataFrame, dict]:
    """A table with planted numbers, and the settings of the figure."""
    if kind in DRAWN_FROM:
        return table_of(DRAWN_FROM[kind], plant, folder), SETTINGS.get(kind, {})
    made, settings = SPECIAL[kind]
    table = made()
    numbers = list(PLANTS[plant].values())
    everywhere = len(table) if plant.startswith("all") else len(numbers)
    new = pd.Series([numbers[k % len(numbers)] for k in range(everywhere)]).reindex(table.index)
    return from_csv(
        table.assign(mean=table["mean"].mask(table.index < everywhere, new)), folder
    ), settings


@pytest.mark.parametrize("plant", SOME)
@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_says_the_numbers_that_its_axes_cannot_hold(kind, plant, drawn, tmp_path):
    table, settings = figure_input(kind, plant, tmp_path)
    draw(kind, table, settings, tmp_path)
    words = " ".join(words_of(drawn[0]))
    shown = table.query("degradation == 'acquired'") if kind in OF_ONE_KIND else table
    numbers = shown["value" if DRAWN_FROM.get(kind) == "patients" else "mean"]
    assert bool(re.search("(?<!-)∞", words)) >= (numbers == INF).any()
    assert ("-∞" in words) >= (numbers == -INF).any()
    assert ("no value" in words or "–" in words) >= numbers.isna().any()


@pytest.mark.parametrize("plant", SOME)
@pytest.mark.parametrize("name", ANALYSES)
def test_a_table_prints_them_and_names_those_that_no_mean_is_over(name, plant, tmp_path):
    table = analysis_table({"name": name}, table_of(name, plant, tmp_path))
    text = typeset.markdown(table)
    assert typeset.latex(table).count("begin{longtable}") == len(typeset.sheets(table))
    numbers = [cell.text for sheet in typeset.sheets(table) for row in sheet.rows for cell in row]
    assert not any("nan" in number or "inf" in number for number in numbers)
    if name != "significance" and "left_out" in table.rows:
        assert ("‡ not over every patient" in text) == table.rows["left_out"].astype(bool).any()
    if name == "patients":
        assert ("∞" in text) == bool(np.isinf(table.rows["value"]).any())


@pytest.mark.parametrize("plant", PLANTS)
def test_the_page_and_the_terminal_stand_them(plant, tmp_path):
    tables = [analysis_table({"name": name}, table_of(name, plant, tmp_path)) for name in ANALYSES]
    assert "</html>" in page.html(tables)
    assert terminal.summary(tables)
    assert findings.sentences(tables)


def test_methods_with_means_over_different_patients_are_not_ranked(tmp_path):
    rows = plugins.build("analyses", {"name": "benchmark"})(planted({0: INF}, method="tvsrn"))
    table = analysis_table({"name": "benchmark"}, from_csv(rows, tmp_path))
    assert "**" not in typeset.markdown(table).split("Every metric")[0]
    sentences = findings.sentences([table])
    assert len(sentences) == 4
    assert all(
        "without p0: inf); means over different patients rank nothing." in s for s in sentences
    )
    same = plugins.build("analyses", {"name": "benchmark"})(planted({0: NAN}))
    assert all(
        "without p0: nan)" in s and "rank nothing" not in s
        for s in findings.sentences(
            [analysis_table({"name": "benchmark"}, from_csv(same, tmp_path))]
        )
    )


def test_no_time_and_no_patient_left_draw_what_there_is(drawn, tmp_path):
    table = table_of("efficiency", "zero", tmp_path)
    for seconds in (0.0, NAN, INF):
        draw("tradeoff", table.assign(wall_s=seconds), {}, tmp_path)
        assert "linear: " in " ".join(words_of(drawn[-1]))
    draw("tradeoff", table.assign(parameters=math.nan), {}, tmp_path)
    draw("bars", table_of("patients", "inf", tmp_path).query("patient == 'p0'"), {}, tmp_path)


def test_seconds_within_a_power_of_ten_have_marks_on_their_axis(drawn, tmp_path):
    table = plugins.build("analyses", {"name": "efficiency"})(planted({}))
    for seconds in (0.0137, 3.0, 310.0):
        close = [seconds * (1 + k / 99) for k in range(len(table))]
        draw("tradeoff", table.assign(wall_s=close), {}, tmp_path)
        axes = drawn[-1].axes[0]
        low, high = axes.get_xlim()
        assert sum(low <= tick <= high for tick in axes.get_xticks()) >= 1
    draw("tradeoff", table.assign(wall_s=[0.013, 0.018] * (len(table) // 2)), {}, tmp_path)
    low, high = drawn[-1].axes[0].get_xlim()
    assert sum(low <= tick <= high for tick in drawn[-1].axes[0].get_xticks()) >= 2
