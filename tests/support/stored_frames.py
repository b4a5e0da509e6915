"""Enhanced multi-frame DICOM: one object, a place and a rescale for each frame."""

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from support import dicom_maker as maker
from support.reading_law import Case
from support.stored_series import HU, PLACES, holds


def enhanced(change: Callable[[int, Dataset], object] = lambda k, group: None) -> Callable:
    """One multi-frame object; ``change`` alters the functional groups of each frame."""

    def make(folder, _):
        data = maker.enhanced(folder / "e.dcm", HU, PLACES)
        for k, group in enumerate(data.PerFrameFunctionalGroupsSequence):
            change(k, group)
        data.save_as(folder / "e.dcm", enforce_file_format=True)
        return folder / "e.dcm"

    return make


def rescaled(k, group):
    inner = Dataset()
    inner.RescaleSlope, inner.RescaleIntercept, inner.RescaleType = 1 + k, -1024 * (1 + k), "HU"
    group.PixelValueTransformationSequence = [inner]


def two_stacks(folder, _):
    """Frames of two temporal positions, at the same places."""
    places = [*PLACES, *PLACES]
    data = maker.enhanced(folder / "e.dcm", np.concatenate([HU, HU + 1]), places)
    for k, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        inner = Dataset()
        inner.TemporalPositionIndex = 1 + k // len(PLACES)
        group.FrameContentSequence = [inner]
    data.save_as(folder / "e.dcm", enforce_file_format=True)
    return folder / "e.dcm"


CASES = {
    "one enhanced object": Case(enhanced(), right=holds(HU)),
    "frames with a rescale each": Case(
        enhanced(rescaled), right=holds(HU * np.array([1, 2, 3])[:, None, None])
    ),
    "two stacks in one object": Case(two_stacks, "told apart by TemporalPositionIndex"),
    "the second stack in one object": Case(two_stacks, right=holds(HU + 1), say={"acquisition": 2}),
}
