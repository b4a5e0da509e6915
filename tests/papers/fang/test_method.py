"""Three views begin as one interpolation, look at thick slices alone, and teach each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, thickened, waves
from thinslice.errors import Refused
from thinslice.families.cross_view import around, mutual, rounds_for
from thinslice.interfaces import Pair, Run
from thinslice.methods import fang
from thinslice.nets.fang import NEIGHBOURS, ThreeViews, interleaved, midpoints, nearest
from thinslice.operators.interpolation import resample_z, resample_z_array
from thinslice.volume import Volume

RUN = Run(device="cpu", progress=False)
THICK = thickened(waves(0))
HALVES = THICK.grid.with_slices(
    n=2 * THICK.grid.n - 1,
    increment_mm=THICK.grid.increment_mm / 2,
    thickness_mm=1.0,
    start_mm=THICK.grid.start_mm,
)


def test_parameters():
    assert fang.build().parameters() == 1_778_499


@pytest.mark.parametrize("n", [2, 3, 9])
def test_all_three_begin_as_the_interpolation_that_restoring_has(n):
    x = torch.rand(2, 1, n, 6, 5)
    at = np.arange(n, dtype=float)
    with torch.inference_mode():
        views = ThreeViews(1, 4).views(x)
    for i, block in enumerate(x[:, 0].numpy()):
        expected = resample_z_array(block, at, (at[1:] + at[:-1]) / 2, "lanczos3")
        for view in views:
            np.testing.assert_allclose(view[i, 0], expected, atol=1e-5)


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


def test_a_view_learns_what_the_two_others_answer():
    """Where nothing that is there can teach (weight of what is seen aside), the views approach."""
    torch.manual_seed(0)
    net, x = ThreeViews(1, 4), torch.rand(1, 1, 9, 8, 8)
    for view in (net.axial, net.coronal, net.sagittal):
        torch.nn.init.normal_(view.tail.weight, std=0.3)
    batch = (x[:, :, ::2], x[:, :, 1::2])
    loss, plain = (mutual(net, 0, weight, "mse") for weight in (1.0, 0.0))
    apart = loss(net, batch) - plain(net, batch)
    apart.backward()
    with torch.no_grad():
        for p in net.parameters():
            assert p.grad is not None
            p -= 0.02 * p.grad
        assert loss(net, batch) - plain(net, batch) < apart


def test_further_rounds_learn_between_the_slices_made_before():
    net, x = ThreeViews(1, 4), torch.rand(1, 1, 9, 8, 8)
    shown: list[torch.Tensor] = []
    views = net.views
    net.views = lambda block: (shown.append(block), views(block))[1]  # type: ignore[method-assign]
    teacher = ThreeViews(1, 4)
    mutual(teacher, 1, 1.0, "l1")(net, (x[:, :, ::2], x[:, :, 1::2]))
    expected = interleaved(x, midpoints(x))[:, :, 4:13]
    torch.testing.assert_close(shown[1], expected)


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
