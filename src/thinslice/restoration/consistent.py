"""Bring a restored scan closer to its thick slices, through the profile that explains them best.

See ``operators.consistency`` for the step, and ``agreement`` for how the profile is measured. With
a profile that is not the scanner's the step would write its error into the answer: so the profile
is measured on the method's own answer and the thick slices, and the step is damped.
"""

from typing import Any, NamedTuple

import numpy as np

from thinslice.operators import consistency
from thinslice.operators.thickening import SliceProfile, covered, matrix_of
from thinslice.restoration import value_range
from thinslice.restoration.agreement import COVERED, Agreement
from thinslice.volume import Volume


class Step(NamedTuple):
    """What was done; differences in the scan's unit, root mean squares inside the patient."""

    profile: SliceProfile
    damping: float
    rmse_before: float | None
    bounds: tuple[float, float]
    cut: int  # voxels that were cut to the bounds

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and words; a bound that is none is null."""
        return {
            "profile": str(self.profile),
            "damping": self.damping,
            "rmse_before": self.rmse_before,
            "bounds": [bound if np.isfinite(bound) else None for bound in self.bounds],
            "cut": self.cut,
        }


def made_consistent(restored: Volume, thick: Volume, before: Agreement) -> tuple[Volume, Step]:
    """The restored scan after one step, which may reuse its memory, and what was done.

    before    of the two scans, with the profile to use
    """
    if before.profile is None:
        raise ValueError("the step needs a slice profile")
    low, high = value_range.bounds(thick)
    rows = covered(before.profile, restored.grid, thick.grid) >= COVERED
    voxels = restored.voxels
    reusable = voxels.flags.writeable and not np.may_share_memory(voxels, thick.voxels)
    new = consistency.step(
        voxels,
        thick.voxels,
        matrix_of(before.profile, restored.grid, thick.grid, rows),
        padded_restored=restored.padded(),
        padded_thick=thick.padded(),
        out=voxels if reusable else None,
    )
    cut = int(np.count_nonzero((new < low) | (new > high)))
    if cut:
        np.clip(new, low, high, out=new)
    done = Step(before.profile, consistency.DAMPING, before.rmse, (low, high), cut)
    return restored.with_voxels(new), done
