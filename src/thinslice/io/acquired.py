"""A scan as it was acquired: parallel slices that need not make a regular grid.

Gantry tilt shifts every slice in its own plane against the one below; increments and thicknesses
may change from slice to slice. Nothing is resampled here: the voxels are those of the files.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from thinslice.volume import Grid, Modality


class AcquiredScan(NamedTuple):
    """Slices and where each of them is.

    source, files and members are those of a ``LoadedScan``.
    """

    voxels: np.ndarray  # float32 [n, Y, X]; HU for CT
    frame: Grid  # axes, pixels and corner of the first slice; increment and thickness are medians
    modality: Modality
    centres_mm: np.ndarray  # [n], ascending along the normal from the first slice
    thickness_mm: np.ndarray  # [n]
    shifts_mm: np.ndarray  # [n, 2] (y, x) of a slice's corner from the first one's, in its plane
    source: dict[str, Any]
    files: tuple[Path, ...]
    members: Mapping[str, str] = MappingProxyType({})

    @property
    def tilt_deg(self) -> float:
        """Angle between the slices' normal and the line of their positions."""
        return float(
            np.degrees(np.arctan2(np.linalg.norm(self.shifts_mm[-1]), self.centres_mm[-1]))
        )

    @property
    def is_evenly_spaced(self) -> bool:
        """Whether increment and thickness are the same throughout, as of a scan with tilt alone."""
        increment_mm = self.centres_mm[-1] / (len(self.centres_mm) - 1)
        off_mm = self.centres_mm - increment_mm * np.arange(len(self.centres_mm))
        allowed_mm = max(ROUNDED * increment_mm, ROUNDED_MM)
        return bool(np.abs(off_mm).max() <= allowed_mm and np.ptp(self.thickness_mm) <= ROUNDED_MM)


ROUNDED_MM = 0.06  # headers to a tenth of a millimetre are half of it off
ROUNDED = 0.01  # of the increment
