"""Protocol inversesr: the scores of InverseSR's authors (Wang et al., MICCAI 2023), as their code.

For comparison with published tables only. The peak of PSNR is the highest less the lowest value of
*both* volumes, so a method decides its own: an answer with one wild voxel scores higher. SSIM is
once per volume, Gaussian (11^3, sigma 1.5), with a range fixed at 1. Nothing is clipped, no slice
is cut off, air counts as much as the patient; padding, of which they know nothing, is left out.
NMSE is what their code calls so: the root of the mean square error, over the root mean square of
the thin volume.

Theirs are brain MR scaled to [0, 1]. Here 0 and 1 are the 0.5th and 99.5th percentile of the thick
scan, and of CT the ends of ``window``; all but PSNR depend on that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim_unclipped import SIDE, fits, unclipped_score
from thinslice.protocols._comparable import check, measured, passed_over
from thinslice.volume import window_of

METRICS = ("psnr_db", "ssim", "mse", "nmse")


@dataclass(frozen=True)
class InverseSR:
    """The protocol; see the module."""

    window: tuple[float, float]  # HU that become 0 and 1

    def score(self, case: ScoringInput) -> list[Score]:
        """Scores of one case; none, with a line on stderr, where it is too small or flat."""
        check(case)
        known = measured(case)
        thin = case.thin.voxels if known is None else case.thin.voxels[known]
        if not fits(*case.thin.grid.zyx) or not thin.size or np.ptp(thin) == 0:
            wanted = f"{SIDE} voxels or more along each axis and two values at least"
            return passed_over("inversesr", wanted, case)
        scale = window_of(case.thick, self.window)
        low, span = scale.low, scale.high - scale.low
        unit = [(v.voxels.astype(np.float64) - low) / span for v in (case.restored, case.thin)]
        return volume_scores(unit[0], unit[1], known)


def build(window: Sequence[float] = (-1024.0, 3071.0)) -> InverseSR:
    low, high = window
    return InverseSR((low, high))


def volume_scores(
    restored: np.ndarray, thin: np.ndarray, known: np.ndarray | None = None
) -> list[Score]:
    """The scores of two volumes [Z, Y, X] in [0, 1]; voxels outside ``known`` do not count."""
    r, t = (restored, thin) if known is None else (restored[known], thin[known])
    error = float(np.square(r - t).mean())
    peak = float(max(r.max(), t.max()) - min(r.min(), t.min()))
    size = float(np.square(t).mean())
    scores = [
        Score("psnr_db", "dB", "higher", decibels(error, peak), t.size),
        Score("mse", "1", "lower", error, t.size),
        Score("nmse", "1", "lower", math.sqrt(error / size) if size else math.inf, t.size),
    ]
    ssim, windows = unclipped_score(restored, thin, known)
    if windows:
        scores.insert(1, Score("ssim", "1", "higher", ssim, windows))
    return scores
