"""Protocol NAME: what it scores, and after whom.

Say where the voxels, the range and the mean come from, and what differs from the source. Copy to
``src/thinslice/protocols/NAME.py``; the config line is ``NAME: {}`` under ``protocols``.
"""

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.protocols._comparable import check, passed_over


class Template:
    """The protocol; see the module."""

    def score(self, case: ScoringInput) -> list[Score]:
        """Scores of one case; none, and said on stderr, where this protocol cannot score it."""
        check(case)  # refuses volumes that do not coincide voxel by voxel
        if case.thin.modality != "CT":
            return passed_over("NAME", "CT", case)
        error = np.abs(case.restored.voxels.astype(np.float64) - case.thin.voxels)
        # metric, unit, which way is better, value, number of voxels; then view, range, phase_mm
        return [Score("max_error_hu", "HU", "lower", float(error.max()), error.size)]


def build() -> Template:
    """Settings of the config line are this function's parameters."""
    return Template()
