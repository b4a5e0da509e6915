"""How thick are restored slices really? Width of edges along z, in mm, at spheres of known place.

From 88 to 12 % of the edge: the FWHM of a bell, 0.76 of that of a box. Of the restored volumes and,
at the same spheres, of the thin and the thick slices. Data sets whose cases state known solids have
these scores (protocol ``truth``); of others the table is empty.
"""

from collections.abc import Callable

import pandas as pd

from thinslice.analyses._statistics import RESAMPLES
from thinslice.analyses._truth import table_of
from thinslice.interfaces import Evidence


def build(*, resamples: int = RESAMPLES, seed: int = 0) -> Callable[[Evidence], pd.DataFrame]:
    """The table of thicknesses."""

    def effective_thickness(evidence: Evidence) -> pd.DataFrame:
        return table_of(evidence, "effective_thickness_mm", resamples=resamples, seed=seed)

    return effective_thickness
