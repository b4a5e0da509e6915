"""The tables of a study: who preferred which method how often, and how far annotators agree.

Intervals are Wilson's, 95 %, and take answers as independent of one another. Agreement is of the
side that was chosen, left or right: sides are balanced, so chance agrees in half of the pairs. Over
methods kappa would be 0/0 where everyone always prefers the same one.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import mean, median
from typing import NamedTuple

from thinslice.study import agreement
from thinslice.study.answers import Annotator, Key
from thinslice.study.draw import Shown

ALL = "all"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that spreadsheets compute


class Preference(NamedTuple):
    """How often one method was preferred over another.

    scope     all, group or annotator; ``who`` is its name
    n         answers; ``missing`` of them are not there
    left      share of answers that are the left side; a half where sides do not matter
    """

    scope: str
    who: str
    group: str
    method: str
    against: str
    n: int
    preferred: int
    against_preferred: int
    share: float
    low: float
    high: float
    left: float
    median_s: float
    missing: int


class Agreement(NamedTuple):
    """Agreement of the annotators of a group, over the pairs that all of them answered."""

    who: str
    annotators: int
    pairs: int
    statistic: str
    kappa: float
    same: float


def preferences(key: Key, annotators: Sequence[Annotator]) -> list[Preference]:
    """One row for each two methods: of all answers, of each group, of each annotator."""
    return [
        _preference(key, couple, scope, who, some)
        for couple in combinations(key.methods, 2)
        for scope, who, some in _scopes(key, annotators)
        if some
    ]


def agreements(key: Key, annotators: Sequence[Annotator]) -> list[Agreement]:
    """Of all annotators and of each group with two or more."""
    rows = []
    for scope, who, some in _scopes(key, annotators):
        if scope != "annotator" and len(some) > 1 and (scope == ALL or len(some) < len(annotators)):
            rows.extend(_agreement(who, some))
    return rows


def as_csv(rows: Sequence[NamedTuple], columns: Sequence[str]) -> str:
    """Rows as CSV; a number that does not exist is empty.

    A text that a spreadsheet would take for a formula is written behind an apostrophe: names are
    what annotators typed.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(map(_cell, row))
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _scopes(
    key: Key, annotators: Sequence[Annotator]
) -> Iterator[tuple[str, str, list[Annotator]]]:
    yield ALL, ALL, list(annotators)
    for group in key.groups:
        yield "group", group, [each for each in annotators if each.group == group]
    for each in annotators:
        yield "annotator", each.name, [each]


def _preference(
    key: Key, couple: tuple[str, str], scope: str, who: str, some: Sequence[Annotator]
) -> Preference:
    """One row; ``couple`` in the order of the key."""
    asked = [k for k, pair in enumerate(key.pairs) if {pair.left, pair.right} == set(couple)]
    given = [(each, k) for each in some for k in asked if each.sides[k] is not None]
    chosen = [_method(key.pairs[k], each.sides[k]) for each, k in given]
    n, preferred = len(given), chosen.count(couple[0])
    lefts = sum(each.sides[k] == "left" for each, k in given)
    seconds = [(each.ms[k] or 0) / 1000 for each, k in given]
    low, high = agreement.wilson(preferred, n)
    return Preference(
        scope,
        who,
        some[0].group if scope == "annotator" else who,
        *couple,
        n,
        preferred,
        n - preferred,
        preferred / n if n else math.nan,
        low,
        high,
        lefts / n if n else math.nan,
        median(seconds) if seconds else math.nan,
        len(asked) * len(some) - n,
    )


def _method(pair: Shown, side: str | None) -> str:
    return pair.left if side == "left" else pair.right


def _agreement(who: str, some: Sequence[Annotator]) -> Iterator[Agreement]:
    """Cohen's kappa of two; of more, Fleiss' and the mean of Cohen's over all couples."""
    common = [k for k in range(len(some[0].sides)) if all(each.sides[k] for each in some)]
    sides = [[str(each.sides[k]) for k in common] for each in some]
    couples = list(combinations(sides, 2))
    kappas = [agreement.cohen(*couple) for couple in couples]
    pairs = [a == b for first, second in couples for a, b in zip(first, second)]
    same = mean(pairs) if pairs else math.nan
    count = (who, len(some), len(common))
    if len(some) > 2:
        yield Agreement(*count, "Fleiss", agreement.fleiss(sides), same)
    kinds = "Cohen" if len(some) == 2 else "Cohen, mean of couples"
    yield Agreement(*count, kinds, mean(kappas), same)
