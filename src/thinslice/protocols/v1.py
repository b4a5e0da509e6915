"""Protocol v1: what this benchmark reports.

    Grid      Nothing is resampled. The restored grid must be the thin grid within 1e-4 mm, else
              the case is refused. Content can be shifted on a right grid: ``z_offset_mm`` says by
              how much. It is a score and not a refusal, because blur and real errors move it
              too; beyond 0.05 slices, mistrust the method or the pair before ranking it.
    Voxels    Inside the body (of the *thin* volume), off the ends by one thick increment or
              thickness, and only slices the method was not shown. Never padding, nor an SSIM
              window or a thick voxel that holds any. Every score carries its n.
              ``mask``, the first 8 hex digits of the SHA-256 of these voxels' mask, is equal
              wherever the same voxels were scored.
    Primary   RMSE and MAE, and RMSE by phase.
    PSNR      In three fixed ranges, one mean square error per volume; a perfect volume is inf.
    SSIM      In lung and soft-tissue range; axial, coronal, sagittal and 3-D apart.
    Physics   Restored, made thick again, minus thick: RMSE and bias, where the matrix is known,
              and the RMSE that the thin volume itself has.

MR has no unit: all volumes go through the one affine map that sends the 0.5th and 99.5th
percentile of the *thick* volume to 0 and 1. Scores are taken after it, in "a.u."; their one range
is [0, 1], and the body is what exceeds 0.1. A score without voxels (a scan of ten slices has no
coronal SSIM window) is left out, never filled in.

Confidence intervals over patients are an analysis, not a score.
"""

import math
import os
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.body_mask import mask_digest
from thinslice.metrics.consistency import consistency
from thinslice.metrics.errors import mae, psnr, rmse
from thinslice.metrics.scored_slices import rmse_by_phase
from thinslice.metrics.ssim import PLANES, RADIUS
from thinslice.metrics.ssim_views import VIEWS, ssim_ranges
from thinslice.metrics.whole_windows import whole_windows
from thinslice.metrics.z_offset import z_offset_slices
from thinslice.operators import projection
from thinslice.operators.degradation import in_plane
from thinslice.operators.padding import SHARE
from thinslice.protocols._scored_region import ScoredRegion, scored_region

METRICS = (
    "rmse_hu", "mae_hu", "psnr_db", "ssim", "z_offset_mm", "rmse_au", "mae_au",
    "consistency_rmse_hu", "consistency_bias_hu", "consistency_floor_hu",
    "consistency_rmse_au", "consistency_bias_au", "consistency_floor_au",
)  # fmt: skip


@dataclass(frozen=True)
class V1:
    """The protocol; ``threads`` change its speed, never a number."""

    threads: int

    def score(self, case: ScoringInput) -> list[Score]:
        """Every score of one case; ValueError, with the numbers, where it cannot be scored."""
        region = scored_region(case)
        scores = [
            *differences(region),
            *by_phase(region, case.thin.grid.increment_mm),
            *similarities(region, self.threads),
            *data_consistency(region, case),
            offset_along_z(region, case),
        ]
        mask = mask_digest(region.scored)[:8]
        return [s._replace(mask=mask) for s in scores if s.n and not math.isnan(s.value)]


def build(threads: int | None = None) -> V1:
    return V1(threads or threads_of_job())


def threads_of_job() -> int:
    """Threads this process was given: OMP_NUM_THREADS, else its CPUs, at most 4."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else min(4, os.cpu_count() or 1)


def differences(region: ScoredRegion) -> list[Score]:
    """RMSE, MAE, and PSNR in each range."""
    volumes = (region.restored, region.thin, region.scored)
    n, units = int(np.count_nonzero(region.scored)), region.units
    scores = [
        Score(f"rmse_{units.suffix}", units.unit, "lower", rmse(*volumes), n),
        Score(f"mae_{units.suffix}", units.unit, "lower", mae(*volumes), n),
    ]
    for name, window in units.psnr.items():
        scores.append(Score("psnr_db", "dB", "higher", psnr(*volumes, window), n, range=name))
    return scores


def by_phase(region: ScoredRegion, increment_mm: float) -> list[Score]:
    """RMSE at each distance from the nearest thick slice, in thin increments."""
    units = region.units
    by_increments = rmse_by_phase(region.restored, region.thin, region.scored, region.phase)
    return [
        Score(f"rmse_{units.suffix}", units.unit, "lower", *row, phase_mm=f"{k * increment_mm:g}")
        for k, row in by_increments.items()
    ]


def similarities(region: ScoredRegion, threads: int) -> list[Score]:
    """SSIM of each view in each range."""
    masks = {view: _in_whole_windows(region, view) for view in VIEWS}
    names, windows = zip(*region.units.ssim.items())
    means = ssim_ranges(region.restored, region.thin, masks, windows, threads)
    return [
        Score("ssim", "1", "higher", *mean, view=view, range=name)
        for name, views in zip(names, means)
        for view, mean in views.items()
    ]


def _in_whole_windows(region: ScoredRegion, view: str) -> np.ndarray:
    """The scored voxels whose window in this view holds no padding."""
    if region.measured is None:
        return region.scored
    axes = [axis for axis in range(3) if axis != PLANES.get(view)]
    return region.scored & whole_windows(region.measured[region.inner], 2 * RADIUS + 1, axes)


def data_consistency(region: ScoredRegion, case: ScoringInput) -> list[Score]:
    """A(restored) - thick, and its floor: the same error of the thin volume itself.

    No row where it is unknown how the thick volume arose, or how its pixels did where they are not
    the thin volume's. The floor is zero for simulated thick slices; acquired ones differ in
    kernel and noise too. Below the floor, lower is not better.
    """
    matrix, planes = case.matrix, case.planes
    same_pixels = region.thick.shape[1:] == region.all_thin.shape[1:]
    if matrix is None or (planes is None and not same_pixels):
        return []
    volumes = (region.all_restored, region.all_thin, region.body)
    if planes is not None:
        volumes = tuple(in_plane(planes, v) for v in volumes)
    unit, (restored, thin, body) = region.units.unit, volumes
    masks = (body, region.inner, _saw_padding(region, case))
    error = consistency(restored, region.thick, matrix, *masks)
    floor = consistency(thin, region.thick, matrix, *masks)
    name = f"consistency_{{}}_{region.units.suffix}".format
    return [
        Score(name("rmse"), unit, "", error.rmse, error.n),
        Score(name("bias"), unit, "", error.bias, error.n),
        Score(name("floor"), unit, "", floor.rmse, floor.n),
    ]


def _saw_padding(region: ScoredRegion, case: ScoringInput) -> np.ndarray | None:
    """Thick voxels that are padding, or of which a part would be; None: there is no padding."""
    outside = case.thick.padded()
    if region.measured is None or case.matrix is None:
        return outside
    share = projection.apply(abs(case.matrix), (~region.measured).astype(np.float32))
    if case.planes is not None:
        share = in_plane((abs(case.planes[0]), abs(case.planes[1])), share)
    return share > SHARE if outside is None else outside | (share > SHARE)


def offset_along_z(region: ScoredRegion, case: ScoringInput) -> Score:
    """Shift of restored against thin along z: are the other scores valid?"""
    thin_mm, thick_mm = case.thin.grid.increment_mm, case.thick.grid.increment_mm
    known = None if region.measured is None else region.measured[region.inner]
    volumes = (region.restored, region.thin, region.scored)
    offset = z_offset_slices(*volumes, thick_mm / thin_mm, known)
    return Score("z_offset_mm", "mm", "", offset * thin_mm, len(region.thin))
