"""Three views begin as one interpolation, learn from thick scans alone, and teach each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, thickened, waves
from thinslice.errors import Refused
from thinslice.families.cross_view import around, mutual, rounds_for
from thinslice.interfaces import Pair, Run
from thinslice.methods import fang
from thinslice.nets.fang import NEIGHBOURS, NextRound, Rounds, ThreeViews, nearest
from thinslice.operators.interpolation import resample_z, resample_z_array
from thinslice.training.batches import Batch
from thinslice.training.samplers.cross_views import CrossViews
from thinslice.training.samplers.thick_blocks import ThickBlocks
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
THICK = thickened(waves(0))
HALVES = THICK.grid.with_slices(
    n=2 * THICK.grid.n - 1,
    increment_mm=THICK.grid.increment_mm / 2,
    thickness_mm=1.0,
    start_mm=THICK.grid.start_mm,
)


def test_parameters():
    """Three rounds, of three networks each."""
    assert fang.build().parameters() == 3 * 1_778_499


@pytest.mark.parametrize("n", [2, 3, 9])
def test_all_three_begin_as_the_interpolation_that_restoring_has(n):
    x = torch.rand(2, 1, n, 6, 5)
    at = np.arange(n, dtype=float)
    with torch.inference_mode():
        views = ThreeViews(1, 4).views(x)
    for i, block in enumerate(x[:, 0].numpy()):
        expected = resample_z_array(block, at, (at[1:] + at[:-1]) / 2, "lanczos3")
        for view, step in zip(views, (1, 2, 2)):  # coronal and sagittal: with the slices there are
            np.testing.assert_allclose(view[i, 0, step - 1 :: step], expected, atol=1e-5)
        for view in views[1:]:
            np.testing.assert_allclose(view[i, 0, ::2], block, atol=1e-6)


def test_training_and_restoring_show_a_network_the_same_slices():
    x = torch.rand(1, 1, 7, 4, 5)
    for k, slices in enumerate(around(x[0, 0].numpy())):
        np.testing.assert_array_equal(slices, nearest(x, NEIGHBOURS)[0, 0, :, k])


def test_each_view_sees_along_z_and_only_its_own_plane():
    net, x = ThreeViews(1, 4), torch.rand(1, 1, 5, 9, 9)
    for view in (net.axial, net.coronal, net.sagittal):
        torch.nn.init.constant_(view.tail.weight, 0.1)
    changed = x.clone()
    changed[..., 4, 6] += 1.0  # a column along z
    with torch.inference_mode():
        pairs_of = zip(net.views(x), net.views(changed))
        axial, coronal, sagittal = ((a - b).abs().amax((0, 1, 2)) > 1e-6 for a, b in pairs_of)
    assert axial.any(0).sum() > 1
    assert axial.any(1).sum() > 1
    assert coronal.any(1).nonzero().flatten().tolist() == [4]
    assert sagittal.any(0).nonzero().flatten().tolist() == [6]


def test_untrained_it_puts_interpolated_slices_between_those_there_are():
    restored = fang.build(**fang.TINY).restore(THICK, HALVES, run=RUN).voxels
    np.testing.assert_allclose(restored, resample_z(THICK, HALVES, "lanczos3").voxels, atol=0.02)
    np.testing.assert_allclose(restored[::2], THICK.voxels, atol=0.02)


def test_thin_slices_are_never_looked_at(tmp_path):
    answers = []
    for name, change in (("a", 0.0), ("b", np.nan)):
        method = fang.build(**fang.TINY)
        changed = [
            Pair(p.case, p.thick, p.thin.with_voxels(p.thin.voxels + change))
            for p in pairs(1, 2)
            if isinstance(p.thin, Volume)
        ]
        method.fit(changed, changed[:1], work=tmp_path / name, run=RUN)
        answers.append(method.restore(THICK, HALVES, run=RUN).voxels)
    np.testing.assert_array_equal(*answers)
    assert not np.array_equal(
        answers[0], fang.build(**fang.TINY).restore(THICK, HALVES, run=RUN).voxels
    )


def batch_of(blocks: torch.Tensor) -> Batch:
    """Every second slice and those between; coarse rows of nothing, known to be nothing."""
    rows, fine = torch.zeros(1, 1, 3, 8), torch.zeros(1, 2 * 5 * 8)
    return blocks[:, :, ::2], blocks[:, :, 1::2], rows, rows, fine


def test_a_view_learns_what_the_two_others_answer():
    """Where nothing that is there can teach (weight of what is seen aside), the views approach."""
    torch.manual_seed(0)
    net, x = ThreeViews(1, 4), torch.rand(1, 1, 9, 8, 8)
    for view in (net.axial, net.coronal, net.sagittal):
        torch.nn.init.normal_(view.tail.weight, std=0.3)
    first, batch = NextRound(Rounds(), net), batch_of(x)
    loss, plain = (mutual(weight, "mse", True) for weight in (1.0, 0.0))
    apart = loss(first, batch) - plain(first, batch)
    apart.backward()
    with torch.no_grad():
        for p in net.parameters():
            assert p.grad is not None
            p -= 0.02 * p.grad
        assert loss(first, batch) - plain(first, batch) < apart


def test_further_rounds_learn_between_the_slices_made_before():
    net, before = ThreeViews(1, 4), ThreeViews(1, 4)
    torch.nn.init.normal_(before.coronal.tail.weight, std=0.3)
    x, shown = torch.rand(1, 1, 9, 8, 8), []
    views = net.views
    net.views = lambda block: (shown.append(block), views(block))[1]  # type: ignore[method-assign]
    second = NextRound(Rounds([before]), net)
    mutual(1.0, "l1", True)(second, (*batch_of(x)[:4], torch.zeros(1, 2 * 9 * 8))).backward()
    torch.testing.assert_close(shown[0], before(x)[:, :, 4:13])
    assert all(p.grad is None for p in before.parameters())


def test_rows_of_axial_slices_are_as_thick_and_as_far_apart_as_slices_are():
    """A slice that rises evenly along y: means of rows are its values at their centres."""
    y = np.arange(40, dtype=np.float32)[:, None] * np.ones((40, 30), np.float32)
    grid = Grid(7, 4.0, 4.0, (40, 30), (1.0, 1.0))
    thick = Volume(np.repeat(10 * y[None], 7, 0), grid)
    pair = Pair("case", thick, thick.with_voxels(thick.voxels, replace(grid, thickness_mm=1.0)))
    blocks = ThickBlocks([pair], 5, 30, 1, (0.0, 1000.0), flips=False)
    for halvings in (1, 2):
        draw = CrossViews([pair], blocks, (5, 30), 2, halvings, (0.0, 1000.0))
        _, _, coarse, other, fine = draw(np.random.default_rng(0))
        n = 2 * 2**halvings + 1  # without a gap at either end
        fine = fine[:, : n * 30].unflatten(1, (n, 30))
        torch.testing.assert_close(fine[:, :: 2**halvings], coarse[:, 0, 1:-1], atol=1e-5, rtol=0)
        steps = (fine[:, 1:] - fine[:, :-1]).abs()
        torch.testing.assert_close(steps, torch.full_like(steps, 0.04 / 2**halvings))
        assert other.std(2).max() < 1e-6  # along x nothing changes


def test_slices_as_thin_as_is_asked_for_stay():
    method = fang.build(**fang.TINY)
    rounds = method._fitted()
    assert isinstance(rounds, Rounds)
    for views in rounds:
        torch.nn.init.constant_(views.coronal.tail.bias, 0.1)
    for thickness_mm, stays in ((1.0, True), (6.0, False)):
        scan = replace(THICK, grid=replace(THICK.grid, thickness_mm=thickness_mm))
        restored = method.restore(scan, HALVES, run=RUN).voxels
        assert np.allclose(restored[::2], scan.voxels, atol=0.02) == stays
        assert not np.allclose(
            restored[1::2], resample_z(scan, HALVES, "lanczos3").voxels[1::2], atol=0.02
        )


def test_weights_remember_how_many_rounds_there_are(tmp_path):
    method = fang.build(**{**fang.TINY, "rounds": None})
    method.fit(pairs(1), [], work=tmp_path, run=RUN)  # slices every 2.5 mm, asked for every 1 mm
    method.save(tmp_path / "weights", {})
    other = fang.build(**{**fang.TINY, "rounds": None})
    other.load(tmp_path / "weights")
    rounds = other._fitted()
    assert isinstance(rounds, Rounds)
    assert len(rounds) == 2
    a, b = (m.restore(THICK, waves(0).grid, run=RUN).voxels for m in (method, other))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("increment_mm", "rounds"), [(2.5, 0), (2.4, 1), (1.25, 1), (1.0, 2), (0.5, 3), (9.0, 0)]
)
def test_rounds_until_slices_are_as_close_as_is_asked_for(increment_mm, rounds):
    assert rounds_for(THICK.grid, replace(HALVES, increment_mm=increment_mm)) == rounds
    assert rounds_for(replace(THICK.grid, n=1), HALVES) == 0


def test_scans_of_two_slices_are_refused_by_name(tmp_path):
    two = Volume(THICK.voxels[:2], replace(THICK.grid, n=2))
    with pytest.raises(Refused, match=r"case7: found 2 thick slices; expected at least 3"):
        fang.build(**fang.TINY).fit([Pair("case7", two, waves(0))], [], work=tmp_path, run=RUN)


def cut(y: int, x: int) -> Pair:
    """A pair whose thick slices have so few pixels."""
    return Pair(
        "case7", Volume(THICK.voxels[:, :y, :x], replace(THICK.grid, shape=(y, x))), waves(0)
    )


def test_slices_smaller_than_two_increments_are_refused(tmp_path):
    with pytest.raises(Refused, match=r"smaller than 2 times the 2.5 mm between slices"):
        fang.build(**fang.TINY).fit([cut(4, 4)], [], work=tmp_path, run=RUN)


def test_slices_narrow_along_one_axis_show_both_views_rows_along_the_other():
    pair = cut(4, 16)
    blocks = ThickBlocks([pair], 3, 4, 1, (0.0, 1000.0), flips=False)
    draw = CrossViews([pair], blocks, (4, 4), 2, 1, (0.0, 1000.0))
    along_y, along_x, _ = draw.in_plane(np.random.default_rng(0))
    assert along_y.shape == along_x.shape
    assert not torch.equal(along_y, along_x)
