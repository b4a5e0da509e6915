"""A paper's tables beside ours: every printed number once, nothing paired that is not the same."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from support.evidence import demo
from support.printed_paper import SETTINGS, SKIPPED, STAND_INS, row_of
from thinslice.analyses import _printed, benchmark, published
from thinslice.analyses._patients import paired_gains, scores_of
from thinslice.analyses._statistics import paired_t, wilcoxon_greater
from thinslice.interfaces import Evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return replace(demo(), skipped=SKIPPED)


@pytest.fixture(scope="module")
def table(evidence) -> pd.DataFrame:
    return published.build(**SETTINGS)(evidence)


@pytest.fixture(scope="module")
def stood_in(evidence) -> pd.DataFrame:
    return published.build(**SETTINGS, stand_ins=STAND_INS)(evidence)


def test_every_printed_number_stands_there_once_in_the_paper_s_order_and_unrounded(table):
    printed = []
    for name, one in SETTINGS["tables"].items():
        for line, _, *numbers in one["rows"]:
            for column, number in zip(one["columns"], numbers):
                if number is not None:
                    printed.append((name, line, column["title"]))
    keys = ["table", "printed_row", "printed_column"]
    assert list(table[keys].itertuples(index=False, name=None)) == printed
    assert row_of(table, "EDSR", "PSNR")[["paper_value", "paper_sd"]].tolist() == [36.812, 1.7]
    assert row_of(table, "EDSR", "Param")["paper_value"] == 412e3
    assert table["paper_mark"].tolist().count("*") == 1


def test_ours_is_the_benchmark_s_number_and_the_difference_is_exact(table, evidence):
    main = benchmark.build()(evidence)
    row = row_of(table, "TVSRN", "PSNR")
    place = ["degradation", "method", "metric"]
    same = main.set_index(place).loc[("acquired", "tvsrn", "psnr_db")]
    for name in ("mean", "low", "high", "n", "records", "sim", "fidelity", "interval"):
        assert row[name] == same[name]
    assert row["difference"] == same["mean"] - 38.61
    assert row["ours_on"] == "phantom/acquired/tvsrn"
    assert row["paper_n"] == 100
    assert "38.6 in the text" in row["note"]


def test_a_row_has_ours_with_patients_and_records_or_says_why_not(table, stood_in, evidence):
    known = {*evidence.scores["record"], *evidence.runs["record"]}
    for row in pd.concat([table, stood_in]).to_dict("records"):
        measured = not math.isnan(row["mean"])
        assert measured == (row["why"] == "")
        assert measured == (row["records"] != "")
        assert set(row["records"].split()) <= known
        if measured:
            assert row["n"] >= 1
            assert row["sim"] == "sim"


@pytest.mark.parametrize(
    ("line", "column", "why"),
    [
        ("SAINT", "PSNR", "not among the methods yet"),
        ("EDSR", "GPU", "memory of a graphics card is not measured"),
        ("TVSRN-full", "hospital RMSE", "not run: it has no thick"),
        ("TVSRN-full", "MS-SSIM", "not in this run's grid"),
        ("TVSRN-full", "RMSE", "the data set is not among ours"),
        ("TVSRN", "MS-SSIM", "protocol v1 gave no ms_ssim"),
        ("TVSRN", "hospital RMSE", "not in this run's grid"),  # skipped with foreign weights only
    ],
)
def test_a_number_without_ours_says_why(table, line, column, why):
    assert row_of(table, line, column)["why"] == why


def test_all_methods_skipped_is_a_reason_for_each_of_them(evidence):
    asked = {"degradation": "bell_5mm", "metric": "rmse_hu", "protocol": "v1"}
    one = {"title": "t", "about": asked, "columns": [{"title": "a", "dataset": "phantom"}]}
    table = published.build(tables={"t": {**one, "rows": [["x", "saint", 1.0]]}})(evidence)
    assert table["why"].tolist() == ["not run: nothing there"]


def test_a_stand_in_is_named_and_never_has_a_difference(table, stood_in):
    changed = stood_in[stood_in["stand_in"] != ""]
    assert len(changed) == 3
    assert changed["difference"].isna().all()
    assert changed["mean"].notna().all()
    row = row_of(stood_in, "TVSRN-full", "hospital RMSE")
    assert row["stand_in"] == "phantom for hospital, tvsrn for tvsrn_full"
    assert row["ours_on"] == "phantom/acquired/tvsrn"
    assert row_of(stood_in, "5 / 2.5, cor", "hospital RMSE")["ours_on"].endswith("/tvsrn")
    rest = stood_in["stand_in"] == ""
    pd.testing.assert_frame_equal(stood_in[rest], table[rest])


def test_one_number_may_be_another_than_its_row_and_column_say(evidence, table):
    """As where a paper copies a number from another paper, scored by other rules."""
    tables = json.loads(json.dumps(SETTINGS["tables"]))
    tables["table_1"]["rows"][3][2] = {"value": 38.61, "metric": "rmse_hu", "note": "copied"}
    changed = published.build(tables=tables)(evidence)
    row = row_of(changed, "TVSRN", "PSNR")
    assert (row["metric"], row["unit"]) == ("rmse_hu", "HU")
    assert row["note"].startswith("copied")
    others = changed["printed_row"] != "TVSRN"
    assert changed[others]["mean"].equals(table[others]["mean"])


def test_a_metric_may_stand_in_too(evidence, table):
    """Structures of a phantom for a patient's, say."""
    others = {"metrics": {"ms_ssim": "rmse_hu", "psnr_db": "ssim"}}
    stood_in = published.build(**SETTINGS, stand_ins=others)(evidence)
    row = row_of(stood_in, "TVSRN", "MS-SSIM")
    assert (row["metric"], row["stand_in"], row["unit"]) == ("ms_ssim", "rmse_hu for ms_ssim", "HU")
    assert math.isnan(row["difference"])
    assert row_of(stood_in, "EDSR", "PSNR").equals(row_of(table, "EDSR", "PSNR"))


