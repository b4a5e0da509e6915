"""What SR4ZCT as published and SMORE share: values of zero mean and unit spread, slices in place.

The scan's planes are interpolated linearly, ends held, to slices side by side that are as thick as
a pixel is wide, from where the extent begins. Where the slices asked for are as far apart as these,
they are moved by at most half a slice onto those, so that what the network answers need not be
interpolated again: between two slices that would blur what it has just sharpened.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import interpolation, overlap
from thinslice.volume import SAME_PLACE_MM, Grid


class Standardised:
    """The part of ``self_supervised.Modelling`` that does not say how thick slices arise."""

    clips = False

    def scale(self, voxels_ZYX: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation, slice by slice, so that no second scan is held."""
        mean = float(np.mean(voxels_ZYX, dtype=float))
        squares = [np.square(slice_YX - mean, dtype=float).mean() for slice_YX in voxels_ZYX]
        return mean, float(np.sqrt(np.mean(squares))) or 1.0

    def native(self, thick: Grid, pixel_mm: float, wanted: Grid | None = None) -> Grid:
        """Slices side by side, as thick as a pixel is wide, in phase with those ``wanted``."""
        slices = overlap.exact(thick, pixel_mm, 0.0)
        if wanted is None or abs(wanted.increment_mm - pixel_mm) * wanted.n > SAME_PLACE_MM:
            return slices
        ahead = (wanted.start_mm - slices.start_mm) / pixel_mm
        return replace(slices, start_mm=slices.start_mm + (ahead - round(ahead)) * pixel_mm)

    def interpolated(self, thick: Grid, native: Grid) -> csr_array:
        """Linear, ends held."""
        return interpolation.weights(thick.centres_mm(), native.centres_mm(), "linear")
