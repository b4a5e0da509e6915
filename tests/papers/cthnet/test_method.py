"""CTHNet as a method: windows, order and cut of the authors' loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from thinslice.inference.cubes import starts_in_order
from thinslice.interfaces import Run
from thinslice.methods import cthnet
from thinslice.operators.interpolation import resample_z
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
SMALL = {**cthnet.TINY, "depth": 8, "step": 6, "tile": 16}


def scan(n: int, side: int) -> Volume:
    grid = Grid(n, 5.0, 5.0, (side, side), (0.7, 0.7))
    return Volume(np.random.default_rng(0).uniform(-900, 1500, grid.zyx).astype(np.float32), grid)


def native(thick: Grid) -> Grid:
    """Native slices between the outermost thick ones."""
    n = 5 * (thick.n - 1) + 1
    return thick.with_slices(n=n, increment_mm=1.0, thickness_mm=1.0, start_mm=thick.start_mm)


def ready(**settings) -> cthnet.CTHNetMethod:
    """A small one whose untrained answers spread over the window and somewhat beyond."""
    method = cthnet.build(**{**SMALL, **settings})
    method.shape = {"factor": 5}
    net = method._seeded(method.shape)
    method.net = net.eval()
    with torch.no_grad():
        x = (torch.from_numpy(scan(8, 16).voxels)[None, None] + 1024) / 3072
        answer = net(x)
        net.head[2].weight /= 4 * answer.std()
        net.head[2].bias.zero_()
        net.head[2].bias += 0.5 - net(x).mean()
    return method


def test_windows_are_the_authors():
    assert starts_in_order(8, 8, 6) == [0]
    assert starts_in_order(14, 8, 6) == [0, 6]
    assert starts_in_order(39, 8, 6) == [0, 6, 12, 18, 24, 30, 31]


def test_restored_is_what_the_authors_loop_writes():
    """Thirty slices per window and tile, later ones overwrite, cut to [0, 1]."""
    method, thick = ready(), scan(17, 32)
    unit = (thick.voxels + 1024) / 3072
    written = np.zeros((5 * 16 + 1, 32, 32), np.float32)
    with torch.inference_mode():
        for z in (0, 6, 9):
            for y in (0, 16):
                for x in (0, 16):
                    window = unit[None, None, z : z + 8, y : y + 16, x : x + 16]
                    answer = method.net(torch.from_numpy(window))[0, 0].numpy()
                    written[5 * z + 3 : 5 * z + 33, y : y + 16, x : x + 16] = answer
    assert 0.001 < (written < 0).mean() < 0.2
    restored = method.restore(thick, native(thick.grid), run=RUN).voxels
    expected = written.clip(0, 1) * 3072 - 1024
    np.testing.assert_allclose(restored[3:-3], expected[3:-3], atol=0.02)
    assert np.isfinite(restored).all()


def test_one_that_corrects_is_linear_interpolation_untrained():
    """Between thick slices and past them, at pixels that are no whole fold."""
    thick = scan(9, 13)
    grid = native(thick.grid)
    grid = replace(grid, n=grid.n + 4, start_mm=grid.start_mm - 2)
    method = cthnet.build(**{**SMALL, "corrects": True})
    method.shape = {"factor": 5}
    method.net = method._seeded(method.shape)
    expected = resample_z(thick, grid, "linear").voxels
    np.testing.assert_allclose(method.restore(thick, grid, run=RUN).voxels, expected, atol=0.01)


@pytest.mark.parametrize("n", [1, 5, 8])
def test_the_ends_and_short_scans_are_predicted_too(n):
    thick = scan(n, 16)
    grid = native(thick.grid)
    grid = replace(grid, n=grid.n + 4, start_mm=grid.start_mm - 2)  # beyond either end
    restored = ready().restore(thick, grid, run=RUN)
    assert restored.voxels.shape == grid.zyx
    assert np.ptp(restored.voxels, axis=(1, 2)).min() > 0  # no slice was left empty


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="set factor"):
        cthnet.build(factor=None)
    with pytest.raises(ValueError, match="leave gaps"):
        cthnet.build(**{**SMALL, "step": 7})
    with pytest.raises(ValueError, match="multiple of 4"):
        cthnet.build(window=6, fold=8, tile=24)
