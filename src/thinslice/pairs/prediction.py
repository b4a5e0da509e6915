"""Thick slices predicted from thin ones, each by taps fitted on other thick slices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thinslice.operators.profile_fit import ProfileFit, fit_taps, slices_between
from thinslice.pairs.geometry import half_width_mm, usable
from thinslice.volume import Grid, Volume

GROSS_HU = 50.0  # no real pair is that far off on average
VARIES_HU = 3.0  # range of a thin column around a thick slice, below which it shows nothing


class Block(NamedTuple):
    """A run of thick slices and the thin ones around them, on grids of one frame."""

    thin: Volume
    thick: Volume


class Predicted(NamedTuple):
    """Thick slices by the taps and as acquired; float32 and boolean [K, Y, X]."""

    taps: ProfileFit
    predicted: np.ndarray
    acquired: np.ndarray
    valid: np.ndarray  # no padding in a tap
    varies: np.ndarray  # and thin columns that vary


def predict(blocks: Sequence[Block]) -> Predicted:
    """Every other thick slice by the taps of those between, all blocks together.

    Raises ValueError where no block varies enough to fit taps.
    """
    folds = [_fitted(blocks, first) for first in (0, 1)]
    spacing_mm = folds[0].spacing_mm
    taps = ProfileFit((folds[0].weights + folds[1].weights) / 2, spacing_mm)
    parts = [_predicted(block, folds) for block in blocks]
    return Predicted(taps, *(np.concatenate(part) for part in zip(*parts)))


def _fitted(blocks: Sequence[Block], first: int) -> ProfileFit:
    """Mean taps of every other thick slice, over the blocks that vary."""
    fits, wrong = [], ValueError("no block of slices")
    for thin, thick in blocks:
        if thick.grid.n - first < 1:
            continue
        reach_mm = half_width_mm(thin.grid, thick.grid)
        try:
            level = _without_offset(thin, thick)
            fits.append(fit_taps(thin, _every_other(level, first), half_width_mm=reach_mm))
        except ValueError as error:
            wrong = error
    if not fits:
        raise wrong
    return ProfileFit(np.mean([fit.weights for fit in fits], axis=0), fits[0].spacing_mm)


def _without_offset(thin: Volume, thick: Volume) -> Volume:
    """The thick slices less a gross offset in HU, which taps that sum to one cannot follow."""
    k = usable(thin.grid, thick.grid)
    if not k.size:
        return thick
    at = (thick.grid.centres_mm()[k] - thin.grid.start_mm) / thin.grid.increment_mm
    offset_hu = float((thick.voxels[k] - thin.voxels[at.round().astype(int)]).mean())
    return thick if abs(offset_hu) < GROSS_HU else thick.with_voxels(thick.voxels - offset_hu)


def _every_other(thick: Volume, first: int) -> Volume:
    """Slices first, first + 2, ... of a scan, on their grid."""
    grid = thick.grid
    voxels = thick.voxels[first::2]
    chosen = grid.with_slices(
        n=len(voxels),
        increment_mm=2 * grid.increment_mm,
        thickness_mm=grid.thickness_mm,
        start_mm=grid.start_mm + first * grid.increment_mm,
    )
    return Volume(voxels, chosen, thick.modality)


def _predicted(block: Block, folds: Sequence[ProfileFit]) -> tuple[np.ndarray, ...]:
    thin, thick = block
    rows = []
    for k in usable(thin.grid, thick.grid):
        weights = folds[1 - k % 2].weights
        at = _places(thin.grid, float(thick.grid.centres_mm()[k]), len(weights))
        around = slices_between(thin.voxels, at)
        acquired = thick.voxels[k]
        valid = ~_padded(block, at, int(k))
        varies = valid & (np.ptp(around, axis=0) > VARIES_HU)
        predicted = np.tensordot(weights, around, 1).astype(np.float32)
        rows.append((predicted, acquired, valid, varies))
    shape = (0, *thin.grid.shape)
    if not rows:
        return tuple(np.empty(shape, kind) for kind in (np.float32, np.float32, bool, bool))
    return tuple(np.stack(part) for part in zip(*rows))


def _places(thin: Grid, centre_mm: float, n: int) -> np.ndarray:
    """Where the taps around a thick slice's centre lie, in thin slices."""
    return (centre_mm - thin.start_mm) / thin.increment_mm + np.arange(n) - n // 2


def _padded(block: Block, at: np.ndarray, k: int) -> np.ndarray:
    """Pixels [Y, X] with padding in the thick slice or in a thin one around it."""
    out = np.zeros(block.thick.grid.shape, bool)
    if (thick := block.thick.padded(slice(k, k + 1))) is not None:
        out |= thick[0]
    low, high = int(np.floor(at[0] + 1e-6)), int(np.ceil(at[-1] - 1e-6))
    if (thin := block.thin.padded(slice(max(low, 0), high + 1))) is not None:
        out |= thin.any(axis=0)
    return out
