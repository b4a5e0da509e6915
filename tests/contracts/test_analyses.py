"""The contract of every analysis, as configs name it: rows count their patients and records.

What the answers are: ``unit/analyses/test_analyses.py``. A module that no config names is
tested here too.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from pandas.api.types import is_numeric_dtype

from support.cards import cards, module_of, with_settings
from support.evidence import demo, of_solids
from thinslice import plugins
from thinslice.columns import COLUMNS, METRIC, metric_name, metric_of
from thinslice.interfaces import Evidence
from thinslice.report.tables import typeset

# What an analysis needs to have an answer, where no config names it.
TINY = {
    "published": {
        "tables": {
            "table_1": {
                "title": "Table 1",
                "about": {"dataset": "phantom", "degradation": "acquired", "protocol": "v1"},
                "columns": [{"title": "RMSE", "metric": "rmse_hu"}],
                "rows": [["TVSRN", "tvsrn", 43.0], ["EDSR", "edsr", 50], ["SAINT", None, 45.0]],
            }
        }
    }
}
CARDS = {
    name: card if "settings" in card else with_settings(card, **TINY.get(module_of(card), {}))
    for name, card in cards("analyses").items()
}
OF_MR = {"rmse_hu": "rmse_au", "psnr_db scan": "psnr_db unit"}
OF_PAPERS = {  # the scores that configs ask of each paper's protocol
    "tvsrn": {"psnr_db scan": "psnr_db", "ssim coronal": "ssim"},
    "acvtt": {"psnr_db scan": "psnr_db", "ssim coronal": "ssim axial"},
    "acvtt_rplhr": {"psnr_db scan": "psnr_db", "ssim coronal": "ssim axial"},
    "georgescu": {"psnr_db scan": "psnr_db"},
    "sr4zct": {"psnr_db scan": "psnr_db coronal"},
    "segmentation": {"ssim coronal": "dice_kidney"},
}


def renamed(scores: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """The scores whose metric is among ``names``, under the other name."""
    metrics = [metric_name(row) for row in scores[list(METRIC)].to_dict("records")]
    chosen = scores.loc[[metric in names for metric in metrics]]
    columns = pd.DataFrame([metric_of(names[m]) for m in metrics if m in names], chosen.index)
    return chosen.assign(**{key: columns[key] for key in METRIC})


def answered() -> Evidence:
    """What configs ask of CT, of MR by its own names, and of the papers' protocols."""
    made = demo()
    v1 = made.scores.loc[made.scores["protocol"] == "v1"]
    papers = [renamed(v1, names).assign(protocol=name) for name, names in OF_PAPERS.items()]
    parts = [made.scores, renamed(v1, OF_MR), *papers, *of_solids(v1)]
    scores = pd.concat(parts, ignore_index=True)
    return replace(made, scores=scores)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """What the analyses are given; its own test holds them to leave it alone."""
    return answered()


@pytest.fixture(scope="module")
def answer(evidence) -> Callable[[str], pd.DataFrame]:
    """The table of each card, computed once."""
    return cache(lambda name: plugins.build("analyses", CARDS[name])(evidence))


@pytest.mark.parametrize("name", CARDS)
def test_rows_say_how_many_patients_and_which_records(name, answer, evidence):
    table = answer(name)
    assert len(table) > 1
    table = measured(table)
    assert (table["n"] >= 1).all()
    known = {*evidence.scores["record"], *evidence.runs["record"], *evidence.pairs["record"]}
    for ids in table["records"].str.split(" "):
        assert ids
        assert set(ids) <= known


@pytest.mark.parametrize("name", CARDS)
def test_without_evidence_it_has_the_same_columns_and_no_row(name, answer):
    nothing = Evidence(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    empty = plugins.build("analyses", CARDS[name])(nothing)
    assert measured(empty).empty
    assert list(empty.columns) == list(answer(name).columns)


@pytest.mark.parametrize("name", CARDS)
def test_every_column_is_in_the_table_of_columns_with_its_type(name, answer):
    table = answer(name)
    for column in table:
        kind = KINDS[DTYPES[column]]
        assert kind(table[column].dropna()), f"{column} holds {table[column].dtype}"


@pytest.mark.parametrize("name", CARDS)
def test_its_layout_prints_it(name, answer):
    table = typeset.analysis_table(CARDS[name], answer(name))
    assert table.layout == "" or typeset.question(table) != table.name
    assert len(typeset.sheets(table)) >= 1


@pytest.mark.parametrize("name", CARDS)
def test_the_evidence_is_left_alone(name, answer, evidence):
    answer(name)
    for table, same in zip(tables(evidence), tables(answered())):
        pd.testing.assert_frame_equal(table, same)


def is_text(column: pd.Series) -> bool:
    return all(isinstance(value, str) for value in column)


def is_whole(column: pd.Series) -> bool:
    return is_numeric_dtype(column) and bool((column % 1 == 0).all())


DTYPES = {column.name: column.dtype for column in COLUMNS}
KINDS = {"text": is_text, "int": is_whole, "float": is_numeric_dtype}


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold a number of ours; a paper's own numbers stand without one too."""
    return table[table["mean"].notna()] if "paper_value" in table else table


def tables(evidence: Evidence) -> tuple[pd.DataFrame, ...]:
    return evidence.scores, evidence.runs, evidence.pairs
