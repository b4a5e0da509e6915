"""Tell values that whole HU would destroy: fractions in a narrow range, such as HU / 1000.

No file says what its values mean. A CT shows air and tissue, 1000 HU apart; even in a crop of
water its noise spans some tens. Fractions within 20 are another unit, or a scan to be rounded by
the one who knows that it is HU.
"""

from pathlib import Path

import numpy as np

from thinslice.errors import refused

NARROW_HU = 20.0  # HU / 1000 spans at most 4, standardised values about 10
FRACTION_HU = 0.01  # farther from a whole number than computing on whole HU leaves


def refuse_narrow(path: Path, voxels: np.ndarray) -> None:
    """Refuse a CT of fractions that all lie within 20."""
    if not narrow_fractions(voxels):
        return
    low, high = float(voxels.min()), float(voxels.max())
    raise refused(
        path,
        f"CT values {low:g} to {high:g} with fractions, which are not HU",
        f"HU, of a range of {NARROW_HU:g} or more",
        "write it in HU first (HU / 1000 times 1000), or, if these are HU, in whole numbers",
    )


def narrow_fractions(voxels: np.ndarray) -> bool:
    """Whether values lie so close together that rounding to whole numbers would destroy them.

    False for whole numbers, for a constant, and where a value is not finite.
    """
    low, high = float(voxels.min()), float(voxels.max())
    if not 0 < high - low < NARROW_HU:
        return False
    return bool((np.abs(voxels - np.rint(voxels)) > FRACTION_HU).any())
