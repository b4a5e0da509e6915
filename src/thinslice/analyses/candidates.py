"""How many candidates are pairs? Of each maker and ratio, those used and those set aside, with why.

A row for each reason and stratum: ``pairs`` are the candidates of the stratum, ``used`` those that
are in the benchmark. Where none was set aside there is one row without a reason.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd

from thinslice.analyses._patients import groups, join_records
from thinslice.analyses._strata import cases_of
from thinslice.interfaces import Evidence

STRATUM = ["dataset", "maker", "ratio"]
COLUMNS = [*STRATUM, "reason", "cases", "pairs", "used", "n", "records"]


def build() -> Callable[[Evidence], pd.DataFrame]:
    """Candidates by maker, ratio and reason."""

    def candidates(evidence: Evidence) -> pd.DataFrame:
        parts = groups(cases_of(evidence), STRATUM)
        rows = [row for key, part in parts for row in _rows(key, part)]
        return pd.DataFrame(rows, columns=COLUMNS)

    return candidates


def _rows(key: dict[str, Any], part: pd.DataFrame) -> list[dict[str, Any]]:
    """One for each reason; ``n`` patients and ``cases`` are those it sets aside."""
    aside = part.loc[part["set_aside"] != ""]
    numbers = {"pairs": len(part), "used": len(part) - len(aside)}
    reasons = aside["set_aside"].str.split(":").str[0]
    by_reason = [(reason, aside.loc[reasons == reason]) for reason in sorted(set(reasons))]
    if not by_reason:
        by_reason = [("", part)]
    return [
        {
            **key,
            "reason": reason,
            "cases": len(cases),
            **numbers,
            "n": cases["patient"].nunique(),
            "records": join_records(part["record"]),
        }
        for reason, cases in by_reason
    ]
