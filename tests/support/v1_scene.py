"""A cylinder of noisy tissue, restored with a known error: what protocol v1 is asked in tests."""

import numpy as np
from scipy.sparse import csr_array

from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.protocols import v1
from thinslice.volume import Grid, Volume

GRID = Grid(n=40, increment_mm=1.0, thickness_mm=1.0, shape=(32, 34), pixel_mm=(2.0, 2.0))
AVERAGED = GRID.with_slices(n=8, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
SPARSE = GRID.with_slices(n=10, increment_mm=4.0, thickness_mm=1.0, start_mm=0.0)
MEANS = csr_array(np.kron(np.eye(8), np.full(5, 0.2)))
Y, X = np.mgrid[:32, :34]
BODY = np.hypot(Y - 15.5, X - 16.5) < 12


def thin_hu():
    """A cylinder of noisy tissue in air."""
    hu = np.where(BODY, 40.0, -1000.0) + np.random.default_rng(0).normal(0, 25, GRID.zyx)
    return hu.astype(np.float32)


def question(error=0.0, thick_grid=AVERAGED, matrix=MEANS, modality="CT", gain=1.0, offset=0.0):
    """Restored = thin + error; thick by averaging, or every 4th slice."""
    thin = thin_hu() * np.float32(gain) + np.float32(offset)
    if thick_grid is SPARSE:
        thick, matrix = thin[::4], None
    else:
        thick = (MEANS @ thin.reshape(40, -1)).reshape(8, 32, 34).astype(np.float32)
    restored = (thin + error).astype(np.float32)
    return ScoringInput(
        Volume(restored, GRID, modality),
        Volume(thin, GRID, modality),
        Volume(thick, thick_grid, modality),
        matrix,
    )


def scores(asked):
    return by_name(v1.build(threads=1).score(asked))
