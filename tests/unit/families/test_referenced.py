"""Planes corrected with axial slices in sight: what a network is shown, and what it answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from support.tiny_methods import RUN, THICK, THIN, pair, thick
from thinslice.families.base import settings_of
from thinslice.families.referenced import (
    REFERENCED_TINY,
    ReferencedMethod,
    ReferencedRecipe,
    ReferencedSettings,
)
from thinslice.interfaces import About
from thinslice.nets.referenced import ReferencedNet
from thinslice.operators.interpolation import resample_z
from thinslice.training.samplers.referenced_planes import Patch
from thinslice.volume import window_of

ABOUT = About("toy", "own", "", "Adds a share of what references hold.")


class Toy(ReferencedNet):
    """Adds a learned share of the references' mean, and of their coarse rows' mean."""

    align = 4

    def __init__(self):
        super().__init__()
        self.shares = nn.Parameter(torch.zeros(2))

    @property
    def reach(self) -> int:
        return 0

    def encode(self, reference_1CYX: Tensor) -> tuple[Tensor, ...]:
        assert all(n % self.align == 0 for n in reference_1CYX.shape[-2:])
        return (reference_1CYX.mean((0, 2, 3)),)

    def correction(self, x_B1ZW: Tensor, references: Sequence[tuple[Tensor, ...]]) -> Tensor:
        assert all(n % self.align == 0 for n in x_B1ZW.shape[-2:])
        means = torch.stack([mean for (mean,) in references]).mean(0)
        return (self.shares * means).sum().expand_as(x_B1ZW)


def method(**settings) -> ReferencedMethod:
    s = settings_of(ReferencedSettings, {**REFERENCED_TINY, **settings})
    return ReferencedMethod(ReferencedRecipe("toy", ABOUT, s, Toy))


def test_planes_are_corrected_by_what_the_scan_s_own_slices_hold():
    toy, scan = method(references=3, reference_side=None), thick()
    assert isinstance(toy.net, Toy)
    before = toy.restore(scan, THIN, run=RUN).voxels
    with torch.no_grad():
        toy.net.shares[0] = 0.5
    after = toy.restore(scan, THIN, run=RUN).voxels
    window = window_of(scan, (-1024.0, 3071.0))
    mean_of_three = window.to_unit(scan.voxels[[2, 4, 5]]).mean()
    expected = 0.5 * mean_of_three * (window.high - window.low)
    np.testing.assert_allclose(after - before, expected, atol=0.05)


def test_a_network_that_changes_nothing_keeps_hu_beyond_the_window():
    scan = thick()
    scan = scan.with_voxels(4 * scan.voxels, scan.grid)
    assert scan.voxels.min() < -1024
    restored = method(ct=[-500.0, 500.0]).restore(scan, THIN, run=RUN).voxels
    np.testing.assert_allclose(restored, resample_z(scan, THIN, "linear").voxels, atol=1e-3)


def test_a_network_is_shown_slices_as_they_are_and_with_thick_rows():
    seen = []

    class Watched(Toy):
        def encode(self, reference_1CYX: Tensor) -> tuple[Tensor, ...]:
            seen.append(reference_1CYX[0].numpy())
            return super().encode(reference_1CYX)

    toy = method(reference_side=12)
    toy.net = Watched()
    scan = thick(replace(THICK, shape=(12, 12)))
    toy.restore(scan, replace(THIN, shape=(12, 12)), run=RUN)
    assert len(seen) == 2
    for fine_YX, coarse_YX in seen:
        assert np.abs(np.diff(coarse_YX, axis=0)).max() < np.abs(np.diff(fine_YX, axis=0)).max() / 2
        assert not np.array_equal(fine_YX, coarse_YX)


def test_it_learns_with_references_drawn_as_the_recipe_says(tmp_path):
    drawn = []

    def watched(cube, pair, n, side, rng):
        drawn.append(n)
        return [Patch(0, cube.y, cube.x)] * n

    def filled(net):
        nn.init.ones_(net.shares)

    toy = method()
    toy.recipe = replace(toy.recipe, references=watched, prepare=filled)
    toy.fit([pair(0)], [pair(1)], work=tmp_path, run=RUN)
    assert set(drawn) == {2}
    assert isinstance(toy.net, Toy)
    assert not torch.equal(toy.net.shares, torch.ones(2))
    assert (toy.net.shares - 1).abs().max() < 0.1  # from where it was prepared


def test_settings_that_make_no_sense_are_refused():
    for settings, words in (({"references": 0}, "start at 1"), ({"loss": "psnr"}, "l1, mse")):
        with pytest.raises(ValueError, match=words):
            method(**settings)
    with pytest.raises(ValueError, match="at least one"):
        Toy()(torch.zeros(1, 1, 4, 4), [])


@torch.inference_mode()
def test_references_worked_out_once_serve_every_plane_alike():
    net = Toy()
    net.shares.fill_(0.3)
    references = [torch.rand(2, 5, 7), torch.rand(2, 6, 3)]
    x_B1ZW = torch.rand(3, 1, 6, 9)
    kept = net.with_references(references)
    torch.testing.assert_close(kept(x_B1ZW), net(x_B1ZW, references), rtol=0, atol=0)
    assert not kept.state_dict().keys() - {"net.shares"}
