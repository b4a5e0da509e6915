"""Refuse numbers that no record stands behind: they could not be audited."""

import numpy as np
import pandas as pd

from thinslice.columns import TYPES
from thinslice.errors import Refused, listed
from thinslice.interfaces import Evidence

NOT_OURS = ("published", "published_sd", "paper_value", "paper_sd", "paper_n", "across")


def check(name: str, table: pd.DataFrame, evidence: Evidence) -> None:
    """Every row with a number of ours names records, and each of them is in the evidence.

    name    of the analysis, for the refusal

    Refused for the first rows that do not.
    """
    numbers = [c for c in table if TYPES.get(str(c)) in ("float", "int") and c not in NOT_OURS]
    ours = np.any(table[numbers].notna().to_numpy(), axis=1)
    given = table["records"] if "records" in table else pd.Series("", index=table.index)
    ids = given.fillna("").astype(str).str.split()
    known = _known(evidence)
    wrong = [k for k in range(len(table)) if ours[k] and not _behind(ids.iloc[k], known)]
    if wrong:
        rows = listed([str(k + 1) for k in wrong])
        raise Refused(
            f"analysis {name}: found numbers in row(s) {rows} without records of the evidence; "
            "expected the ids of the score, pairs or convert records in column records; mend the "
            "analysis"
        )


def _behind(ids: list[str], known: set[str]) -> bool:
    return bool(ids) and known.issuperset(ids)


def _known(evidence: Evidence) -> set[str]:
    """Ids of every record that the evidence rests on."""
    tables = [evidence.scores, evidence.runs, evidence.pairs]
    tables += [] if evidence.cases is None else [evidence.cases]
    return {str(each) for table in tables if "record" in table for each in table["record"]}
