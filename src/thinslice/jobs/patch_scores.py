"""Score the patches of a picture: what a figure prints is computed here and kept as a CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thinslice.metrics.patches import PatchScores, patch_scores
from thinslice.report.pictures.patches import Box, box_of, part_of
from thinslice.volume import Volume, window_of

Scored = dict[tuple[int, str], PatchScores]  # by the patch's number, from 1, and the method


def scores_of(
    thin: Volume, thick: Volume, restored: Mapping[str, Volume], boxes: Sequence[Mapping[str, Any]]
) -> Scored:
    """PSNR and SSIM of every patch of every restored volume.

    The range is -1024..3071 HU, or that of the thick scan where it is MR; padding does not count.
    """
    window = window_of(thick)
    peak = window.high - window.low
    return {
        (number, name): _score(volume, thin, box_of(box), peak)
        for number, box in enumerate(boxes, 1)
        for name, volume in restored.items()
    }


def _score(restored: Volume, thin: Volume, box: Box, peak: float) -> PatchScores:
    block = part_of(thin.grid, thin.grid, box)
    masks = [volume.padded(*block) for volume in (thin, restored)]
    padded = [mask.squeeze() for mask in masks if mask is not None]
    measured = ~np.logical_or.reduce(padded) if padded else None
    shown, truth = (np.asarray(volume.read(*block)).squeeze() for volume in (restored, thin))
    return patch_scores(np.atleast_2d(shown), np.atleast_2d(truth), peak, measured)


def rows_of(
    scores: Scored, boxes: Sequence[Mapping[str, Any]], case: str, dataset: str
) -> list[dict[str, Any]]:
    """One row per patch, method and metric, for the CSV."""
    units = {"psnr_db": "dB", "ssim": "1"}
    return [
        {
            "dataset": dataset,
            "case": case,
            "patch": number,
            "view": box_of(boxes[number - 1]).plane,
            "method": name,
            "metric": metric,
            "unit": unit,
            "value": getattr(score, metric),
            "n": score.pixels,
        }
        for (number, name), score in scores.items()
        for metric, unit in units.items()
    ]
