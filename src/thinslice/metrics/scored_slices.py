"""Which thin slices a score is taken over.

Slices at the ends are dropped, where a method has too few thick neighbours. A slice that the
method was shown is dropped too, but only where the thick slices *are* thin slices: sparse
sampling, with the same thickness and pixels at the same places. Keeping them would add
10 log10(R / (R - 1)) dB to whoever passes them through, 1.25 dB at R = 4.
"""

import math

import numpy as np

from thinslice.metrics.positions import FUZZ, coincident
from thinslice.volume import SAME_PLACE_MM, Grid


def border_slices(thin: Grid, thick: Grid) -> int:
    """Slices dropped at each end: one thick increment or thickness, whichever is longer."""
    longer_mm = max(thick.increment_mm, thick.thickness_mm)
    return math.ceil(longer_mm / thin.increment_mm - FUZZ)


def observed(thin: Grid, thick: Grid) -> np.ndarray:
    """Boolean [n_thin]: slices that the thick volume holds as they are, with the same pixels."""
    as_thick = abs(thick.thickness_mm - thin.thickness_mm) <= SAME_PLACE_MM
    if not as_thick or thick.shape != thin.shape:
        return np.zeros(thin.n, bool)
    return coincident(thin, thick)


def kept_slices(thin: Grid, thick: Grid) -> slice:
    """The run of slices between the dropped ends; ValueError where none is left."""
    border = border_slices(thin, thick)
    if thin.n <= 2 * border:
        raise ValueError(
            f"{thin.n} thin slices, {border} of them dropped at each end, leave none to score "
            f"(thick increment {thick.increment_mm:g} mm, thickness {thick.thickness_mm:g} mm, "
            f"thin increment {thin.increment_mm:g} mm): score a longer scan"
        )
    return slice(border, thin.n - border)
