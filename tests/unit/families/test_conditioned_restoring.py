"""A conditioned network restores the body alone, by any tiles and threads, and goes on learning."""

import numpy as np
import pytest
import torch

from support.conditioned import GRID, method, scan, wanted
from thinslice.families import conditioned
from thinslice.interfaces import Run
from thinslice.nets.conditioned_unet import ConditionedUNet, Conditions
from thinslice.nets.folded_unet import FoldedUNet
from thinslice.operators.body_extent import body_columns, extents
from thinslice.operators.interpolation import resample_z
from thinslice.volume import Volume

RUN = Run(device="cpu", threads=1, progress=False)
CLOSE_HU = 0.01  # rounding of float32, through a network


def restored(by, thick=None, run=RUN):
    return by.restore(thick or scan(), wanted(), run=run).voxels


def everywhere(thick):
    return np.ones(thick.grid.shape, bool)


def test_where_the_body_is_the_answer_is_that_of_whole_planes_and_elsewhere_interpolation(
    monkeypatch,
):
    thick, by = scan(), method()
    cropped = restored(by)
    body = body_columns(thick)
    boxes = [np.zeros(body.shape, bool) for _ in "yx"]
    for box, columns in zip((boxes[0], boxes[1].T), (extents(body), extents(body.T))):
        for row, part in zip(box, columns):
            row[part] = True
    monkeypatch.setattr(conditioned, "body_columns", everywhere)
    whole = restored(by)
    inside, outside = boxes[0] & boxes[1], ~(boxes[0] | boxes[1])
    start = resample_z(thick, wanted()).voxels
    assert np.abs(whole - start)[:, inside].max() > 20
    assert np.abs(whole - cropped)[:, inside].max() < CLOSE_HU
    np.testing.assert_array_equal(cropped[:, outside], start[:, outside])
    assert outside.mean() > 0.3
    assert (np.abs(whole - start)[:, outside] > 1).any()  # so there was something to leave out


def test_tiles_change_nothing(monkeypatch):
    by = method()
    whole = restored(by)
    reach = by._net().reach
    monkeypatch.setattr(conditioned, "TILE", -(-(2 * reach + 10) // 8) * 8)
    assert conditioned.TILE < wanted().n + 20
    np.testing.assert_allclose(restored(by), whole, atol=CLOSE_HU)


def test_threads_change_not_one_bit():
    by = method()
    two = Run(device="cpu", threads=2, progress=False)
    before = torch.get_num_threads()
    np.testing.assert_array_equal(restored(by, run=two), restored(by))
    torch.set_num_threads(before)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_folded_it_answers_the_same(levels):
    torch.manual_seed(levels)
    net = ConditionedUNet(channels=4, levels=levels, neighbours=1)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)
    conditions = Conditions(5, 4, 1, 1, 0.7, 12, bell=0.3)
    x = torch.rand(2, 6, 21, 30)
    with torch.inference_mode():
        expected = net(x, torch.tensor([conditions.numbers()]))
        exact, few = (
            FoldedUNet(net, conditions, kind)(x) for kind in (torch.float32, torch.bfloat16)
        )
    correction = (expected - x[:, 1:2]).abs().max()
    assert (exact - expected).abs().max() < 1e-5 * correction
    assert (few - expected).abs().max() < 0.05 * correction


def test_precision_is_a_setting_that_a_gpu_and_an_old_cpu_do_not_follow(monkeypatch):
    monkeypatch.setattr(conditioned, "cpu_has_bf16", lambda: True)
    by, exact = method(restore_precision="bf16"), method()
    assert by.precision_on(torch.device("cpu")) == "bf16"
    assert by.precision_on(torch.device("cuda")) == "fp32"
    assert exact.precision_on(torch.device("cpu")) == "fp32"
    few = restored(by)
    difference = np.abs(few - restored(exact))
    assert 0 < difference.max() < 30
    monkeypatch.setattr(conditioned, "cpu_has_bf16", lambda: False)
    np.testing.assert_array_equal(restored(by), restored(exact))
    with pytest.raises(ValueError, match="none of fp32, bf16"):
        method(restore_precision="tf32")


def test_refined_by_as_many_steps_from_the_same_weights_it_has_the_same_bits(tmp_path):
    answers = []
    for name, steps in (("a", 3), ("b", 3), ("c", 4)):
        by = method(side=16, batch=2)
        curve = by.refine(scan(), steps, work=tmp_path / name, run=RUN)
        assert len(curve.read_text().splitlines()) == steps + 1
        answers.append(restored(by))
    np.testing.assert_array_equal(answers[0], answers[1])
    assert np.abs(answers[0] - answers[2]).max() > 0.01
    assert np.abs(answers[0] - restored(method(side=16, batch=2))).max() > 0.01


def test_checkpoints_of_another_scan_or_of_other_weights_are_not_resumed_from(tmp_path):
    by = method(side=16, batch=2)
    by.refine(scan(), 3, work=tmp_path, run=RUN)
    other = Volume(scan().voxels + 5, GRID)
    again, fresh = (method(side=16, batch=2) for _ in "ab")
    again.refine(other, 3, work=tmp_path, run=RUN)
    fresh.refine(other, 3, work=tmp_path / "new", run=RUN)
    np.testing.assert_array_equal(restored(again), restored(fresh))


def test_a_scan_of_coarse_pixels_teaches_nothing_and_is_refused():
    coarse = GRID.__class__(9, 4.0, 4.0, (90, 110), (3.0, 3.0))
    with pytest.raises(ValueError, match="without refining"):
        method().refuse_unfit(scan(coarse))
    fine = GRID.__class__(9, 4.0, 4.0, (90, 110), (0.8, 0.8))
    method().refuse_unfit(scan(fine))
