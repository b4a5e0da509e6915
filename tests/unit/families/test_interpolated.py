"""Networks on an interpolated scan: windows and tiles leave no trace, HU beyond the window stay."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from support.tiny_methods import RUN, THIN, thick
from thinslice.families.interpolated import (
    INTERPOLATED_TINY,
    InterpolatedMethod,
    InterpolatedRecipe,
    InterpolatedSettings,
)
from thinslice.interfaces import About
from thinslice.operators.interpolation import resample

ABOUT = About("Blurred", "from-abstract", "", "A cube convolved with a kernel.", in_plane=True)
FINER = replace(THIN, shape=(24, 40), pixel_mm=(0.35, 0.45))


class Blurred(nn.Module):
    """x_B1ZYX convolved with a kernel of 3 or 1 voxels, twice."""

    def __init__(self, width: int):
        super().__init__()
        self.reach = width - 1
        self.layers = nn.ModuleList(
            nn.Conv3d(1, 1, width, padding=width // 2, bias=False) for _ in range(2)
        )
        with torch.no_grad():
            for kernel in self.parameters():
                kernel.copy_(torch.rand(kernel.shape))
                kernel /= kernel.sum()

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def method(width: int, **settings) -> InterpolatedMethod:
    s = InterpolatedSettings(**{**INTERPOLATED_TINY, **settings})
    return InterpolatedMethod(InterpolatedRecipe("blurred", ABOUT, s, lambda: Blurred(width)))


@pytest.mark.parametrize("grid", [THIN, FINER], ids=["same pixels", "finer pixels"])
def test_a_network_that_changes_nothing_leaves_the_interpolated_scan(grid):
    scan = thick()
    scan = scan.with_voxels(scan.voxels * 10)
    start = resample(scan, grid, "cubic").voxels
    assert start.max() > 3071
    restored = method(1).restore(scan, grid, run=RUN)
    assert restored.grid == grid
    np.testing.assert_allclose(restored.voxels, start, atol=1e-2)


@pytest.mark.parametrize(
    "sizes",
    [{}, {"halo": 0}, {"halo": 3}, pytest.param({"depth": 1, "tile": 1}, marks=pytest.mark.slow)],
)
def test_windows_and_tiles_change_nothing_whatever_their_sizes(sizes):
    grid = replace(FINER, shape=(40, 40))
    whole = method(3, depth=64, tile=64).restore(thick(), grid, run=RUN).voxels
    small = {"depth": 9, "tile": 16, "halo": 0, **sizes}
    tiled = method(3, **small).restore(thick(), grid, run=RUN).voxels
    np.testing.assert_allclose(tiled, whole, atol=1e-2)


def test_a_window_must_have_room_between_its_halos():
    with pytest.raises(ValueError, match="no slices between halos of 8"):
        InterpolatedSettings(depth=16, halo=8)
