"""Weights of two kinds are two entrants, in every table and figure; no two rows become one."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.evidence import demo_with_solids
from support.figures import ASSUMED, LINES, assumed, by_references, words_of
from thinslice import plugins
from thinslice.errors import Refused
from thinslice.report import findings, style, terminal
from thinslice.report.tables import typeset
from thinslice.report.tables.typeset import analysis_table

HERE = "phantom/acquired"
ELSEWHERE = ("phantom/bell_5mm", "own/bell_5mm")  # differ by their data set alone
TABLES = {
    name: plugins.build("analyses", {"name": name})(demo_with_solids())
    for name in plugins.names("analyses")
    if name != "published"
}
METHODS = [name for name in TABLES if "fitted_on" in TABLES[name]]
LAID_OUT = [
    name for name in TABLES if hasattr(plugins.module("analyses", {"name": name}), "LAYOUT")
]
DRAWN_FROM = {
    "bars": TABLES["patients"],
    "distribution": TABLES["patients"],
    "gap_matrix": TABLES["domain_gap"],
    "model_grid": assumed(),
    "references": by_references(),
    "scatter": TABLES["patients"],
    "slice_pairs": TABLES["slice_pairs"],
    "tradeoff": TABLES["efficiency"],
}
SETTINGS = {
    "model_grid": {"methods": ASSUMED},
    "references": {"lines": LINES},
    "scatter": {"method": "edsr"},
}


def moved(table: pd.DataFrame, method: str = "edsr") -> pd.DataFrame:
    """The table with the method's rows again for weights of every other kind, and other numbers."""
    fitted = table["fitted_on"] if "fitted_on" in table else ""
    trained = table[(table["method"] == method) & (fitted == HERE)]
    others = [trained.assign(fitted_on=source) for source in ELSEWHERE]
    if "against_fitted_on" in table:
        against = table[(table["against"] == method) & (table["against_fitted_on"] == HERE)]
        others += [against.assign(against_fitted_on=source) for source in ELSEWHERE]
    numbers = [name for name in ("mean", "value", "median_gain") if name in table]
    others = [part.assign(**{k: part[k] + 7 for k in numbers}) for part in others]
    return pd.concat([table, *others], ignore_index=True).drop_duplicates(
        [k for k in table if k in ("method", "fitted_on", "against", "against_fitted_on", "patient",
         "degradation", "tested_on", "metric", "view", "range", "phase_mm", "protocol")]
    )  # fmt: skip


def again(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its last row twice, the second time with another number."""
    numbers = [name for name in ("mean", "value", "median_gain", "wall_s") if name in table]
    last = table.iloc[-1:]
    return pd.concat([table, last.assign(**{k: last[k] + 1 for k in numbers})], ignore_index=True)


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    figures: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem: figures.append(figure) or [])
    return figures


def draw(kind: str, table: pd.DataFrame, tmp_path) -> None:
    card = {"name": kind, "kind": kind, "settings": SETTINGS.get(kind, {})}
    plugins.build("figures", card)(table, tmp_path / "a")


@pytest.mark.parametrize("name", METHODS)
def test_every_table_has_a_row_for_every_kind_of_weights(name):
    table = moved(TABLES[name])
    sheets = typeset.sheets(analysis_table({"name": name}, table))
    words = [cell.text for sheet in sheets for row in sheet.rows for cell in row]
    for source in (HERE, *ELSEWHERE):
        assert f"edsr, fitted on {source}" in words or source in words
    shown = {cell.row for sheet in sheets for row in sheet.rows for cell in row if cell.row}
    if name in ("benchmark", "patients", "domain_gap"):
        assert shown == set(range(1, len(table) + 1))


@pytest.mark.parametrize("name", [name for name in TABLES if name not in LAID_OUT])
def test_a_table_printed_column_by_column_has_every_row(name):
    table = again(TABLES[name])
    (sheet,) = typeset.sheets(analysis_table({"name": name}, table))
    assert len(sheet.rows) == len(table) > 1


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_table_that_would_merge_two_rows_is_refused(name):
    table = again(TABLES[name])
    with pytest.raises(Refused, match="two rows of a table would be one cell"):
        typeset.markdown(analysis_table({"name": name}, table))


@pytest.mark.parametrize("kind", ["bars", "distribution", "tradeoff", "gap_matrix"])
def test_a_figure_names_every_kind_of_weights(kind, drawn, tmp_path):
    draw(kind, moved(DRAWN_FROM[kind]), tmp_path)
    words = [word.replace("\n", "/").split("/4")[0] for word in words_of(drawn[0])]
    for source in (HERE, *ELSEWHERE):
        assert any(source in word for word in words), source


@pytest.mark.parametrize("kind", plugins.names("figures"))
def test_a_figure_that_would_merge_two_rows_is_refused(kind, drawn, tmp_path):
    table = DRAWN_FROM[kind]
    if kind == "tradeoff":
        table = table[table["degradation"] == "acquired"]
    with pytest.raises(Refused, match="two rows of a table would be one cell"):
        draw(kind, again(table), tmp_path)


def test_what_the_page_says_and_the_terminal_name_the_weights_of_the_winner():
    table = moved(TABLES["benchmark"], "tvsrn")
    table["mean"] = table["mean"].where(table["fitted_on"] != "own/bell_5mm", 1.0)
    answers = [analysis_table({"name": "benchmark"}, table)]
    sentence = findings.sentences(answers)[0]
    assert "tvsrn, fitted on own/bell_5mm has the best RMSE: 1.0" in sentence
    assert "tvsrn, fitted on own/bell_5mm" in terminal.summary(answers)
