"""Protocol v1: what this benchmark reports.

    Grid      Nothing is resampled. The restored grid must be the thin grid within 1e-4 mm, else
              the case is refused. Content can be shifted on a right grid: ``z_offset_mm`` says by
              how much. It is a score and not a refusal, because blur and real errors move it
              too; beyond 0.05 slices, mistrust the method or the pair before ranking it.
    Voxels    Inside the body (of the *thin* volume), off the ends by one thick increment or
              thickness, and only slices the method was not shown. Every score carries its n.
              ``body_mask_sha32``, the first 32 bits of the mask's SHA-256, agrees between two
              people who scored the same voxels.
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
from thinslice.metrics.ssim import PLANES, ssim
from thinslice.metrics.ssim_volume import ssim_volume
from thinslice.metrics.z_offset import z_offset_slices
from thinslice.operators.degradation import in_plane
from thinslice.protocols._scene import Scene, scene_of


@dataclass(frozen=True)
class V1:
    """The protocol; ``threads`` change its speed, never a number."""

    threads: int

    def score(self, question: ScoringInput) -> list[Score]:
        """Every score of one case; ValueError, with the numbers, where it cannot be scored."""
        scene = scene_of(question)
        scores = [
            *differences(scene),
            *by_phase(scene, question.thin.grid.increment_mm),
            *similarities(scene, self.threads),
            *data_consistency(scene, question),
            *audit(scene, question),
        ]
        return [s for s in scores if s.n and not math.isnan(s.value)]


def build(threads: int | None = None) -> V1:
    return V1(threads or threads_of_job())


def threads_of_job() -> int:
    """Threads this process was given: OMP_NUM_THREADS, else its CPUs, at most 4."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else min(4, os.cpu_count() or 1)


def differences(scene: Scene) -> list[Score]:
    """RMSE, MAE, and PSNR in each range."""
    volumes = (scene.restored, scene.thin, scene.scored)
    n, units = int(np.count_nonzero(scene.scored)), scene.units
    scores = [
        Score(f"rmse_{units.suffix}", units.unit, "lower", rmse(*volumes), n),
        Score(f"mae_{units.suffix}", units.unit, "lower", mae(*volumes), n),
    ]
    for name, window in units.psnr.items():
        scores.append(Score(name, "dB", "higher", psnr(*volumes, window), n))
    return scores


def by_phase(scene: Scene, increment_mm: float) -> list[Score]:
    """RMSE at each distance from the nearest thick slice, in thin increments."""
    units = scene.units
    found = rmse_by_phase(scene.restored, scene.thin, scene.scored, scene.phase)
    return [
        Score(f"rmse_{units.suffix}_phase{phase * increment_mm:g}mm", units.unit, "lower", *row)
        for phase, row in found.items()
    ]


def similarities(scene: Scene, threads: int) -> list[Score]:
    """SSIM of each view in each range."""
    volumes = (scene.restored, scene.thin, scene.scored)
    scores = []
    for name, window in scene.units.ssim.items():
        for plane in PLANES:
            found = ssim(*volumes, window, plane, threads)
            scores.append(Score(f"ssim_{plane}_{name}", "1", "higher", *found))
        found = ssim_volume(*volumes, window, threads)
        scores.append(Score(f"ssim_3d_{name}", "1", "higher", *found))
    return scores


def data_consistency(scene: Scene, question: ScoringInput) -> list[Score]:
    """A(restored) - thick, beside the floor: what the thin volume itself leaves.

    No row where nobody knows how the thick volume arose, or how its pixels did where they are not
    the thin volume's. The floor is zero for simulated thick slices; an acquired read differs in
    kernel and noise too, and below it less is not better.
    """
    matrix, planes = question.matrix, question.planes
    same_pixels = scene.thick.shape[1:] == scene.all_thin.shape[1:]
    if matrix is None or (planes is None and not same_pixels):
        return []
    volumes = (scene.all_restored, scene.all_thin, scene.body)
    if planes is not None:
        volumes = tuple(in_plane(planes, v) for v in volumes)
    unit, (restored, thin, body) = scene.units.unit, volumes
    found = consistency(restored, scene.thick, matrix, body, scene.kept)
    floor = consistency(thin, scene.thick, matrix, body, scene.kept)
    name = f"consistency_{{}}_{scene.units.suffix}".format
    return [
        Score(name("rmse"), unit, "", found.rmse, found.n),
        Score(name("bias"), unit, "", found.bias, found.n),
        Score(name("floor"), unit, "", floor.rmse, floor.n),
    ]


def audit(scene: Scene, question: ScoringInput) -> list[Score]:
    """What tells whether the scores above may be believed: the offset, and which voxels."""
    thin_mm, thick_mm = question.thin.grid.increment_mm, question.thick.grid.increment_mm
    offset = z_offset_slices(scene.restored, scene.thin, scene.scored, thick_mm / thin_mm)
    sha32 = int(mask_digest(scene.scored)[:8], 16)
    n = int(np.count_nonzero(scene.scored))
    return [
        Score("z_offset_mm", "mm", "", offset * thin_mm, len(scene.thin)),
        Score("body_mask_sha32", "1", "", float(sha32), n),
    ]
