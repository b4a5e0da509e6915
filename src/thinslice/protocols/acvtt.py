"""Protocol acvtt: the scores of ACVTT's authors (Uhm et al.), as their released code has them.

For comparison with published tables only. Values become [0, 1]: CT from -1024..3071 HU, as they
prepare MSD and KiTS23, MR from 0..4095 of the scanner's own units, as they prepare IXI. They read
RPLHR-CT as it is, so it must be in [0, 1] already; we take that to be TVSRN's -1024..2048 HU: set
``ct`` to it there. Both volumes are clipped, five slices are cut from each end whatever the
factor, air counts as much as the patient; padding, of which they know nothing, is left out. One
PSNR per volume with peak 1, infinite where there is no error; SSIM once per volume, scikit-image's
default in 3-D (a flat window of 7 x 7 x 7).

``skip_observed`` is an option of their code, off by default: every fifth remaining slice, starting
with the first, is removed, and the others are scored as if they were neighbours. That leaves out
what the method was shown only where the thick slices lie there; elsewhere the rows are not given.

The SSIM of axial, coronal and sagittal views (their Tables 1 and 2) is *not* in the released code.
``ssim`` with a view is our reading: the same cut volumes, scikit-image's default in two dimensions,
mean over all planes of the view.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.scored_slices import coincident
from thinslice.metrics.ssim import PLANES
from thinslice.metrics.ssim_uniform import RADIUS, SIDE, fits, plane_scores, volume_score
from thinslice.metrics.whole_windows import whole_windows
from thinslice.protocols._comparable import check, measured, passed_over
from thinslice.volume import Window

METRICS = ("psnr_db", "ssim", "psnr_unobserved_db", "ssim_unobserved")
CUT = 5  # slices at each end, whatever the factor
EVERY = 5  # of the slices left: those that ``skip_observed`` takes out
LEAST = 2 * CUT + 2 * RADIUS  # slices: one more, and a window fits between the cuts


@dataclass(frozen=True)
class Acvtt:
    """The protocol; see the module."""

    ct: Window
    mr: Window
    skip_observed: bool

    def score(self, case: ScoringInput) -> list[Score]:
        """Scores of one case; none, with a line on stderr, where it is too small for the window."""
        check(case)
        n, rows, columns = case.thin.grid.zyx
        if not fits(n - 2 * CUT, rows, columns):
            wanted = f"more than {LEAST} slices of {2 * RADIUS + 1} x {2 * RADIUS + 1} pixels"
            return passed_over("acvtt", wanted, case)
        window = self.ct if case.thin.modality == "CT" else self.mr
        restored, thin = (window.to_unit(v.voxels[CUT:-CUT]) for v in (case.restored, case.thin))
        known = measured(case)
        known = None if known is None else known[CUT:-CUT]
        scores = [*volume_scores(restored, thin, known), *view_scores(restored, thin, known)]
        if self.skip_observed:
            scores += unobserved_scores(restored, thin, known, case)
        return [score for score in scores if score.n and not math.isnan(score.value)]


def build(
    ct: Sequence[float] = (-1024.0, 3071.0),
    mr: Sequence[float] = (0.0, 4095.0),
    skip_observed: bool = False,
) -> Acvtt:
    return Acvtt(Window(*ct), Window(*mr), skip_observed)


def volume_psnr(restored: np.ndarray, thin: np.ndarray) -> float:
    """PSNR of voxels with peak 1, dB; infinite where they are equal."""
    return decibels(float(np.square(restored - thin).mean(dtype=np.float64)), 1.0)


def volume_scores(
    restored: np.ndarray, thin: np.ndarray, known: np.ndarray | None = None, which: str = ""
) -> list[Score]:
    """PSNR and 3-D SSIM of two volumes [Z, Y, X] in [0, 1]; ``which`` goes into their names."""
    inside = (slice(RADIUS, -RADIUS),) * 3
    windows = int(np.prod([side - 2 * RADIUS for side in thin.shape]))
    compared = (restored, thin)
    if known is not None:
        windows = int(np.count_nonzero(whole_windows(known, SIDE, (0, 1, 2))[inside]))
        compared = (restored[known], thin[known])
    psnr = volume_psnr(*compared) if compared[1].size else math.nan
    ssim = volume_score(restored, thin, 1.0, known)
    return [
        Score(f"psnr{which}_db", "dB", "higher", psnr, compared[1].size),
        Score(f"ssim{which}", "1", "higher", ssim, windows),
    ]


def view_scores(
    restored: np.ndarray, thin: np.ndarray, known: np.ndarray | None = None
) -> list[Score]:
    """Mean SSIM of the planes of each view; our reading, see the module."""
    views = PLANES.items()
    by_view = {view: plane_scores(restored, thin, 1.0, axis, known) for view, axis in views}
    return [
        Score("ssim", "1", "higher", float(scores.mean()), len(scores), view=view)
        for view, scores in by_view.items()
        if len(scores)
    ]


def unobserved_scores(
    restored: np.ndarray, thin: np.ndarray, known: np.ndarray | None, case: ScoringInput
) -> list[Score]:
    """PSNR and SSIM without every fifth slice; none where other slices were shown."""
    skipped = np.arange(len(thin)) % EVERY == 0
    shown = coincident(case.thin.grid, case.thick.grid)[CUT:-CUT]
    if not np.array_equal(shown, skipped) or not fits(int(np.count_nonzero(~skipped))):
        wanted = f"a thick slice at every {EVERY}th thin one, from the first one scored"
        print(f"protocol acvtt skips observed slices only with {wanted}", file=sys.stderr)
        return []
    known = None if known is None else known[~skipped]
    return volume_scores(restored[~skipped], thin[~skipped], known, "_unobserved")
