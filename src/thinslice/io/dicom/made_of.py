"""Which source images each derived slice was made of: those whose slices reach into it.

Networks look further along z, but what lies further away is context: the list is what a viewer
shows as the source of a slice. Its length does not grow with the scan's.
"""

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from thinslice.io.dicom.derived_header import reference_to
from thinslice.io.dicom.headers import Slice
from thinslice.volume import Grid


class Sources:
    """The source images by their positions along the normal of the derived slices."""

    def __init__(self, headers: Sequence[Dataset], slices: Sequence[Slice], grid: Grid) -> None:
        """``headers`` of the files and their ``slices``; ``grid`` of what was made of them."""
        self._headers = {str(header.get("SOPInstanceUID", "")): header for header in headers}
        self._slices = [s for s in slices if len(s.position or ()) == 3]
        self._normal = np.array(grid.direction[0], float)
        points = np.array([s.position for s in self._slices], float).reshape(-1, 3)
        self._along_mm = points @ self._normal
        self._thin_mm = grid.thickness_mm

    def of(self, position: np.ndarray) -> list[Dataset]:
        """Items of SourceImageSequence for a slice at this position [3], LPS mm."""
        apart_mm = np.abs(self._along_mm - position @ self._normal)
        near = np.flatnonzero(apart_mm < self._reach_mm(apart_mm) + 1e-3)
        frames: dict[str, list[int]] = {}
        for index in near.tolist():
            image = self._slices[index]
            numbers = frames.setdefault(image.uid, [])
            if image.frame is not None:
                numbers.append(image.frame + 1)
        return [
            reference_to(self._headers[uid], numbers)
            for uid, numbers in frames.items()
            if uid in self._headers
        ]

    def _reach_mm(self, apart_mm: np.ndarray) -> np.ndarray:
        """How far each source slice reaches: into the derived one, or at least to the next."""
        nearest_mm = np.sort(apart_mm)[:2].max(initial=0.0)
        thick_mm = np.array([s.thickness_mm or 0.0 for s in self._slices])
        return np.maximum((thick_mm + self._thin_mm) / 2, nearest_mm)
