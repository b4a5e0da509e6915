"""DICOM series in all planes of scanners, aligned with the patient or oblique."""

import numpy as np

from support import dicom_maker as maker
from support.nifti_maker import TURNS
from thinslice.io.dicom.read import read_dicom

PLACES_MM = 0.01  # how far a fiducial may move
SLICES = [(5, 5), (5, 2.5), (3, 2), (2.5, 1.25), (6.7, 5)]  # thickness, increment
# Image planes as scanners give them: rows, columns; slices on or against the normal.
ORIENTATIONS = {
    f"{name}{'+' if onward > 0 else '-'}": (rows, columns, onward)
    for name, rows, columns in (
        ("supine", (1, 0, 0), (0, 1, 0)),
        ("prone", (-1, 0, 0), (0, -1, 0)),
        ("sagittal", (0, 1, 0), (0, 0, -1)),
        ("coronal", (1, 0, 0), (0, 0, -1)),
    )
    for onward in (1, -1)
}


def source(folder, orientation, turn, slices, start_mm=0.0):
    """Write a DICOM series of whole, distinct HU, and read it."""
    rows, columns, onward = ORIENTATIONS[orientation]
    plane = tuple(tuple(TURNS[turn] @ np.array(axis, float)) for axis in (rows, columns))
    thickness_mm, increment_mm = slices
    hu = maker.scan_hu(6, 5, 7)
    start = np.array((-120.5, -80.25, 300.0)) + start_mm * np.cross(*plane)
    positions = maker.positions_of(len(hu), onward * increment_mm, plane, start)
    return read_dicom(maker.series(folder, hu, positions, plane=plane, thickness_mm=thickness_mm))
