"""Protocol saint: the score of SAINT's authors (Peng et al., CVPR 2020), as their code has it.

For comparison with published tables only. HU -1024..2976 become [0, 1], both volumes are clipped;
the slices that the method was shown (every U-th from the first: those at the places of thick ones)
are deleted; rows and columns 128 to 383 of 512 are scored, air included, padding left out: one PSNR
per volume with peak 1, infinite where there is no error. They score no SSIM.

Scans of other sizes are scored in the middle half of their rows and columns, which those of 512
are; ``crop`` asks for others. The authors round each volume's PSNR to two decimals and weigh it in
a mean by its number of slices; ours is neither rounded nor weighed. CT only.
"""

from collections.abc import Sequence

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import WIDE, decibels
from thinslice.metrics.scored_slices import coincident
from thinslice.protocols._comparable import check, measured, passed_over

METRICS = ("psnr_db",)


class Saint:
    """The protocol; see the module."""

    def __init__(self, crop: tuple[int, int] | None):
        self.crop = crop  # first row and column, and the one after the last; None: the middle half

    def score(self, case: ScoringInput) -> list[Score]:
        """PSNR of one case; none, with a line on stderr, for MR and where nothing is left."""
        check(case)
        scored = self._scored(case)
        if case.thin.modality != "CT" or not scored.any():
            wanted = "CT with slices that were not shown, and pixels inside the crop"
            return passed_over("saint", wanted, case)
        restored, thin = (WIDE.to_unit(v.voxels[scored]) for v in (case.restored, case.thin))
        error = float(np.square(restored - thin).mean(dtype=np.float64))
        return [Score("psnr_db", "dB", "higher", decibels(error, 1.0), thin.size)]

    def _scored(self, case: ScoringInput) -> np.ndarray:
        """Boolean [Z, Y, X]."""
        n, *plane = case.thin.grid.zyx
        rows, columns = (
            slice(*self.crop) if self.crop else slice(side // 4, side - side // 4) for side in plane
        )
        scored = np.zeros(case.thin.grid.zyx, bool)
        scored[:, rows, columns] = ~coincident(case.thin.grid, case.thick.grid).reshape(n, 1, 1)
        known = measured(case)
        return scored if known is None else scored & known


def build(crop: Sequence[int] | None = None) -> Saint:
    return Saint(None if crop is None else (crop[0], crop[1]))
