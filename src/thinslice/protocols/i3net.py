"""Protocol i3net: the scores of I3Net's authors (Song et al., IEEE TMI 2024), as their code has it.

For comparison with published tables only. HU -1024..3071 become [0, 1], the restored volume is
clipped to it. Slices are cut from the end until U divides their number less one, U being the thick
increment over the thin one; then U slices are cut from each end. Slices that the method was shown
count, as air does; padding is left out. The middle 256 x 256 pixels are scored, all where there are
fewer: one PSNR per volume with peak 1, infinite where there is no error; SSIM per plane of each
view, Gaussian (11, sigma 1.5) in float64 with *zeros around the plane*, mean over the planes.

The authors clip each slab that a method answers before they average slabs; here the volume is
clipped. CT only.
"""

from collections.abc import Sequence

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim import PLANES
from thinslice.metrics.ssim_zeros import SIDE, plane_ssim
from thinslice.metrics.whole_windows import whole_windows
from thinslice.operators.grids import factor_of
from thinslice.protocols._comparable import check, measured, passed_over
from thinslice.volume import Window

METRICS = ("psnr_db", "ssim")
WINDOW = Window(-1024.0, 3071.0)
MIDDLE = 256  # pixels scored, along y and x


class I3Net:
    """The protocol; see the module."""

    def score(self, case: ScoringInput) -> list[Score]:
        """PSNR and SSIM of one case; none, with a line on stderr, for MR or too few slices."""
        check(case)
        inside = inner(case.thin.grid.zyx, factor_of(case.thick.grid, case.thin.grid))
        if case.thin.modality != "CT" or inside[0].start >= inside[0].stop:
            return passed_over("i3net", "CT of more slices than are cut from its ends", case)
        restored = WINDOW.to_unit(case.restored.voxels[inside])
        thin = (case.thin.voxels[inside] - WINDOW.low) / np.float32(WINDOW.high - WINDOW.low)
        known = measured(case)
        known = None if known is None else known[inside]
        likeness = view_scores(restored, thin, known)
        if known is not None:
            restored, thin = restored[known], thin[known]
        if not thin.size:
            return passed_over("i3net", "CT that is not all padding", case)
        error = float(np.square(restored - thin).mean(dtype=np.float64))
        return [Score("psnr_db", "dB", "higher", decibels(error, 1.0), thin.size), *likeness]


def build() -> I3Net:
    return I3Net()


def inner(zyx: Sequence[int], factor: int) -> tuple[slice, slice, slice]:
    """Slices, rows and columns that are scored."""
    n, *plane = zyx
    last = n - (n - 1) % factor - factor
    firsts = [max(0, (side - MIDDLE) // 2) for side in plane]
    rows, columns = (slice(first, first + MIDDLE) for first in firsts)
    return slice(factor, last), rows, columns


def view_scores(
    restored: np.ndarray, thin: np.ndarray, known: np.ndarray | None = None
) -> list[Score]:
    """Mean SSIM of the planes of each view, of two volumes [Z, Y, X] in [0, 1]."""
    scores = []
    for view, axis in PLANES.items():
        whole = None
        if known is not None:
            within = [k for k in range(3) if k != axis]
            whole = np.moveaxis(whole_windows(np.ascontiguousarray(known), SIDE, within), axis, 0)
        planes = [np.moveaxis(v.astype(np.float64), axis, 0) for v in (restored, thin)]
        values = [
            plane_ssim(r, t, None if whole is None else whole[k])
            for k, (r, t) in enumerate(zip(*planes))
            if whole is None or whole[k].any()
        ]
        if values:
            mean = float(np.mean(values))
            scores.append(Score("ssim", "1", "higher", mean, len(values), view=view))
    return scores
