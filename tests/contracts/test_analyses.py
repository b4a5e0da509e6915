"""The contract of every analysis, as configs name it: rows count their patients and records.

What the answers are: ``unit/analyses/test_analyses.py``. A module that no config names is
tested here too.
"""

from dataclasses import replace

import pandas as pd
import pytest

from support.cards import cards, module_of, with_settings
from support.evidence import demo
from thinslice import plugins
from thinslice.interfaces import Evidence

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
OF_MR = {"rmse_hu": "rmse_au", "psnr4000_db": "psnr_unit_db"}
OF_PAPERS = {  # what each paper's protocol calls the scores that configs ask of it
    "tvsrn": {"psnr4000_db": "psnr_db", "ssim_coronal": "ssim"},
    "acvtt": {"psnr4000_db": "psnr_db"},
    "acvtt_rplhr": {"psnr4000_db": "psnr_db"},
    "georgescu": {"psnr4000_db": "psnr_db"},
    "sr4zct": {"psnr4000_db": "psnr_coronal_db"},
}


def answered() -> Evidence:
    """What configs ask of CT, of MR by its own names, and of the papers' protocols."""
    made = demo()
    v1 = made.scores.loc[made.scores["protocol"] == "v1"]
    papers = [
        v1.loc[v1["metric"].isin(names)].replace({"metric": names}).assign(protocol=protocol)
        for protocol, names in OF_PAPERS.items()
    ]
    every = [made.scores, made.scores.replace({"metric": OF_MR}), *papers]
    scores = pd.concat(every, ignore_index=True)
    return replace(made, scores=scores.drop_duplicates(ignore_index=True))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return answered()


@pytest.mark.parametrize("name", CARDS)
def test_rows_say_how_many_patients_and_which_records(name, evidence):
    table = plugins.build("analyses", CARDS[name])(evidence)
    assert len(table) > 1
    table = measured(table)
    assert (table["n"] >= 1).all()
    known = {*evidence.scores["record"], *evidence.runs["record"], *evidence.pairs["record"]}
    for ids in table["records"].str.split(" "):
        assert ids
        assert set(ids) <= known


@pytest.mark.parametrize("name", CARDS)
def test_without_evidence_it_has_the_same_columns_and_no_row(name, evidence):
    answer = plugins.build("analyses", CARDS[name])
    empty = answer(Evidence(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()))
    assert measured(empty).empty
    assert list(empty.columns) == list(answer(evidence).columns)


@pytest.mark.parametrize("name", CARDS)
def test_the_evidence_is_left_alone(name, evidence):
    given = answered()
    plugins.build("analyses", CARDS[name])(given)
    for table, same in zip(tables(given), tables(evidence)):
        pd.testing.assert_frame_equal(table, same)


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold a number of ours; a paper's own numbers stand without one too."""
    return table[table["mean"].notna()] if "paper_value" in table else table


def tables(evidence: Evidence) -> tuple[pd.DataFrame, ...]:
    return evidence.scores, evidence.runs, evidence.pairs
