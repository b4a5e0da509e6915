"""Check that a case can be scored voxel by voxel; nothing is resampled to make it so."""

import sys
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.body_mask import body_mask
from thinslice.volume import SAME_PLACE_MM

T = TypeVar("T")


def check(case: ScoringInput) -> None:
    """Refuse volumes that cannot be compared voxel by voxel."""
    _once(case, "comparable", lambda: _check(case))


def _once(case: ScoringInput, name: str, compute: Callable[[], T]) -> T:
    """What several protocols ask of one case: computed by the first of them."""
    if name not in case.known:
        case.known[name] = compute()
    return case.known[name]


def _check(case: ScoringInput) -> None:
    restored, thin, thick = case.restored, case.thin, case.thick
    modalities = {v.modality for v in (restored, thin, thick)}
    if len(modalities) > 1:
        raise ValueError(f"restored, thin and thick must be of one modality, found {modalities}")
    if not restored.grid.same_place(thin.grid):
        a, b = restored.grid, thin.grid
        raise ValueError(
            f"restored and thin voxels do not coincide within {SAME_PLACE_MM} mm: {a.zyx} and "
            f"{b.zyx} voxels, increment {a.increment_mm:g} and {b.increment_mm:g} mm, first slice "
            f"at {a.start_mm:g} and {b.start_mm:g} mm, pixels {a.pixel_mm} and {b.pixel_mm} mm, "
            f"origin {a.origin_mm} and {b.origin_mm} mm, axes {a.direction} and {b.direction}; "
            "restore on the thin grid: nothing is resampled here"
        )
    for name, volume in (("restored", restored), ("thin", thin), ("thick", thick)):
        finite = sum(int(np.count_nonzero(np.isfinite(plane))) for plane in volume.voxels)
        broken = volume.voxels.size - finite
        if broken:
            raise ValueError(f"{broken} {name} voxels are not finite numbers")


def measured(case: ScoringInput) -> np.ndarray | None:
    """Boolean [Z, Y, X], true where both restored and thin are measurements; None: everywhere."""
    return _once(case, "measured", lambda: _measured(case))


def body(case: ScoringInput) -> np.ndarray:
    """Boolean [Z, Y, X]: the body of a thin scan in HU, without its own padding."""
    thin = case.thin
    return _once(
        case, "body", lambda: body_mask(thin.voxels, thin.grid.pixel_mm, padded=thin.padded())
    )


def _measured(case: ScoringInput) -> np.ndarray | None:
    masks = [mask for v in (case.restored, case.thin) if (mask := v.padded()) is not None]
    return ~np.logical_or.reduce(masks) if masks else None


def passed_over(protocol: str, wanted: str, case: ScoringInput) -> list[Score]:
    """Return no scores, and print what the protocol scores and what the case is to stderr."""
    thin = case.thin
    rows, columns = thin.grid.shape
    description = f"{thin.modality} of {thin.grid.n} slices of {rows} x {columns} pixels"
    print(f"protocol {protocol} scores {wanted}, not {description}", file=sys.stderr)
    return []
