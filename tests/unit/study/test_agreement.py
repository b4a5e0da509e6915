"""Intervals and kappas against numbers of their sources and closed forms."""

import math

import pytest

from thinslice.study.agreement import cohen, fleiss, wilson

FLEISS_1971 = [  # ratings of 10 subjects by 14 raters in 5 categories, as reprinted in textbooks
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "n", "expected"),
    [(81, 263, (0.2553, 0.3662)), (0, 20, (0.0, 0.1611)), (20, 20, (0.8389, 1.0))],
)
def test_wilson_s_interval(chosen, n, expected):
    """The first is Newcombe's example (Stat. Med. 17, 1998); the others are n / (n + z2)."""
    assert wilson(chosen, n) == pytest.approx(expected, abs=6e-5)


def test_wilson_of_no_answers_is_no_number():
    assert all(map(math.isnan, wilson(0, 0)))


def test_cohen_of_the_classic_table_of_50():
    """Both yes 20, yes/no 5, no/yes 10, both no 15: kappa 0.4."""
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohen(first, second) == pytest.approx(0.4)


def test_fleiss_of_the_textbook_s_table():
    raters = zip(*([str(k) for k, c in enumerate(row) for _ in range(c)] for row in FLEISS_1971))
    assert fleiss(list(raters)) == pytest.approx(0.210, abs=5e-4)


def test_full_agreement_is_one_opposition_minus_one_and_a_constant_is_undefined():
    sides = ["left", "right"] * 10
    assert cohen(sides, sides) == fleiss([sides] * 3) == 1
    assert cohen(sides, sides[::-1]) == fleiss([sides, sides[::-1]]) == -1
    assert math.isnan(cohen(["left"] * 5, ["left"] * 5))
    assert math.isnan(fleiss([["left"] * 5] * 2))


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="expected as many"):
        cohen(["left"], [])
