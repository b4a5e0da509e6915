"""How large do nodules of known size look? Error of the volume at half maximum, in %.

By thickness (the degradation), method and diameter (``range``: ``d5`` is 5 mm), with its sign; of
the restored volumes and, on the same spheres, of the thin and the thick slices. Data sets whose
cases state known solids have these scores (protocol ``truth``); of others the table is empty.
"""

from collections.abc import Callable

import pandas as pd

from thinslice.analyses._statistics import RESAMPLES
from thinslice.analyses._truth import table_of
from thinslice.interfaces import Evidence


def build(*, resamples: int = RESAMPLES, seed: int = 0) -> Callable[[Evidence], pd.DataFrame]:
    """The table of volume errors."""

    def nodule_volumes(evidence: Evidence) -> pd.DataFrame:
        return table_of(evidence, "nodule_error", resamples=resamples, seed=seed)

    return nodule_volumes
