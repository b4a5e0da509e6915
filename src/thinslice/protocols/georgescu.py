"""Protocol georgescu: the scores of Georgescu et al. 2020, as their released code has them.

For comparison with published tables only. They score 8-bit pictures: restored volumes are clipped
to 0..255 and *truncated* to whole numbers, then every axial slice is scored alone: PSNR with
peak 255 (100 dB where there is no error) and scikit-image's default SSIM (a flat 7 x 7 window,
range 255). No slice is cut off, and air counts as much as the patient, padding never.

How they made pictures of scans is not in their repository. Ours: CT from -1024..3071 HU
(``window``), so that one grey level is 16 HU; MR from the 0.5th..99.5th percentile of the thick
scan. Their thin images are whole numbers already; ours are truncated like restored ones, so that a
perfect volume is perfect.

Their means run over all slices of all scans. A protocol sees one scan: it gives the mean over its
slices, and ``n`` is their number, so theirs is the mean of the rows weighted by ``n``.

Their test along z leaves out slices that are black throughout, but never the first one it sees;
``drop_black`` does so, of thin slices that are all 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim_uniform import SIDE, fits, plane_scores
from thinslice.protocols._comparable import check, measured, passed_over
from thinslice.volume import Volume, Window, window_of

METRICS = ("psnr_db", "ssim")
PEAK = 255.0
PERFECT_DB = 100.0


@dataclass(frozen=True)
class Georgescu:
    """The protocol; see the module."""

    window: tuple[float, float]  # HU
    drop_black: bool

    def score(self, case: ScoringInput) -> list[Score]:
        """PSNR and SSIM of one case; none, with a line on stderr, for slices below 7 x 7 pixels."""
        check(case)
        if not fits(*case.thin.grid.shape):
            return passed_over("georgescu", f"slices of {SIDE} x {SIDE} pixels", case)
        window = window_of(case.thick, self.window)
        restored, thin = (picture(v, window) for v in (case.restored, case.thin))
        known = measured(case)
        if self.drop_black:
            scored = np.array([slice_YX.any() for slice_YX in thin])
            scored[0] = True
            restored, thin = restored[scored], thin[scored]
            known = None if known is None else known[scored]
        ssim = plane_scores(restored, thin, PEAK, measured=known)
        if known is not None:
            compared = [(r[k], t[k]) for r, t, k in zip(restored, thin, known) if k.any()]
        else:
            compared = list(zip(restored, thin))
        decibel = [slice_psnr(r, t) for r, t in compared]
        scores = [
            Score("psnr_db", "dB", "higher", float(np.mean(decibel or math.nan)), len(decibel)),
            Score(
                "ssim", "1", "higher", float(np.mean(ssim) if len(ssim) else math.nan), len(ssim)
            ),
        ]
        return [score for score in scores if score.n]


def build(window: Sequence[float] = (-1024.0, 3071.0), drop_black: bool = False) -> Georgescu:
    low, high = window
    return Georgescu((low, high), drop_black)


def picture(volume: Volume, window: Window) -> np.ndarray:
    """The volume in 8 bits, uint8 [Z, Y, X]: the window's ends are 0 and 255."""
    per_unit = PEAK / (window.high - window.low)
    grey = np.empty(volume.grid.zyx, np.uint8)
    for k, values in enumerate(volume.voxels):
        grey[k] = to_8_bits((values.astype(np.float64) - window.low) * per_unit)
    return grey


def to_8_bits(values: np.ndarray) -> np.ndarray:
    """Clipped to 0..255 and truncated, never rounded."""
    return values.clip(0, PEAK).astype(np.uint8)


def slice_psnr(restored: np.ndarray, thin: np.ndarray) -> float:
    """PSNR of two pictures, dB; 100 where they are equal."""
    error = np.square(restored.astype(np.float64) - thin).mean()
    return decibels(float(error), PEAK) if error else PERFECT_DB
