"""Scores of a restored scan by what a segmenter finds in it, beside what it finds in the thin one.

Truth is the data set's own labels. A structure that a case does not have gives no row.
"""

import math
from collections.abc import Iterator

import numpy as np

from thinslice.interfaces import Score
from thinslice.metrics.dice import dice
from thinslice.metrics.surface_distance import surface_dice
from thinslice.segmentation.nnunet import NnUNet
from thinslice.segmentation.segmenter import Segmenter
from thinslice.volume import Volume

PROTOCOL = "segmentation"
TOLERANCE_MM = 1.0  # of NSD: about a voxel of a thin scan
OF_THIN = "_thin"  # the same metric of the thin scan: what can be reached


def scores(
    segmenter: Segmenter | NnUNet,
    restored: Volume,
    thin: Volume,
    truth: np.ndarray,
    tolerance_mm: float,
) -> list[Score]:
    """Dice and NSD of every structure, of the restored scan and of the thin one.

    truth   labels uint8 [Z, Y, X] on the thin grid
    """
    if truth.shape != thin.grid.zyx:
        raise ValueError(f"labels {truth.shape} do not fit the thin scan {thin.grid.zyx}")
    spacing_mm = (thin.grid.increment_mm, *thin.grid.pixel_mm)
    rows: list[Score] = []
    for volume, of in ((restored, ""), (thin, OF_THIN)):
        labels = segmenter.segment(volume)
        for number, structure in enumerate(segmenter.structures, 1):
            masks = labels == number, truth == number
            if masks[1].any():
                rows += _of_structure(f"{structure}{of}", *masks, spacing_mm, tolerance_mm)
    return rows


def _of_structure(
    name: str,
    mask: np.ndarray,
    truth: np.ndarray,
    spacing_mm: tuple[float, ...],
    tolerance_mm: float,
) -> Iterator[Score]:
    values = {
        "dice": dice(mask, truth),
        "nsd": surface_dice(mask, truth, spacing_mm, tolerance_mm),
    }
    for metric, value in values.items():
        if not math.isnan(value):
            yield Score(f"{metric}_{name}", "1", "higher", value, int(truth.sum()))
