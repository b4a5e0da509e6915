"""Range of a restored scan's values against that of the scan it was made from.

A thin structure can be brighter than any thick slice that shows a part of it, so values beyond the
input's are not wrong by themselves; they are counted, never silent. What no scanner can have meant
is cut (``bounds``): values beyond those of CT's 12 bits, or beyond the input's where it goes there.
"""

from typing import Any, NamedTuple

import numpy as np

from thinslice.interfaces import Scan
from thinslice.volume import Volume

CT_HU = (-1024.0, 3071.0)  # of 12 bits, as scanners store them
ROUNDED_HU = 0.5  # values are written as whole HU


class ValueRange(NamedTuple):
    """Values of measured voxels, in the scan's unit; ``slices`` are restored ones, from 1."""

    input: tuple[float, float]
    restored: tuple[float, float]
    below: int  # restored voxels below the input's range
    above: int
    voxels: int  # restored, in all
    slices: tuple[int, ...]  # that have such voxels

    @property
    def beyond(self) -> int:
        """Restored voxels outside the input's range."""
        return self.below + self.above

    def sentence(self, unit: str) -> str:
        """One sentence; empty where every restored value lies in the input's range."""
        if not self.beyond:
            return ""
        (low, high), (lowest, highest) = self.input, self.restored
        return (
            f"{self.beyond} voxels ({self.beyond / self.voxels:.2g} of all, on {len(self.slices)} "
            f"slices) lie outside the input's values of {low:g} to {high:g} {unit}: {self.below} "
            f"below, down to {lowest:.5g}, and {self.above} above, up to {highest:.5g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {
            **{k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()},
            "beyond": self.beyond,
        }


def compare(restored: Volume, thick: Volume) -> ValueRange:
    """The two scans' ranges; padding is not looked at."""
    low, high = _range(thick)
    slack = ROUNDED_HU if thick.modality == "CT" else 0.0
    below, above, slices = 0, 0, []
    for k in range(restored.grid.n):
        values = _measured(restored, k)
        under = int(np.count_nonzero(values < low - slack))
        over = int(np.count_nonzero(values > high + slack))
        below, above = below + under, above + over
        if under or over:
            slices.append(k + 1)
    voxels = int(np.prod(restored.grid.zyx))
    return ValueRange((low, high), _range(restored), below, above, voxels, tuple(slices))


def bounds(thick: Volume) -> tuple[float, float]:
    """The lowest and highest value that a restored scan may have."""
    low, high = _range(thick)
    if thick.modality == "CT":
        return min(low, CT_HU[0]), max(high, CT_HU[1])
    return min(low, 0.0), np.inf


def _range(scan: Scan) -> tuple[float, float]:
    """Of measured voxels; (0, 0) where there are none."""
    values = [_measured(scan, k) for k in range(scan.grid.n)]
    some = [each for each in values if each.size]
    if not some:
        return 0.0, 0.0
    return float(min(each.min() for each in some)), float(max(each.max() for each in some))


def _measured(scan: Scan, k: int) -> np.ndarray:
    z = slice(k, k + 1)
    values, padded = scan.read(z), scan.padded(z)
    return values.ravel() if padded is None else values[~padded]
