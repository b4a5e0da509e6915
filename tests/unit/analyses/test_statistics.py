"""Statistics over patients: closed forms, scipy's own answers, and what few patients cannot say."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import bootstrap

from thinslice.analyses._statistics import (
    bootstrap_interval,
    expected_coverage,
    holm,
    paired_t,
    smallest_p,
    wilcoxon_greater,
)


def test_interval_agrees_with_scipys_percentile_bootstrap():
    x = np.random.default_rng(1).gamma(2.0, 10.0, 40)
    ours = bootstrap_interval(x, resamples=20_000)
    theirs = bootstrap((x,), np.mean, n_resamples=20_000, method="percentile", rng=2)
    spread = x.std() / np.sqrt(len(x))
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=0.05 * spread)


def test_interval_of_two_patients_is_the_two_patients():
    # A quarter of all resamples repeat either one: the 2.5 % and 97.5 % points are the values.
    assert bootstrap_interval([3.0, 7.0]) == (3.0, 7.0)


def test_interval_shrinks_as_one_over_sqrt_n_and_holds_the_normal_form():
    x = np.random.default_rng(0).normal(50, 4, 400)
    low, high = bootstrap_interval(x)
    assert high - low == pytest.approx(2 * 1.96 * x.std() / 20, rel=0.05)
    assert (low + high) / 2 == pytest.approx(x.mean(), abs=0.02)


def test_interval_shifts_and_scales_with_its_values():
    x = np.array([10.0, 12.0, 17.0, 11.0])
    low, high = bootstrap_interval(x)
    np.testing.assert_allclose(bootstrap_interval(2 * x + 5), (2 * low + 5, 2 * high + 5))


def test_interval_is_the_seeds_alone():
    x = np.random.default_rng(3).normal(size=9)
    np.random.seed(7)  # noqa: NPY002 - global state must not matter
    first = bootstrap_interval(x, seed=4)
    np.random.seed(8)  # noqa: NPY002
    assert bootstrap_interval(x, seed=4) == first
    assert bootstrap_interval(x, seed=5) != first


@pytest.mark.parametrize("values", [[], [4.0], [4.0, np.inf], [4.0, np.nan, 5.0]])
def test_no_interval_without_two_finite_patients(values):
    assert np.isnan(bootstrap_interval(values)).all()


def test_interval_refuses_a_matrix():
    with pytest.raises(ValueError, match="one value per patient"):
        bootstrap_interval(np.zeros((3, 2)))


@pytest.mark.parametrize("n", [4, 8, 20])
def test_expected_coverage_is_what_repeated_experiments_find(n):
    rng = np.random.default_rng(5)
    hit = [
        low <= 0 <= high
        for low, high in (
            bootstrap_interval(rng.normal(size=n), resamples=2000) for _ in range(1500)
        )
    ]
    assert np.mean(hit) == pytest.approx(expected_coverage(n), abs=0.035)


def test_expected_coverage_grows_to_the_level():
    few, some, many = expected_coverage(4), expected_coverage(12), expected_coverage(10_000)
    assert few < some < many
    assert many == pytest.approx(0.95, abs=1e-3)


def test_holm_textbook():
    # Holm 1979 by hand: .005*4, .01*3, .03*2, max(.04*1, .06)
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_holm_keeps_order_and_lies_between_raw_and_bonferroni():
    p = np.random.default_rng(0).uniform(0, 0.2, 30)
    adjusted = holm(p)
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(p * 30, 1)).all()
    assert adjusted[p.argmin()] == pytest.approx(p.min() * 30)


def test_holm_does_not_count_what_was_not_tested():
    np.testing.assert_allclose(holm([0.02, np.nan, 0.03]), [0.04, np.nan, 0.04])
    np.testing.assert_array_equal(holm([0.9, 0.8]), [1.0, 1.0])
    assert holm([]).size == 0


def test_wilcoxon_is_scipys():
    a, b = np.random.default_rng(2).normal(size=(2, 12))
    expected = stats.wilcoxon(a, b, alternative="greater").pvalue
    assert wilcoxon_greater(a - b) == pytest.approx(expected)


@pytest.mark.parametrize("n", [1, 4, 7])
def test_smallest_p_is_reached_by_all_of_one_sign_and_by_nothing_less(n):
    d = np.arange(1.0, n + 1)
    assert wilcoxon_greater(d) == pytest.approx(smallest_p(n))
    assert wilcoxon_greater(-d) == pytest.approx(1.0)


def test_paired_t_is_scipys():
    a, b = np.random.default_rng(3).normal([[0.4], [0.0]], 1.0, (2, 30))
    assert paired_t(a - b) == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert paired_t(b - a) == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_paired_t_without_evidence():
    assert paired_t([0.0, 0.0]) == 1.0
    assert paired_t([0.5, 0.5]) == 0.0
    assert np.isnan([paired_t(d) for d in ([], [1.0], [1.0, np.nan], [1.0, np.inf])]).all()


def test_wilcoxon_without_evidence():
    assert wilcoxon_greater([0.0, 0.0, 0.0]) == 1.0
    assert np.isnan(wilcoxon_greater([]))
    assert np.isnan(wilcoxon_greater([1.0, np.nan]))
