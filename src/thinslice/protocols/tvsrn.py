"""Protocol tvsrn: the scores of the TVSRN authors (Yu et al., MICCAI 2022), as their code has it.

For comparison with published tables only. HU [-1024, 2048] become [0, 1]; the restored volume is
clamped to it and the thin one is not; five slices are cut from each end; one PSNR per volume with
peak 1, and 40 dB for a volume without error; SSIM per axial slice, Gaussian (11, sigma 1.5) in
float32 with *zeros around the slice*, mean over the slices. Air counts as much as the patient;
padding is left out.

Differs from the authors' code in the filter alone: separable OpenCV for their 11 x 11 torch
convolution, equal to 2e-5 (1e-4 dB).
"""

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim_zeros import SIDE, plane_ssim
from thinslice.metrics.whole_windows import whole_windows
from thinslice.protocols._comparable import check, measured, passed_over
from thinslice.volume import Window

METRICS = ("psnr_db", "ssim")
WINDOW = Window(-1024.0, 2048.0)
CUT = 5  # slices at each end, whatever the factor
PERFECT_DB = 40.0


class Tvsrn:
    """The protocol; see the module."""

    def score(self, case: ScoringInput) -> list[Score]:
        """PSNR and SSIM of one case; none, with a line on stderr, for MR or ten slices or fewer."""
        check(case)
        if case.thin.modality != "CT" or case.thin.grid.n <= 2 * CUT:
            return passed_over("tvsrn", f"CT of more than {2 * CUT} slices", case)
        restored = WINDOW.to_unit(case.restored.voxels)[CUT:-CUT]
        thin = (case.thin.voxels[CUT:-CUT] - WINDOW.low) / (WINDOW.high - WINDOW.low)
        known = measured(case)
        if known is None:
            slices = [slice_ssim(r, t) for r, t in zip(restored, thin)]
        else:
            known = known[CUT:-CUT]
            whole = whole_windows(known, SIDE, (1, 2))
            slices = [slice_ssim(r, t, w) for r, t, w in zip(restored, thin, whole) if w.any()]
            restored, thin = restored[known], thin[known]
        if not slices:
            return passed_over("tvsrn", "CT that is not all padding", case)
        return [
            Score("psnr_db", "dB", "higher", volume_psnr(restored, thin), thin.size),
            Score("ssim", "1", "higher", float(np.mean(slices)), len(slices)),
        ]


def build() -> Tvsrn:
    return Tvsrn()


def volume_psnr(restored: np.ndarray, thin: np.ndarray) -> float:
    """PSNR of voxels with peak 1, dB; 40 where they are equal."""
    error = np.square(restored - thin).mean(dtype=np.float64)
    return decibels(float(error), 1.0) if error else PERFECT_DB


def slice_ssim(restored: np.ndarray, thin: np.ndarray, counted: np.ndarray | None = None) -> float:
    """SSIM of two slices [Y, X], computed in float32, mean over the pixels counted (None: all)."""
    return plane_ssim(restored.astype(np.float32), thin.astype(np.float32), counted)
