"""HU in 256 shades, finest where tissue is: what the page's viewer can window as it likes."""

from collections.abc import Sequence

import numpy as np

from thinslice.interfaces import Scan

# Shade and HU at the ends of straight pieces: 12 HU a shade in lung, 4 in soft tissue, 39 in bone.
CT_KNOTS = ((0, -1024.0), (72, -160.0), (184, 240.0), (255, 3000.0))
Knots = Sequence[tuple[int, float]]


def knots_for(thick: Scan) -> Knots:
    """Shades and the values they stand for; MR has no HU, there 0.5 to 99.5 % of the thick scan."""
    if thick.modality == "CT":
        return CT_KNOTS
    low, high = np.percentile(thick.read(), (0.5, 99.5))
    return ((0, float(low)), (255, float(max(high, low + 1e-6))))


def to_shades(values: np.ndarray, knots: Knots) -> np.ndarray:
    """The nearest shade of each value, uint8; values beyond the ends take the ends' shades."""
    shades, at = zip(*knots)
    return np.rint(np.interp(values, at, shades)).astype(np.uint8)


def from_shades(shades: np.ndarray, knots: Knots) -> np.ndarray:
    """The values that shades stand for, as the viewer computes them."""
    steps, at = zip(*knots)
    return np.interp(shades, steps, at)
