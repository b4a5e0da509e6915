"""PSNR and SSIM of a small part of a plane, as papers print them in the corners of patches.

PSNR of the whole patch, and scikit-image's default SSIM (a flat 7 x 7 window): what SR4ZCT (Shi et
al. 2023) and most papers of the field print. Nothing is clipped.
"""

import math
from typing import NamedTuple

import numpy as np

from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim_uniform import fits, plane_scores


class PatchScores(NamedTuple):
    """Scores of one patch, and the pixels that count."""

    psnr_db: float  # infinite without an error; nan without a pixel
    ssim: float  # nan where no window fits
    pixels: int


def patch_scores(
    restored: np.ndarray, thin: np.ndarray, peak: float, measured: np.ndarray | None = None
) -> PatchScores:
    """Scores of a patch [P, Q]; ``peak`` is the length of the range, in its unit.

    measured   boolean [P, Q]: pixels that count; None: all
    """
    counted = np.ones(thin.shape, bool) if measured is None else measured
    n = int(np.count_nonzero(counted))
    if not n:
        return PatchScores(math.nan, math.nan, 0)
    error = np.square(restored[counted].astype(np.float64) - thin[counted]).mean()
    ssim = math.nan
    if fits(*thin.shape):
        scores = plane_scores(restored[None], thin[None], peak, measured=counted[None])
        ssim = float(scores[0]) if len(scores) else math.nan
    return PatchScores(decibels(float(error), peak), ssim, n)
