"""Protocol arssr: the scores of ArSSR's authors (Wu et al. 2023), as their released code has them.

For comparison with published tables only. The peak is the thin volume's own range, its highest less
its lowest value, so a scan's metal or air decides it. The whole volume counts: nothing is clipped,
no slice is cut off, air counts as much as the patient; padding, of which they know nothing, is left
out. One PSNR per volume, infinite where there is no error; SSIM once per volume, scikit-image's
default in 3-D (a flat window of 7 x 7 x 7).
"""

import math
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim_uniform import RADIUS, SIDE, fits, volume_score
from thinslice.metrics.whole_windows import whole_windows
from thinslice.protocols._comparable import check, measured, passed_over

METRICS = ("psnr_db", "ssim")


@dataclass(frozen=True)
class Arssr:
    """The protocol; it has no settings."""

    def score(self, case: ScoringInput) -> list[Score]:
        """Scores of one case; none, with a line on stderr, where it is too small or flat."""
        check(case)
        thin, known = case.thin.voxels, measured(case)
        counted = thin if known is None else thin[known]
        peak = float(np.ptp(counted)) if counted.size else 0.0
        if not fits(*thin.shape) or peak == 0:
            side = f"{SIDE} voxels or more along each axis and two values at least"
            return passed_over("arssr", side, case)
        return volume_scores(case.restored.voxels, thin, peak, known)


def build() -> Arssr:
    return Arssr()


def volume_scores(
    restored: np.ndarray, thin: np.ndarray, peak: float, known: np.ndarray | None = None
) -> list[Score]:
    """PSNR and 3-D SSIM of two volumes [Z, Y, X]; voxels outside ``known`` do not count."""
    inside = (slice(RADIUS, -RADIUS),) * 3
    error = np.square(np.subtract(restored, thin, dtype=float)).mean(
        where=True if known is None else known
    )
    voxels = thin.size if known is None else int(np.count_nonzero(known))
    windows = math.prod(side - 2 * RADIUS for side in thin.shape)
    if known is not None:
        windows = int(np.count_nonzero(whole_windows(known, SIDE, (0, 1, 2))[inside]))
    scores = [Score("psnr_db", "dB", "higher", decibels(float(error), peak), voxels)]
    if windows:
        ssim = volume_score(restored, thin, peak, known)
        scores.append(Score("ssim", "1", "higher", ssim, windows))
    return scores