def test_what_was_run_itself_needs_no_stand_in(evidence):
    others = {"methods": {"edsr": "tvsrn"}, "datasets": {"phantom": "hospital"}}
    stood_in = published.build(**SETTINGS, stand_ins=others)(evidence)
    row = row_of(stood_in, "EDSR", "PSNR")
    assert (row["ours_on"], row["stand_in"]) == ("phantom/acquired/edsr", "")


def test_costs_come_from_the_runs_and_seconds_are_not_compared(table):
    parameters, seconds = (row_of(table, "TVSRN", name) for name in ("Param", "s"))
    assert (parameters["mean"], parameters["difference"]) == (1.73e6, 0.0)
    assert math.isnan(seconds["difference"])
    assert seconds["unit"] == "s"
    assert "of ours: cpu (2 cores)" in seconds["note"]


def test_a_patient_with_three_scans_counts_once_in_seconds_too(table, evidence):
    runs = evidence.runs.query("degradation == 'acquired' and method == 'tvsrn'")
    runs = runs[runs["fitted_on"] == "phantom/acquired"].assign(
        patient=lambda r: r["case"].str.split("-").str[0]
    )
    expected = runs.groupby("patient")["wall_s"].mean().mean()
    assert row_of(table, "TVSRN", "s")["mean"] == pytest.approx(expected, rel=1e-12)
    assert row_of(table, "TVSRN", "s")["n"] == 4


def test_the_order_of_the_evidence_changes_nothing(table, evidence):
    rng = np.random.default_rng(0)
    parts = (evidence.scores, evidence.runs, evidence.pairs)
    mixed = [part.iloc[rng.permutation(len(part))].reset_index(drop=True) for part in parts]
    again = published.build(**SETTINGS)(Evidence(*mixed, skipped=SKIPPED))
    assert again.to_csv() == table.to_csv()


def test_a_card_sorted_by_its_keys_says_the_same(table, evidence):
    settings = json.loads(json.dumps(SETTINGS, sort_keys=True))
    assert published.build(**settings)(evidence).to_csv() == table.to_csv()


def test_without_evidence_the_paper_s_numbers_stand_alone(table):
    empty = published.build(**SETTINGS)(Evidence(*(pd.DataFrame() for _ in range(3))))
    assert list(empty.columns) == list(table.columns)
    assert empty["paper_value"].tolist() == table["paper_value"].tolist()
    assert empty["mean"].isna().all()
    assert (empty["why"] != "").all()


ONE = {"title": "t", "columns": [{"title": "PSNR"}, {"title": "SSIM"}]}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        ({**ONE, "rows": [["Bicubic", "cubic", 34.85]]}, "1 numbers for 2 columns"),
        ({**ONE, "rows": [["Bicubic", "cubic", 34.85, "34.8*5"]]}, "'34.8\\*5' is no number"),
        ({**ONE, "rows": [["Bicubic", {"size": 3}, 1, 2]]}, r"says \['size'\]"),
        ({**ONE, "rows": ["Bicubic"]}, "a row is a list"),
        ({**ONE, "rows": [["a", "b", 1, 2], ["a", "c", 1, 2]]}, "rows of the same name"),
        ({"title": "t", "columns": ["PSNR"], "rows": []}, "a column has a title"),
        ({"title": "t", "rows": []}, "expected title, columns and rows"),
        ({**ONE, "rows": [["Bicubic", "cubic", {"value": 1}, 2]]}, "holds value and note"),
        (
            {**ONE, "rows": [["Bicubic", "cubic", {"value": 1, "note": "x", "sd": 2}, 2]]},
            r"column 'PSNR' says \['sd'\]",
        ),
    ],
)
def test_a_table_that_is_none_is_refused_by_name(one, words):
    with pytest.raises(ValueError, match=words):
        published.build(tables={"table_9": one})


