"""Tell values that whole HU would destroy: fractions in a narrow range, such as HU / 1000.

No file says what its values mean. A CT shows air and tissue, 1000 HU apart; even in a crop of
water its noise spans some tens. Fractions within 20 are another unit, or a scan to be rounded by
the one who knows that it is HU. So are hundredths within 45, as HU / 100 of 12 bits are. Other
fractions within 45 may be either, HU of one tissue or HU / 100 that was resampled: a note says so.
Neither is said of values such as those of air, which times 100 are beyond 16 bits.
"""

from pathlib import Path

import numpy as np

from thinslice.errors import refused
from thinslice.volume import HU_INT16

NARROW_HU = 20.0  # HU / 1000 spans at most 4, standardised values about 10
HUNDREDTHS_HU = 45.0  # HU / 100 of 12 bits spans 41
FRACTION_HU = 0.01  # farther from a whole number than computing on whole HU leaves
FINE = 0.2  # of the distinct hundredths are on no coarser grid; of HU / 100 it is 0.4


def refuse_narrow(path: Path, voxels: np.ndarray) -> None:
    """Refuse a CT of fractions that all lie within 20, or of hundredths within 45."""
    if not (narrow_fractions(voxels) or _hundredths(voxels)):
        return
    low, high = float(voxels.min()), float(voxels.max())
    narrow = high - low < NARROW_HU
    raise refused(
        path,
        f"CT values {low:g} to {high:g} with {'fractions' if narrow else 'hundredths'}, which are "
        "not HU",
        f"HU, of a range of {NARROW_HU if narrow else HUNDREDTHS_HU:g} or more",
        "write it in HU first (HU / 1000 times 1000, HU / 100 times 100), or, if these are HU, in "
        "whole numbers",
    )


def doubts(voxels: np.ndarray) -> list[str]:
    """A note on fractions within 45 that may be HU / 100; empty for any others."""
    if not _may_be_a_hundredth(voxels):
        return []
    return [
        f"values {float(voxels.min()):g} to {float(voxels.max()):g} have fractions and span little "
        "for HU, which are whole numbers here; if they are HU / 100, write it times 100 first"
    ]


def narrow_fractions(voxels: np.ndarray) -> bool:
    """Whether values lie so close together that rounding to whole numbers would destroy them.

    False for whole numbers, for a constant, and where a value is not finite.
    """
    return _fractions_within(voxels, NARROW_HU)


def _fractions_within(voxels: np.ndarray, range_hu: float) -> bool:
    low, high = float(voxels.min()), float(voxels.max())
    if not 0 < high - low < range_hu:
        return False
    return bool((np.abs(voxels - np.rint(voxels)) > FRACTION_HU).any())


def _may_be_a_hundredth(voxels: np.ndarray) -> bool:
    """Whether values have fractions, lie within 45, and times 100 can be HU."""
    low, high = float(voxels.min()) * 100, float(voxels.max()) * 100
    fits = HU_INT16[0] <= low and high <= HU_INT16[1]
    return fits and _fractions_within(voxels, HUNDREDTHS_HU)


def _hundredths(voxels: np.ndarray) -> bool:
    """Whether all are hundredths within 45, and not those of means of 2, 4, 5, ... 50 whole HU."""
    if not _may_be_a_hundredth(voxels):
        return False
    hundredfold = voxels * 100.0
    whole = np.rint(hundredfold)
    if (np.abs(hundredfold - whole) > FRACTION_HU).any():
        return False
    distinct = np.unique(whole).astype(int)
    return float(np.mean((distinct % 2 != 0) & (distinct % 5 != 0))) > FINE
