"""Estimate how far to trust a restored scan without a thin truth to compare it with.

Two questions can be answered without one. Made thick again (``thickening``), does the restored scan
reproduce the slices of the scanner (bias and RMSE of every slice)? And does the scan resemble those
the method was fitted on (``fitted_on``)? Neither shows that a structure is real: a method may
invent detail between the slices and be consistent with all of them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from thinslice.interfaces import Scan
from thinslice.metrics.body_mask import AIR_HU, body_mask
from thinslice.operators import projection
from thinslice.operators.thickening import missing_mm, thickening_matrix
from thinslice.training import fitted_on
from thinslice.volume import Volume, window_of

ABOVE_NOISE = 2.0  # a slice whose RMSE exceeds the noise by this factor is flagged
LEAST_HU = 2.0  # rounding to integers, twice, leaves about this much
OUTSIDE = "unlike the scans the weights were fitted on"


class SliceCheck(NamedTuple):
    """One thick slice: the restored scan made thick again, minus the slice of the scanner."""

    index: int
    bias: float
    rmse: float
    flagged: bool


class Trust(NamedTuple):
    """The trust report; lengths in mm, the rest in the scan's unit."""

    slices: tuple[SliceCheck, ...]
    noise: float
    profile: str
    outside: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        rows = [check._asdict() for check in self.slices]
        flagged = [check.index for check in self.slices if check.flagged]
        return {
            "consistency": {
                "profile": self.profile,
                "noise": self.noise,
                "bias": float(np.mean([c.bias for c in self.slices])) if rows else None,
                "rmse": float(np.sqrt(np.mean([c.rmse**2 for c in self.slices]))) if rows else None,
                "flagged": flagged,
                "slices": rows,
            },
            "outside_of_what_was_learned": list(self.outside),
        }


def report(
    restored: Volume,
    thick: Volume,
    *,
    outside: Sequence[str] = (),
    again: tuple[np.ndarray, str] | None = None,
) -> Trust:
    """The trust report of one restored scan.

    again     the restored scan made thick again, [Z, Y, X] of ``thick``, and how in a sentence;
              None: by Gaussian profiles of the stated thickness
    outside   each way in which the scan differs from those the method was fitted on
              (``fitted_on.outside``)
    """
    noise = fitted_on.noise(thick)
    if again is None:
        matrix = thickening_matrix(restored.grid, thick.grid)
        again = projection.apply(matrix, restored), _assumed(restored, thick)
    again_ZYX, profile = again
    return Trust(tuple(_slices(again_ZYX, thick, noise)), noise, profile, tuple(outside))


def warnings(trust: Trust) -> list[str]:
    """What a user should read before looking at the restored scan, one sentence each."""
    sentences = [f"{OUTSIDE}: {words}" for words in trust.outside]
    flagged = [check.index + 1 for check in trust.slices if check.flagged]
    if flagged:
        sentences.append(
            f"made thick again, {len(flagged)} of {len(trust.slices)} slices differ from the "
            f"scanner's by more than {ABOVE_NOISE:g} times the noise ({_listed(flagged)})"
        )
    return sentences


def _assumed(restored: Volume, thick: Volume) -> str:
    """How the restored scan was made thick again, as a sentence."""
    added = missing_mm(restored.grid, thick.grid)
    thin_mm, thick_mm = restored.grid.thickness_mm, thick.grid.thickness_mm
    return (
        "slice profiles are Gaussian with the stated thickness as FWHM: restored "
        f"{thin_mm:g} mm, blurred by {added:.3g} mm to the scan's {thick_mm:g} mm; "
        "beyond the outermost restored slices the end slice is repeated"
    )


def _slices(again_ZYX: np.ndarray, thick: Volume, noise: float) -> list[SliceCheck]:
    body_ZYX = _body(thick)
    least = LEAST_HU if thick.modality == "CT" else 0.0
    checks = []
    for k, (again_YX, thick_YX, body_YX) in enumerate(zip(again_ZYX, thick.voxels, body_ZYX)):
        error = again_YX[body_YX].astype(float) - thick_YX[body_YX]
        if error.size:
            rmse = float(np.sqrt(np.mean(error**2)))
            above = rmse > max(ABOVE_NOISE * noise, least)
            checks.append(SliceCheck(k, float(error.mean()), rmse, above))
    return checks


def _body(thick: Scan) -> np.ndarray:
    voxels = thick.read()
    if thick.modality == "CT":
        return body_mask(voxels, thick.grid.pixel_mm, AIR_HU)
    window = window_of(Volume(voxels, thick.grid, thick.modality))
    return body_mask(window.to_unit(voxels), thick.grid.pixel_mm, 0.1)


def _listed(numbers: Sequence[int], most: int = 6) -> str:
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown if len(numbers) <= most else f"{shown}, ..."
