"""Scored region of a case under protocol v1: its unit, slices and body."""

from dataclasses import dataclass

import numpy as np

from thinslice.errors import UnusableCaseError
from thinslice.interfaces import ScoringInput
from thinslice.metrics.body_mask import AIR_HU, body_mask
from thinslice.metrics.errors import LUNG, SOFT, UNIT, WIDE
from thinslice.metrics.scored_slices import inner_slices, observed, phases
from thinslice.protocols._comparable import body as body_of
from thinslice.protocols._comparable import check, measured
from thinslice.volume import Window, window_of


@dataclass(frozen=True)
class Units:
    """What differs between modalities: the unit's name, and the named ranges in it."""

    unit: str
    suffix: str  # of metric names
    psnr: dict[str, Window]
    ssim: dict[str, Window]
    air: float  # the body is above this


CT = Units(
    unit="HU",
    suffix="hu",
    psnr={"scan": WIDE, "lung": LUNG, "soft": SOFT},
    ssim={"lung": LUNG, "soft": SOFT},
    air=AIR_HU,
)
MR = Units(
    unit="a.u.",
    suffix="au",
    psnr={"unit": UNIT},
    ssim={"unit": UNIT},
    air=0.1,
)


@dataclass(frozen=True)
class ScoredRegion:
    """One case in its unit. Arrays are [Z, Y, X] on the inner slices unless stated otherwise."""

    units: Units
    restored: np.ndarray
    thin: np.ndarray
    scored: np.ndarray  # body without padding, on slices the method was not shown
    phase: np.ndarray  # [Z] thin increments to the nearest thick slice
    inner: slice  # of all thin slices: those between the dropped ends
    body: np.ndarray  # all thin slices; without padding
    all_restored: np.ndarray  # all thin slices
    all_thin: np.ndarray  # all thin slices
    thick: np.ndarray  # [n_thick, Y, X], or coarser pixels
    measured: np.ndarray | None  # all thin slices: no padding; None: nowhere


def scored_region(case: ScoringInput) -> ScoredRegion:
    """The region of a case; ValueError, with the numbers, where nothing can be scored."""
    check(case)
    units = CT if case.thin.modality == "CT" else MR
    restored, thin, thick = in_units(case)
    grids = (case.thin.grid, case.thick.grid)
    inner, shown = inner_slices(*grids), observed(*grids)
    known = measured(case)
    padded = None if known is None else ~known
    if units is CT and padded is None:
        body = body_of(case)
    else:
        body = body_mask(thin, case.thin.grid.pixel_mm, units.air, padded)
    scored = body[inner] & ~shown[inner, None, None]
    if not scored.any():
        raise UnusableCaseError(
            f"no voxel to score: {np.count_nonzero(body)} body voxels (above {units.air:g} "
            f"{units.unit}) in {len(body)} thin slices, of which {inner.start} to {inner.stop - 1} "
            f"are kept and {np.count_nonzero(shown[inner])} of those were shown to the method"
        )
    phase = phases(*grids)[inner]
    whole = (restored, thin, thick, known)
    return ScoredRegion(units, restored[inner], thin[inner], scored, phase, inner, body, *whole)


def in_units(case: ScoringInput) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Restored, thin and thick voxels: HU as they are; MR with thick's percentiles at 0 and 1."""
    restored, thin, thick = (v.voxels for v in (case.restored, case.thin, case.thick))
    if case.thin.modality == "CT":
        return restored, thin, thick
    window = window_of(case.thick)
    low, span = np.float32(window.low), np.float32(window.high - window.low)
    return (restored - low) / span, (thin - low) / span, (thick - low) / span
