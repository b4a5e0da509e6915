"""Numbers that are not finite: one rule, whatever the analysis."""

import math
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from support.evidence import demo_with_solids, evidence_of, score
from support.odd_numbers import INF, NAN, PLANTS, planted
from support.quick import slow_but
from thinslice import plugins
from thinslice.analyses import benchmark, domain_gap, efficiency, patients, published, significance
from thinslice.analyses._finite import differences, exact_mean, in_mean, left_out, median, ranked
from thinslice.analyses._statistics import bootstrap_interval, wilcoxon_greater
from thinslice.interfaces import Evidence

COUNTS = ("candidates",)  # analyses without means
ALL = [name for name in plugins.names("analyses") if name not in COUNTS]
PAPER = {
    "table_1": {
        "title": "Table 1",
        "about": {"dataset": "phantom", "degradation": "acquired", "protocol": "v1"},
        "columns": [{"title": "RMSE", "metric": "rmse_hu"}, {"title": "s", "metric": "wall_s"}],
        "rows": [["TVSRN", "tvsrn", 43.0, 1.0], ["EDSR", "edsr", 50, 2.0]],
    }
}
TWO = ("acquired", "bell_5mm")  # kinds of thick slices
EVIDENCE = demo_with_solids(TWO)


def answer(name: str, evidence: Evidence) -> pd.DataFrame:
    """The table of an analysis, warnings of numpy being errors."""
    settings = {"tables": PAPER} if name == "published" else {}
    card = {"name": name, "settings": settings}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return plugins.build("analyses", card)(evidence)


@cache
def rows_without_odd_numbers(name: str) -> int:
    return len(answer(name, EVIDENCE))


@pytest.mark.parametrize(
    "plant", slow_but(["inf", "nan", "both infinities", "all -inf", "zero"], PLANTS)
)
@pytest.mark.parametrize("name", ALL)
def test_a_mean_is_finite_or_says_why_and_names_what_it_leaves_out(name, plant):
    table = answer(name, planted(PLANTS[plant], degradations=TWO))
    assert len(table) == rows_without_odd_numbers(name)
    for row in table.to_dict("records"):
        middle = row.get("mean", row.get("median_gain"))
        if name == "published" and row["why"] not in ("", "no patient has a value"):
            continue
        everyone = row.get("stratum", "all") == "all"
        if "zero" not in plant and name not in ("significance", "published") and everyone:
            names = row["left_out"]
            assert math.isfinite(middle) or math.isinf(row["low"]) or math.isnan(row["low"])
            assert bool(names) == (plant not in ("all inf", "all -inf")), row
        if math.isinf(middle):
            assert math.isnan(row["low"])
            assert math.isnan(row["high"])
            assert "no interval" in row["note"]


@pytest.mark.parametrize("name", ["benchmark", "patients", "efficiency", "domain_gap"])
def test_the_mean_is_that_of_the_other_patients(name):
    odd = answer(name, planted({3: INF}, degradations=TWO))
    three = replace(
        EVIDENCE,
        scores=EVIDENCE.scores[EVIDENCE.scores["patient"] != "p3"],
        runs=EVIDENCE.runs[EVIDENCE.runs["patient"] != "p3"],
    )
    expected = answer(name, three)
    key = [k for k in ("degradation", "method", "fitted_on", "tested_on", "metric") if k in odd]
    by = dict.fromkeys(key + (["patient"] if name == "patients" else []))
    both = odd.merge(expected, on=list(by), suffixes=("", "_three"), validate="1:1")
    assert len(both) == len(expected)
    for column in ("mean", "low", "high", "n"):
        np.testing.assert_array_equal(both[column], both[f"{column}_three"])
    assert (odd["left_out"] == "p3: inf").all()
    assert (odd["n"] == 3).all()


def test_a_patient_keeps_its_own_number_as_it_is():
    table = answer("patients", planted({0: INF, 1: -INF, 2: NAN}))
    values = table.groupby("patient")["value"].first()
    assert values["p0"] == INF
    assert values["p1"] == -INF
    assert math.isnan(values["p2"])
    assert (table["left_out"] == "p0: inf, p1: -inf, p2: nan").all()


def test_one_odd_scan_of_a_patient_with_several_is_named_as_a_scan():
    rows = [
        score("a1", INF, patient="a"),
        score("a2", 30.0, patient="a"),
        score("b1", 40.0, patient="b"),
    ]
    (row,) = benchmark.build()(evidence_of(rows)).to_dict("records")
    assert (row["mean"], row["n"], row["left_out"]) == (35.0, 2, "a (scan a1: inf)")
    single = patients.build()(evidence_of(rows)).set_index("patient")
    assert single.loc["a", "cases"] == 1


