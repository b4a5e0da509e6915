"""The series that take care to read: 12 or 16 bits, changed image by image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from support import dicom_maker as maker

HU = maker.scan_hu(3, 40, 48) % 3000 - 1000
PLACES = maker.positions_of(3, 5.0)


def words(data):
    return np.frombuffer(data.PixelData, "<i2").astype(np.int64)


def put(data, values, kind="<u2"):
    data.PixelData = values.astype(kind).tobytes()


def unsigned(data, stored=12, high=None):
    data.BitsStored, data.HighBit, data.PixelRepresentation = stored, stored - 1, 0
    data.HighBit = high or stored - 1


def series_with(change) -> Callable:
    def make(folder, _) -> Path:
        return maker.series(folder / "s", HU, PLACES, change=lambda k, data: change(data))

    return make


def holds(expected) -> Callable:
    def right(path, found):
        np.testing.assert_array_equal(found.volume.voxels, expected)

    return right


def name_of(change: Callable) -> str:
    """Its name in a table."""
    return change.__name__.replace("_", " ")
