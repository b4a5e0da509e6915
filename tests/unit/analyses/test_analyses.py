"""Analyses: what must hold whatever the scores are, on evidence made by rule."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from support.evidence import demo, evidence_of, score
from thinslice.analyses import (
    benchmark,
    domain_gap,
    efficiency,
    patients,
    significance,
    slice_pairs,
)
from thinslice.analyses._statistics import bootstrap_interval, holm
from thinslice.columns import metric_name
from thinslice.interfaces import Evidence

ALL = [benchmark, domain_gap, efficiency, patients, significance, slice_pairs]
NAMES = [module.__name__.rsplit(".", 1)[-1] for module in ALL]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return demo()


@pytest.mark.parametrize("module", ALL, ids=NAMES)
def test_the_order_in_which_rows_are_read_changes_nothing(module, evidence):
    rng = np.random.default_rng(0)
    shuffled = Evidence(
        *(
            table.iloc[rng.permutation(len(table))].reset_index(drop=True)
            for table in (evidence.scores, evidence.runs, evidence.pairs)
        )
    )
    table = module.build()(evidence)
    assert len(table) > 1
    assert table.to_csv() == module.build()(shuffled).to_csv()


@pytest.mark.parametrize("module", ALL, ids=NAMES)
def test_every_row_says_how_many_patients_which_protocol_and_which_records(module, evidence):
    table = module.build()(evidence)
    assert (table["n"] >= 1).all()
    assert (table["protocol"] == "v1").all()
    assert (table["sim"] == "sim").all()
    known = {*evidence.scores["record"], *evidence.runs["record"], *evidence.pairs["record"]}
    for ids in table["records"].str.split(" "):
        assert ids == sorted(set(ids))
        assert set(ids) <= known
    if module is not slice_pairs:
        assert set(table["fidelity"]) == {"textbook", "as-published"}


@pytest.mark.parametrize("module", ALL, ids=NAMES)
def test_no_evidence_gives_an_empty_table_of_the_same_columns(module, evidence):
    empty = module.build()(Evidence(pd.DataFrame(), pd.DataFrame(), pd.DataFrame()))
    assert empty.empty
    assert list(empty.columns) == list(module.build()(evidence).columns)


@pytest.mark.parametrize("module", ALL, ids=NAMES)
def test_tables_survive_their_csv_at_full_precision(module, evidence, tmp_path):
    table = module.build()(evidence)
    table.to_csv(tmp_path / "t.csv", index=False)
    back = pd.read_csv(tmp_path / "t.csv")
    for name in table.select_dtypes("number"):
        np.testing.assert_array_equal(
            table[name].to_numpy(float, na_value=np.nan), back[name].to_numpy(float)
        )


def test_a_constant_offset_moves_mean_and_interval_by_itself(evidence):
    moved = replace(evidence, scores=evidence.scores.assign(value=evidence.scores["value"] + 8))
    before, after = (benchmark.build()(e) for e in (evidence, moved))
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(after[name], before[name] + 8, rtol=1e-12)


def test_a_patient_with_two_scans_counts_once():
    scores = [score("a1", 10, patient="a"), score("a2", 20, patient="a"), score("b", 45)]
    row = benchmark.build()(evidence_of(scores)).iloc[0]
    assert row["n"] == 2
    assert row["mean"] == pytest.approx((15 + 45) / 2)  # not (10 + 20 + 45) / 3
    assert (row["low"], row["high"]) == bootstrap_interval([15.0, 45.0])


def test_foreign_weights_stay_out_of_the_benchmark_unless_asked_for():
    here = {"method": "edsr", "fitted_on": "phantom/acquired"}
    scores = [score("a", 10, **here), score("a", 30, **{**here, "fitted_on": "phantom/bell_5mm"})]
    assert list(benchmark.build()(evidence_of(scores))["mean"]) == [10]
    assert sorted(benchmark.build(cells="all")(evidence_of(scores))["mean"]) == [10, 30]
    with pytest.raises(ValueError, match="matched"):
        benchmark.build(cells="some")


def test_published_numbers_stand_beside_their_method_metric_and_place_only(evidence):
    settings = {
        "tvsrn": {"rmse_hu": 31.5, "sd": 1.5, "source": "a paper", "degradation": "acquired"},
        "edsr": [{"psnr_db scan": 40.0, "source": "another"}, {"rmse_hu": 1.0, "source": "third"}],
    }
    table = benchmark.build(published=settings)(evidence).set_index(
        ["method", "degradation", "metric"]
    )
    tvsrn = table.loc[("tvsrn", "acquired", "rmse_hu")]
    assert list(tvsrn[["published", "published_sd", "published_source"]]) == [31.5, 1.5, "a paper"]
    assert np.isnan(table.loc[("tvsrn", "bell_5mm", "rmse_hu"), "published"])
    assert np.isnan(table.loc[("tvsrn", "acquired", "psnr_db"), "published"])
    assert table.loc[("edsr", "bell_5mm", "psnr_db"), "published_source"] == "another"
    assert table["published"].notna().sum() == 1 + 4 + 4
    with pytest.raises(ValueError, match="no source"):
        benchmark.build(published={"tvsrn": {"rmse_hu": 31.5}})


def test_a_score_that_is_no_number_is_left_out_and_named():
    scores = [score("a", 10), score("b", 20), score("c", np.nan)]
    row = benchmark.build()(evidence_of(scores)).iloc[0]
    assert (row["mean"], row["n"]) == (15, 2)
    assert row["left_out"] == "c: nan"


def test_one_patient_has_a_mean_and_no_interval():
    row = benchmark.build()(evidence_of([score("a", 10)])).iloc[0]
    assert (row["mean"], row["n"]) == (10, 1)
    assert np.isnan([row["low"], row["high"]]).all()
    assert row["note"] == "1 patient: no interval"


def test_many_patients_need_no_warning():
    many = benchmark.build()(evidence_of([score(f"p{k}", k) for k in range(30)])).iloc[0]
    few = benchmark.build()(evidence_of([score(f"p{k}", k) for k in range(4)])).iloc[0]
    assert many["note"] == ""
    assert "81 %" in few["note"]  # P(|t| < 1.96 sqrt(3 / 4)) at 3 degrees of freedom


def test_unknown_metrics_and_missing_columns_are_refused_by_name(evidence):
    with pytest.raises(LookupError, match=r"rmse_uh.*rmse_hu"):
        domain_gap.build(metrics=["rmse_uh"])(evidence)
    bare = replace(evidence, scores=evidence.scores.drop(columns="patient"))
    with pytest.raises(LookupError, match="patient"):
        benchmark.build()(bare)
    with pytest.raises(LookupError, match=r"'ssim'.*'ssim coronal'"):  # another metric
        domain_gap.build(metrics=["ssim"])(evidence)


def test_views_ranges_and_phases_of_a_metric_are_never_averaged_together():
    names = ["ssim", "ssim coronal", "ssim coronal lung", "ssim coronal soft", "ssim 2mm"]
    scores = [score("a", k, metric=name) for k, name in enumerate(names)]
    table = benchmark.build()(evidence_of(scores))
    assert {metric_name(row): row["mean"] for row in table.to_dict("records")} == {
        name: k for k, name in enumerate(names)
    }
    chosen = patients.build(metrics=["ssim coronal soft"])(evidence_of(scores))
    assert list(chosen["value"]) == [3]


def test_drop_is_exactly_zero_for_acquired_trained_weights_on_themselves(evidence):
    table = domain_gap.build()(evidence)
    itself = table[table["fitted_on"] == table["reference"]]
    assert len(itself) == 8
    assert (itself[["drop", "drop_low", "drop_high"]] == 0).all(axis=None)
    assert itself["p"].isna().all()


@pytest.mark.parametrize(("better", "sign"), [("lower", 1), ("higher", -1)])
def test_drop_is_positive_where_simulated_training_costs(better, sign):
    def rows(degradation: str, values: list[float]) -> list[dict]:
        cell = {"method": "edsr", "fitted_on": f"phantom/{degradation}", "better": better}
        return [score(f"p{k}", v, **cell) for k, v in enumerate(values)]

    scores = rows("acquired", [40, 50, 60]) + rows("bell_5mm", [44, 53, 67])
    row = domain_gap.build()(evidence_of(scores)).set_index("fitted_on").loc["phantom/bell_5mm"]
    assert row["drop"] == pytest.approx(sign * (4 + 3 + 7) / 3)
    expected = stats.wilcoxon(sign * np.array([4, 3, 7]), alternative="greater").pvalue
    assert row["p"] == pytest.approx(expected)
    assert "no p below 0.125 is possible" in row["note"]


def test_holm_runs_over_all_weights_tested_on_the_same_cases(evidence):
    table = domain_gap.build(metrics=["rmse_hu", "psnr_db scan"])(evidence)
    for _, family in table.groupby(["protocol", "metric", "tested_on"]):
        np.testing.assert_allclose(family["p_holm"], holm(family["p"]))
        assert (family["family"] == family["p"].count()).all()
    assert set(table["family"]) == {2 * 3}  # trained methods x simulated fits


def test_gap_is_paired_on_the_cases_both_weights_restored():
    here = {"method": "edsr", "fitted_on": "phantom/acquired"}
    foreign = {**here, "fitted_on": "phantom/bell_5mm"}
    scores = [score(c, 10, **here) for c in "abc"]
    scores += [score("a", 12, **foreign), score("b", 16, **foreign), score("z", 999, **foreign)]
    row = domain_gap.build()(evidence_of(scores)).set_index("fitted_on").loc["phantom/bell_5mm"]
    assert (row["drop"], row["n_paired"], row["n"]) == (4, 2, 3)
    assert "drop over 2 of 3 patients" in row["note"]


def test_without_acquired_weights_there_is_no_drop_and_a_reason():
    scores = [score("a", 10, method="edsr", fitted_on="phantom/bell_5mm")]
    row = domain_gap.build()(evidence_of(scores)).iloc[0]
    assert np.isnan(row["drop"])
    assert "no weights fitted on phantom/acquired" in row["note"]


def test_significance_tests_both_directions_as_scipy_does(evidence):
    table = significance.build()(evidence).set_index(["degradation", "method", "against"])
    ours, theirs = (
        table.loc[("acquired", "tvsrn", "cubic")],
        table.loc["acquired", "cubic", "tvsrn"],
    )
    assert ours["median_gain"] == -theirs["median_gain"] > 0
    assert (ours["p"], theirs["p"]) == (0.0625, 1.0)
    assert set(table["family"]) == {4 * 3}
    assert "no p below 0.0625 is possible" in ours["note"]


def test_significance_with_many_patients_equals_scipy_and_holm():
    rng = np.random.default_rng(4)
    values = {m: rng.normal(50 - 2 * k, 6, 15) for k, m in enumerate(("a", "b", "c"))}
    scores = [score(f"p{k}", v, method=m) for m in values for k, v in enumerate(values[m])]
    table = significance.build()(evidence_of(scores))
    pairs = zip(table["method"], table["against"])
    gains = [values[other] - values[method] for method, other in pairs]
    expected = [stats.wilcoxon(gain, alternative="greater").pvalue for gain in gains]
    np.testing.assert_allclose(table["p"], expected)
    np.testing.assert_allclose(table["p_holm"], holm(expected))
    np.testing.assert_allclose(table["median_gain"], [np.median(gain) for gain in gains])


def test_efficiency_averages_seconds_and_keeps_the_highest_memory(evidence):
    runs = evidence.runs.copy()
    tvsrn = (runs["method"] == "tvsrn") & (runs["degradation"] == "acquired")
    runs.loc[tvsrn, "wall_s"] = np.tile([1.0, 2.0, 3.0, 6.0, 3.0, 3.0], 4)
    runs.loc[tvsrn, "peak_memory_gib"] = np.tile([1.0, 5.0, 2.0, 2.0, 2.0, 2.0], 4)
    table = efficiency.build()(replace(evidence, runs=runs)).set_index(["method", "degradation"])
    row = table.loc[("tvsrn", "acquired")]
    assert (row["wall_s"], row["peak_memory_gib"], row["volumes"]) == (3.0, 5.0, 6)
    means = benchmark.build()(evidence).set_index(["method", "degradation", "metric"])["mean"]
    assert row["mean"] == means[("tvsrn", "acquired", "rmse_hu")]


def test_a_cell_that_was_scored_but_never_timed_says_so(evidence):
    runs = evidence.runs[evidence.runs["method"] != "linear"]
    table = efficiency.build()(replace(evidence, runs=runs))
    linear = table[table["method"] == "linear"]
    assert (linear["note"].str.contains("no run was timed")).all()
    assert linear["parameters"].isna().all()


def test_slice_pairs_fall_from_match_to_far_and_say_how_far(evidence):
    table = slice_pairs.build()(evidence)
    for _, group in table.groupby(["split", "metric"]):
        assert list(group["relation"]) == ["match", "near", "far"]
        assert list(group["distance_mm"]) == [0, 1, 2]
        assert (np.diff(group["mean"]) < 0).all()
    unknown = replace(evidence, pairs=evidence.pairs.assign(relation="beside"))
    with pytest.raises(ValueError, match="beside"):
        slice_pairs.build()(unknown)


def test_patients_hold_the_values_behind_the_means(evidence):
    named = patients.build(metrics=["rmse_hu"])(evidence)
    keys = ["degradation", "method"]
    groups = named.groupby(keys)
    table = benchmark.build()(evidence)
    expected = table[table["metric"] == "rmse_hu"].set_index(keys).sort_index()
    np.testing.assert_allclose(groups["value"].mean(), expected["mean"])
    for name in ("mean", "low", "high", "n"):
        assert (groups[name].nunique() == 1).all()
        assert (groups[name].first() == expected[name]).all()
    assert set(zip(named["patient"], named["cases"])) == {
        ("p0", 3),
        ("p1", 1),
        ("p2", 1),
        ("p3", 1),
    }
