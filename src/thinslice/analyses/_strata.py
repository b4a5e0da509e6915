"""The strata of scores: which maker, thicknesses and kernels their cases are of."""

from collections.abc import Sequence

import pandas as pd

from thinslice.analyses._patients import tidy
from thinslice.columns import CASES, STRATA
from thinslice.interfaces import Evidence

EVERY = "all"


def cases_of(evidence: Evidence) -> pd.DataFrame:
    """The cases with thin and acquired thick slices, set aside or not, in a fixed order."""
    table = pd.DataFrame() if evidence.cases is None else evidence.cases
    return tidy(table, CASES, ())


def in_strata(table: pd.DataFrame, evidence: Evidence, by: Sequence[str]) -> pd.DataFrame:
    """The rows of known cases once for each stratum they are of, and once for ``all``.

    by   what strata are: any of ``columns.STRATA``; one stratum for each of its values

    Raises LookupError for any other.
    """
    if unknown := sorted(set(by) - set(STRATA)):
        raise LookupError(f"strata are by {', '.join(STRATA)}; found {', '.join(unknown)}")
    cases = cases_of(evidence)
    known = cases.loc[cases["set_aside"] == "", ["dataset", "case", *STRATA]]
    rows = table.drop(columns=[c for c in STRATA if c in table])
    rows = rows.merge(known, on=["dataset", "case"], validate="m:1")
    parts = [rows.assign(stratum=EVERY)]
    parts += [rows.assign(stratum=f"{each} " + rows[each].astype(str)) for each in by]
    return pd.concat(parts, ignore_index=True)
