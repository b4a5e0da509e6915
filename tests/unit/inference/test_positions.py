"""Networks of positions over scans: every position is answered, whatever the blocks and tiles."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool3d

from thinslice.inference import positions
from thinslice.inference.positions import BlockTiles
from thinslice.interfaces import Run
from thinslice.nets.along_z import linear_at

RUN = Run(device="cpu", progress=False)
TILES = BlockTiles(depth=4, step=2, tile=(9, 8), halo=1, blend=2)
AT = {
    "whole and broken": np.linspace(0, 9, 37),
    "beyond the ends": np.arange(-2.3, 12.4, 0.31),
    "one": np.array([4.77]),
    "coarser than the scan": np.array([0.2, 2.9, 8.1]),
    "far apart": np.array([0.0, 9.0]),
}


class Linear(nn.Module):
    """Linear interpolation; sums of three pixels where ``blurs``."""

    def __init__(self, blurs: bool = False):
        super().__init__()
        self.blurs, self.increments = blurs, set()

    def forward(self, x_B1ZYX, at_BN, step_B):
        self.increments |= set(step_B.tolist())
        y = linear_at(x_B1ZYX, at_BN)
        return y if not self.blurs else 3 * avg_pool3d(y, (1, 1, 3), 1, (0, 0, 1))


def scan(n: int = 10) -> np.ndarray:
    return np.random.default_rng(0).random((n, 12, 20)).astype(np.float32)


def expected(unit: np.ndarray, at: np.ndarray) -> np.ndarray:
    x = torch.from_numpy(unit)[None, None]
    return linear_at(x, torch.from_numpy(at)[None].float())[0, 0].numpy()


@pytest.mark.parametrize("named", AT)
@pytest.mark.parametrize(
    "tiles", [TILES, replace(TILES, step=3), replace(TILES, depth=30, step=29)]
)
def test_every_position_is_answered_from_the_slices_around_it(named, tiles):
    net = Linear()
    answer = positions.restore(net, scan(), AT[named], 0.2, tiles, run=RUN)
    np.testing.assert_allclose(answer, expected(scan(), AT[named]), atol=1e-5)
    assert net.increments == {np.float32(0.2)}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_scan_of_few_slices_is_continued(n):
    at = np.arange(-0.5, n, 0.25)
    answer = positions.restore(Linear(), scan(n), at, 0.2, TILES, run=RUN)
    np.testing.assert_allclose(answer, expected(scan(n), at), atol=1e-5)


def test_tiles_leave_no_seam_where_the_halo_covers_what_the_network_sees():
    at = np.linspace(0, 9, 20)
    tiled = positions.restore(Linear(blurs=True), scan(), at, 0.2, TILES, run=RUN)
    whole = replace(TILES, tile=(64, 64), batch=3)
    untiled = positions.restore(Linear(blurs=True), scan(), at, 0.2, whole, run=RUN)
    np.testing.assert_allclose(tiled, untiled, atol=1e-5)


def test_blocks_that_leave_gaps_are_refused():
    with pytest.raises(ValueError, match="blocks of 4 slices 4 apart leave gaps: set step"):
        replace(TILES, step=4)


def test_tiles_shrink_to_stay_under_the_memory_cap():
    capped = replace(RUN, max_memory_gib=1e-3)
    with pytest.raises(MemoryError, match="memory cap"):
        positions.restore(Linear(), scan(), AT["one"], 0.2, TILES, run=capped)
