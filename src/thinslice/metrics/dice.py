"""Overlap of two masks."""

import math

import numpy as np


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|) of two boolean arrays; nan where both are empty.

    Source: Dice, Ecology 26, 1945.
    """
    both, either = int(np.count_nonzero(mask & truth)), int(mask.sum()) + int(truth.sum())
    return 2 * both / either if either else math.nan
