"""Which pairs a study shows: drawn from an explicit seed, sides hidden by it.

Methods are compared two and two, each comparison as often as the others (to within one pair).
Cases and planes are dealt out in rounds: none is drawn twice before all were drawn once. In every
comparison each method is on the left in half of the pairs: who always clicks left prefers none.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np


class Question(NamedTuple):
    """A pair to be shown, before a plane of it was chosen."""

    case: str
    plane: str
    left: str
    right: str


class Shown(NamedTuple):
    """A pair as it is shown; what the key holds of it."""

    case: str
    plane: str
    index: int
    left: str
    right: str


def questions(
    n: int, methods: Sequence[str], cases: Sequence[str], planes: Sequence[str], seed: int
) -> list[Question]:
    """``n`` pairs in the order of the page."""
    rng = np.random.default_rng([seed, 0])
    couples = list(combinations(methods, 2))
    numbers = [k % len(couples) for k in range(n)]
    sides = _balanced_sides(numbers, rng)
    dealt_cases, dealt_planes = _dealt(cases, rng), _dealt(planes, rng)
    drawn = []
    for number, turned in zip(numbers, sides):
        left, right = couples[number][::-1] if turned else couples[number]
        drawn.append(Question(next(dealt_cases), next(dealt_planes), left, right))
    return [drawn[k] for k in rng.permutation(n)]


def order_of_planes(n: int, seed: int, case: int, plane: int) -> list[int]:
    """All planes of a case in the order in which they are tried."""
    return np.random.default_rng([seed, 1, case, plane]).permutation(n).tolist()


def _balanced_sides(numbers: Sequence[int], rng: np.random.Generator) -> list[bool]:
    """Whether each pair is turned round: half of every comparison, which ones is random."""
    decks: dict[int, Iterator[bool]] = {}
    for number in sorted(set(numbers)):
        size = numbers.count(number)
        deck = np.arange(size) % 2 == rng.integers(2)
        decks[number] = iter(rng.permutation(deck).tolist())
    return [next(decks[number]) for number in numbers]


def _dealt(items: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    """Items for ever, in rounds of their own random order."""
    while True:
        yield from (items[int(k)] for k in rng.permutation(len(items)))
