"""Made evidence in which patients have numbers that are not finite, or zero."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from support.evidence import DEGRADATIONS, demo_with_solids
from thinslice.interfaces import Evidence

INF, NAN = math.inf, math.nan
PLANTS: Mapping[str, Mapping[int, float]] = {  # the last digit of a patient's name -> its number
    "inf": {0: INF},
    "-inf": {1: -INF},
    "nan": {2: NAN},
    "zero": {0: 0.0},
    "both infinities": {0: INF, 1: -INF},
    "all inf": dict.fromkeys(range(4), INF),
    "all -inf": dict.fromkeys(range(4), -INF),
    "all nan": dict.fromkeys(range(4), NAN),
    "all odd": {0: INF, 1: -INF, 2: NAN, 3: INF},
    "all zero": dict.fromkeys(range(4), 0.0),
}


def planted(
    values: Mapping[int, float], *, method: str = "", degradations: Sequence[str] = DEGRADATIONS
) -> Evidence:
    """The made evidence with these patients' numbers replaced, of one method or of all."""
    evidence = demo_with_solids(degradations)
    return replace(
        evidence,
        scores=_planted(evidence.scores, values, method, ("value",)),
        runs=_planted(evidence.runs, values, method, ("wall_s", "peak_memory_gib", "parameters")),
        pairs=_planted(evidence.pairs, values, "", ("value",)),
    )


def _planted(
    table: pd.DataFrame, values: Mapping[int, float], method: str, columns: tuple[str, ...]
) -> pd.DataFrame:
    digits = table["patient"].str[-1].astype(int)
    chosen = digits.isin(list(values))
    if method:
        chosen &= table["method"] == method
    new = digits.map(values)
    return table.assign(**{k: table[k].astype(float).mask(chosen, new) for k in columns})
