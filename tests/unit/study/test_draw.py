"""Pairs and sides are drawn from the seed, evenly, and tell nothing."""

from collections import Counter

import pytest

from thinslice.study.draw import order_of_planes, questions

CASES, PLANES = ["a", "b", "c"], ["coronal", "sagittal"]


def test_a_seed_draws_the_same_pairs_again_and_another_one_others():
    first, again, other = (questions(40, ["p", "q"], CASES, PLANES, seed) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("n", "methods"), [(100, ["p", "q"]), (100, ["p", "q", "r"]), (7, ["p", "q"])]
)
def test_comparisons_cases_planes_and_sides_are_even(n, methods):
    drawn = questions(n, methods, CASES, PLANES, seed=3)
    assert len(drawn) == n
    for key in (lambda q: frozenset((q.left, q.right)), lambda q: q.case, lambda q: q.plane):
        counts = Counter(map(key, drawn)).values()
        assert max(counts) - min(counts) <= 1
    for couple in {frozenset((q.left, q.right)) for q in drawn}:
        lefts = Counter(q.left for q in drawn if {q.left, q.right} == couple)
        assert len(lefts) == 2
        assert max(lefts.values()) - min(lefts.values()) <= 1


def test_which_sides_are_turned_depends_on_the_seed_not_on_the_place():
    sides = [[q.left for q in questions(20, ["p", "q"], CASES, PLANES, seed)] for seed in range(40)]
    for place in range(20):
        assert {side[place] for side in sides} == {"p", "q"}


def test_planes_of_a_case_are_tried_once_each_in_an_order_of_their_own():
    first, other = order_of_planes(30, 5, 0, 0), order_of_planes(30, 5, 1, 0)
    assert sorted(first) == sorted(other) == list(range(30))
    assert first != other
