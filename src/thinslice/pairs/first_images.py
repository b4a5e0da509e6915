"""What a single image of each series says against a pair, before the others are downloaded.

Only what is the same in every image of a series counts; times and positions are not.
"""

from pathlib import Path

import numpy as np

from thinslice.errors import Refused
from thinslice.io.dicom.headers import Slice, slices_of
from thinslice.pairs import headers
from thinslice.pairs.certificate import Reason
from thinslice.pairs.geometry import SAME_AXES, SAME_PITCH
from thinslice.pairs.reconstructions import Reconstruction

LASTING = ("modality", "derived", "patient", "study", "frame", "scanner", "patient_position")


def reason_of_images(thin: Path, thick: Path) -> Reason | None:
    """The first reason against a pair by one image of each; None: there is none so far.

    A localizer in a series, or a file that cannot be read, says nothing of the others.
    """
    try:
        images = [image for path in (thin, thick) for image in slices_of(path)[:1]]
    except Refused:
        return None
    if [image.kind for image in images] != ["slice", "slice"]:
        return None
    pair = [Reconstruction(s.path.parent, "", None, (s,), None, None) for s in images]
    found = [r for r in headers.reasons(*pair) if r.code in LASTING]
    found += [r for r in (_orientation(*images), _pixels(*images)) if r is not None]
    return found[0] if found else None


def _orientation(thin: Slice, thick: Slice) -> Reason | None:
    if thin.orientation is None or thick.orientation is None:
        return None
    apart = np.abs(np.subtract(thin.orientation, thick.orientation)).max()
    return Reason("orientation", "planes of another direction") if apart > SAME_AXES else None


def _pixels(thin: Slice, thick: Slice) -> Reason | None:
    if thin.pixel_mm is None or thick.pixel_mm is None:
        return None
    pitch = np.abs(np.divide(thick.pixel_mm, thin.pixel_mm) - 1).max()
    if thin.shape == thick.shape and pitch <= SAME_PITCH:
        return None
    return Reason("field_of_view", f"{_words(thin)} (thin) and {_words(thick)} (thick)")


def _words(image: Slice) -> str:
    (rows, columns), (y, x) = image.shape, image.pixel_mm or (0.0, 0.0)
    return f"{rows} x {columns} pixels of {y:.5g} x {x:.5g} mm"
