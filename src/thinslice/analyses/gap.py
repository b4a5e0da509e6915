"""Which simulation is right for which scanner? Simulated against acquired thick slices, in HU.

Per pair, and over the pairs of each stratum: thick slices made from the thin ones by a box of the
stated thickness, by a Gaussian of that FWHM and by the pair's own taps (``pairs.simulated``). The
first two are what papers train on; the last is the best any slice profile can do, so that what
it leaves is noise and kernel. What training on each costs is another question: ``domain_gap``, of
a grid that has the simulations and ``acquired``.
"""

from collections.abc import Callable, Sequence

import pandas as pd

from thinslice.analyses._patients import SUMMARY, per_patient, summarise, tidy
from thinslice.analyses._statistics import RESAMPLES
from thinslice.analyses._strata import in_strata
from thinslice.columns import SIMULATED, STRATA
from thinslice.interfaces import Evidence

TEXT = ["dataset", "degradation", "case", "sim", "patient", "protocol", "metric", "unit", "record"]
KEYS = ["dataset", "stratum", "case", "sim", "metric", "unit", "simulation"]
COLUMNS = [*KEYS, "best", *SUMMARY]
FREE = ("box", "gaussian")  # simulations that know nothing of the pair: one of them is the best


def build(
    *,
    by: Sequence[str] = STRATA,
    cases: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """The gap of each simulation by stratum and, with ``cases``, for every pair."""

    def gap(evidence: Evidence) -> pd.DataFrame:
        rows = tidy(evidence.pairs, TEXT)
        rows = rows.loc[rows["protocol"] == SIMULATED]
        rows = rows.assign(simulation=rows["degradation"])
        together = in_strata(rows, evidence, by)
        single = rows.assign(stratum="case " + rows["case"])
        parts = [together.assign(case=""), *([single] if cases else [])]
        by_patient = per_patient(pd.concat(parts, ignore_index=True), KEYS)
        table = summarise(by_patient, KEYS, resamples=resamples, seed=seed)
        return pd.DataFrame(_marked(table), columns=COLUMNS)

    return gap


def _marked(table: pd.DataFrame) -> pd.DataFrame:
    """Mark the simulation of least RMSE of those that know nothing of the pair."""
    errors = table.loc[(table["metric"] == "rmse_hu") & table["simulation"].isin(FREE)]
    best = errors.groupby(["dataset", "stratum", "case"])["mean"].transform("min")
    marks = (errors["mean"] == best).map({True: "best", False: ""})
    return table.assign(best=marks.reindex(table.index).fillna("").astype(str))