def test_a_stand_in_of_nothing_known_is_refused():
    with pytest.raises(ValueError, match="dataset"):
        published.build(stand_ins={"dataset": {"a": "b"}})


@pytest.mark.parametrize(
    ("text", "value", "sd", "mark"),
    [
        ("38.609 ± 1.721*", 38.609, 1.721, "*"),
        ("34.85*", 34.85, math.nan, "*"),
        ("1.73M", 1.73e6, math.nan, ""),
        (935.0, 935.0, math.nan, ""),
    ],
)
def test_numbers_as_papers_print_them(text, value, sd, mark):
    one = {"title": "t", "columns": [{"title": "a"}], "rows": [["x", "cubic", text]]}
    (cell,) = _printed.cells({"t": one})
    assert cell.value == pytest.approx(value, rel=1e-15)
    assert (math.isnan(cell.sd) and math.isnan(sd)) or cell.sd == sd
    assert cell.mark == mark


def with_test(test: str, against: str) -> dict:
    """The tables whose first has a test of significance."""
    tables = json.loads(json.dumps(SETTINGS["tables"]))
    tables["table_1"]["about"] |= {"test": test, "against": against}
    return tables


def of_method(evidence: Evidence, method: str) -> pd.DataFrame:
    scores = scores_of(evidence, metrics=["psnr_db scan"], protocols=["v1"])
    fitted = scores["fitted_on"].isin(["", "phantom/acquired"])
    return scores[fitted & (scores["method"] == method) & (scores["degradation"] == "acquired")]


def test_ours_has_its_standard_deviation_over_patients(table, evidence):
    values = of_method(evidence, "tvsrn").groupby("patient")["value"].mean()
    assert row_of(table, "TVSRN", "PSNR")["sd"] == pytest.approx(values.std(ddof=1))
    assert math.isnan(row_of(table, "SAINT", "PSNR")["sd"])
    assert set(table["mark"]) == set(table["test"]) == {""}  # no test was asked for


def test_what_is_significantly_worse_is_marked_by_the_paired_t_test(evidence):
    table = published.build(tables=with_test("paired_t", "tvsrn"))(evidence)
    worse, best = (row_of(table, line, "PSNR") for line in ("EDSR", "TVSRN"))
    edsr, tvsrn = (of_method(evidence, name) for name in ("edsr", "tvsrn"))
    assert worse["p"] == pytest.approx(paired_t(paired_gains(tvsrn, edsr, "higher")["value"]))
    assert (worse["p"] < 0.05, worse["mark"]) == (True, "*")
    assert worse["test"].startswith("worse than tvsrn (paired t-test")
    assert (best["mark"], best["test"]) == ("", "")  # against itself
    assert row_of(table, "EDSR", "s")["test"] == ""  # seconds are not tested
    turned = published.build(tables=with_test("paired_t", "edsr"))(evidence)
    better = row_of(turned, "TVSRN", "PSNR")
    assert better["p"] == pytest.approx(worse["p"])
    assert better["mark"] == ""  # significant, but better


def test_what_is_significantly_better_is_marked_by_the_one_sided_wilcoxon_test(evidence):
    table = published.build(tables=with_test("wilcoxon", "edsr"))(evidence)
    row = row_of(table, "TVSRN", "PSNR")
    edsr, tvsrn = (of_method(evidence, name) for name in ("edsr", "tvsrn"))
    assert row["p"] == wilcoxon_greater(paired_gains(tvsrn, edsr, "higher")["value"])
    assert (row["p"], row["mark"]) == (0.0625, "")  # all of four: no p below 1 / 16 is possible
    assert row["test"].startswith("better than edsr (one-sided Wilcoxon")


def test_against_a_method_that_is_not_scored_nothing_is_tested(evidence):
    table = published.build(tables=with_test("paired_t", "saint"))(evidence)
    assert set(table["mark"]) == set(table["test"]) == {""}
    assert table["mean"].notna().any()


def test_a_test_without_its_against_or_an_unknown_one_is_refused():
    with pytest.raises(ValueError, match="go together"):
        published.build(tables=with_test("paired_t", None))
    with pytest.raises(ValueError, match="test 'anova' is none of paired_t, wilcoxon"):
        published.build(tables=with_test("anova", "tvsrn"))


def test_the_mark_is_given_at_the_paper_s_level(evidence):
    tables = with_test("paired_t", "tvsrn")
    p = row_of(published.build(tables=tables)(evidence), "EDSR", "PSNR")["p"]
    for level, mark in ((1.01 * p, "*"), (0.99 * p, "")):
        tables["table_1"]["about"]["level"] = level
        row = row_of(published.build(tables=tables)(evidence), "EDSR", "PSNR")
        assert (row["p"], row["mark"]) == (p, mark)
        assert row["test"].endswith(f"p < {level:g})")
