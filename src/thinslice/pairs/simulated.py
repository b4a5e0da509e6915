"""Which simulation is right for a scanner: simulated thick slices against the acquired ones, in HU.

Thick slices are made from the thin ones of the same pair by three profiles: a box of the stated
thickness, which most papers train on, a Gaussian of that FWHM, and the pair's own taps, each thick
slice by the taps of its neighbours (``prediction``). What remains of the last is noise and kernel.
"""

from typing import NamedTuple

import numpy as np

from thinslice.operators import profiles, projection
from thinslice.pairs.geometry import usable
from thinslice.pairs.prediction import Block, Predicted, predict
from thinslice.volume import Grid, Volume

SIMULATIONS = ("box", "gaussian", "fitted")


class Simulated(NamedTuple):
    """One simulation of a pair's thick slices, where the thin columns vary along z."""

    simulation: str  # one of SIMULATIONS
    rmse_hu: float  # against the acquired slices
    bias_hu: float  # mean of simulated minus acquired
    fwhm_mm: float  # of its profile
    n: int  # voxels


def simulated(thin: Volume, thick: Volume) -> list[Simulated]:
    """Each simulation of the thick slices whose taps all lie on the thin scan; one frame.

    Raises ValueError where the scan varies too little, or is too short, to fit taps.
    """
    fitted = predict([Block(thin, thick)])
    if not fitted.varies.any():
        raise ValueError("no thin column varies along z")
    rows = [_row("fitted", fitted.predicted, fitted, fitted.taps.fwhm_mm)]
    slices = _only(thick.grid, usable(thin.grid, thick.grid))
    thickness_mm = thick.grid.thickness_mm
    for name, shape in (("gaussian", profiles.gaussian), ("box", profiles.box)):
        profile = shape(thickness_mm)
        weights = projection.profile_matrix(profile, thin.grid, slices)
        rows.append(_row(name, projection.apply(weights, thin), fitted, profile.fwhm_mm))
    return rows[::-1]


def _only(thick: Grid, slices: np.ndarray) -> Grid:
    """The grid of a run of thick slices."""
    first = int(slices[0])
    return thick.with_slices(
        n=len(slices),
        increment_mm=thick.increment_mm,
        thickness_mm=thick.thickness_mm,
        start_mm=float(thick.centres_mm()[first]),
    )


def _row(name: str, made: np.ndarray, fitted: Predicted, fwhm_mm: float) -> Simulated:
    error = (made - fitted.acquired)[fitted.varies].astype(float)
    rmse = float(np.sqrt(np.mean(np.square(error))))
    return Simulated(name, rmse, float(error.mean()), fwhm_mm, error.size)
