"""Names of a panel lie beside their dots, and never over each other."""

from itertools import combinations

import pytest

from thinslice.report import style
from thinslice.report.figures import _labels


def drawn_labels(dots: list[tuple[float, float]]):
    """Labels of dots after they were moved apart, each with its pixels and how far it moved."""
    with style.figure(5, 6) as drawn:
        axes = drawn.subplots()
        axes.set(xlim=(0, 10), ylim=(0, 10))
        labels = [_labels.add(axes, f"method_{k}", dot, 6) for k, dot in enumerate(dots)]
        _labels.move_apart(drawn, axes, labels)
        drawn.draw_without_rendering()
        return [(_labels._extent(label), label.xyann[1], label.arrow_patch) for label in labels]


@pytest.mark.parametrize("n", [2, 20])
def test_names_of_a_crowd_are_apart_each_tied_to_its_dot(n):
    labels = drawn_labels([(3 + 0.01 * k, 5 + 0.02 * k) for k in range(n)])
    assert not any(a.overlaps(b) for (a, *_), (b, *_) in combinations(labels, 2))
    assert all(line.get_visible() == (up != 0) for _, up, line in labels)
    assert sum(up != 0 for _, up, _ in labels) >= n - 2


def test_names_that_are_apart_stay_beside_their_dots():
    labels = drawn_labels([(1, 1), (1, 5), (6, 1)])
    assert [up for _, up, _ in labels] == [0, 0, 0]
