"""Tests between methods, by the test of the paper."""

import numpy as np
import pytest
from scipy import stats

from support.evidence import demo
from thinslice.analyses import significance
from thinslice.analyses._patients import matched, paired_gains, scores_of
from thinslice.analyses._statistics import holm
from thinslice.interfaces import Evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return demo()


def test_the_paired_t_test_is_two_sided_and_counts_a_pair_once(evidence):
    table = significance.build(test="paired_t")(evidence)
    here = table.query("degradation == 'acquired'")
    methods = here["method"].nunique()
    assert set(here["family"]) == {methods * (methods - 1) // 2}
    assert set(here["test"]) == {"two-sided paired t-test"}
    p = here.set_index(["method", "against"])[["p", "p_holm", "median_gain"]]
    scores = scores_of(evidence, metrics=["rmse_hu"], protocols=["v1"])
    scores = matched(scores.query("degradation == 'acquired'"))
    once = []
    for (method, other), row in p.iterrows():
        ours, theirs = (scores[scores["method"] == name] for name in (method, other))
        gains = paired_gains(ours, theirs, "lower")["value"]
        assert row["p"] == stats.ttest_1samp(gains, 0).pvalue
        assert row["p_holm"] == p.loc[(other, method), "p_holm"]
        if method < other:
            once.append((row["p"], row["p_holm"]))
    np.testing.assert_allclose([q for _, q in once], holm([q for q, _ in once]))
    with pytest.raises(ValueError, match="found 'sign'"):
        significance.build(test="sign")
