"""Shares with their intervals, and agreement between annotators beyond chance."""

import math
from collections import Counter
from collections.abc import Sequence

Z95 = 1.959963984540054  # two-sided 95 %


def wilson(chosen: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a share; nan for no answers.

    Source: Wilson, J. Am. Stat. Assoc. 22, 1927.
    """
    if n == 0:
        return math.nan, math.nan
    share, spread = chosen / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def cohen(first: Sequence[str], second: Sequence[str]) -> float:
    """Kappa of two annotators over the same pairs; nan where chance alone agrees always.

    Source: Cohen, Educ. Psychol. Meas. 20, 1960.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} answers, expected as many")
    n = len(first)
    if n == 0:
        return math.nan
    agree = sum(a == b for a, b in zip(first, second)) / n
    ours, theirs = Counter(first), Counter(second)
    chance = sum(ours[side] * theirs[side] for side in ours) / n**2
    return _beyond(agree, chance)


def fleiss(answers: Sequence[Sequence[str]]) -> float:
    """Kappa of several annotators, [annotator][pair]; nan where chance alone agrees always.

    Source: Fleiss, Psychol. Bull. 76, 1971.
    """
    raters = len(answers)
    pairs = list(zip(*answers, strict=True))
    if raters < 2 or not pairs:
        return math.nan
    counts = [Counter(pair) for pair in pairs]
    within = [(sum(c * c for c in count.values()) - raters) for count in counts]
    agree = sum(within) / (raters * (raters - 1) * len(pairs))
    totals = sum(counts, Counter())
    chance = sum((total / (raters * len(pairs))) ** 2 for total in totals.values())
    return _beyond(agree, chance)


def _beyond(agree: float, chance: float) -> float:
    return math.nan if chance >= 1 else (agree - chance) / (1 - chance)