def psnr(method: str, values: dict[str, float]) -> list[dict]:
    about = {"metric": "psnr_db", "unit": "dB", "better": "higher"}
    return [score(p, value, method=method, **about) for p, value in values.items()]


def test_two_perfect_restorations_tie_and_a_perfect_one_is_the_largest_gain():
    others = {f"p{k}": 30.0 + k for k in range(5)}
    ours = psnr("ours", {"perfect": INF, **{p: v + 1 + v / 99 for p, v in others.items()}})
    for theirs, p, infinite in ((INF, 2.0**-5, 0), (28.0, 2.0**-6, 1)):
        rows = [*ours, *psnr("theirs", {"perfect": theirs, **others})]
        table = significance.build(metrics=["psnr_db"])(evidence_of(rows)).set_index("method")
        assert table.loc["ours", "p"] == pytest.approx(p)
        assert table.loc["theirs", "p"] > 0.9
        assert table.loc["ours", "n"] == 6
        assert math.isfinite(table.loc["ours", "median_gain"])
        assert ("infinite" in table.loc["ours", "note"]) == bool(infinite)


def test_a_paper_s_number_beside_an_infinite_one_has_no_difference():
    table = published.build(tables=PAPER)(planted(PLANTS["all inf"])).set_index("printed_column")
    assert (table.loc["RMSE", "mean"] == INF).all()
    assert table.loc["RMSE", "difference"].isna().all()
    empty = published.build(tables=PAPER)(planted(PLANTS["all nan"])).set_index("printed_column")
    assert (empty.loc["RMSE", "why"] == "no patient has a value").all()


def test_costs_are_over_the_runs_that_were_timed():
    table = efficiency.build()(planted({0: NAN}, method="linear"))
    row = table[table["method"] == "linear"].iloc[0]
    assert math.isfinite(row["wall_s"])
    assert row["parameters"] == 0
    assert "seconds not over p0-0: nan" in row["note"]


def test_a_drop_leaves_out_what_has_no_finite_difference_and_says_so():
    evidence = planted({1: INF}, method="tvsrn", degradations=TWO)
    assert (domain_gap.build()(evidence).query("method == 'tvsrn'")["left_out"] == "p1: inf").all()
    fitted = EVIDENCE.scores["fitted_on"]
    half = (EVIDENCE.scores["patient"] == "p1") & fitted.str.endswith("bell_5mm")
    scores = EVIDENCE.scores.assign(value=EVIDENCE.scores["value"].where(~half, INF))
    table = domain_gap.build()(replace(EVIDENCE, scores=scores))
    row = table.query("fitted_on.str.endswith('bell_5mm') and tested_on.str.endswith('acquired')")
    assert np.isfinite(row["drop"]).all()
    assert row["note"].str.contains("drop over 3 of 4 patients, not p1: inf").all()


@pytest.mark.parametrize(
    ("values", "mean", "n"),
    [
        ([1.0, 2.0, INF], 1.5, 2),
        ([1.0, -INF, NAN], 1.0, 1),
        ([INF, INF], INF, 2),
        ([-INF, NAN], -INF, 1),
        ([INF, -INF], NAN, 0),
        ([NAN], NAN, 0),
        ([], NAN, 0),
        ([0.0, 0.0], 0.0, 2),
    ],
)
def test_the_rule(values, mean, n):
    np.testing.assert_equal(exact_mean(values), mean)
    assert in_mean(values).sum() == n
    names = [f"p{k}" for k in range(len(values))]
    assert len([part for part in left_out(names, values).split(", ") if part]) == len(values) - n


def test_the_mean_does_not_depend_on_the_order():
    x = [1e16, 1.0, -1e16, 1.0]
    assert exact_mean(x) == exact_mean(sorted(x)) == 0.5


def test_infinite_differences_keep_their_order_and_sign():
    ours, theirs = np.array([INF, INF, -INF, 3.0, NAN]), np.array([INF, 2.0, 2.0, 1.0, 1.0])
    np.testing.assert_equal(differences(ours, theirs), [0.0, INF, -INF, 2.0, NAN])
    ranks = ranked(np.array([INF, -5.0, -INF, 2.0]))
    assert np.isfinite(ranks).all()
    np.testing.assert_array_equal(np.argsort(ranks), [2, 1, 3, 0])
    assert wilcoxon_greater([INF, 2.0, 1.0]) == wilcoxon_greater([9.0, 2.0, 1.0])
    assert median(np.array([1.0, 2.0, INF])) == 2.0
    np.testing.assert_equal(median(np.array([INF, -INF])), NAN)
    np.testing.assert_equal(bootstrap_interval([INF, INF]), (NAN, NAN))
