"""Fitting two-stage methods: only what pairs need, refusals, and the same bits when killed."""

import math
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from support.paths import importing
from support.two_stage_scene import (
    BOTH,
    BOX5,
    RUN,
    SHORT,
    THIN,
    TINY,
    long_fit,
    pair,
    with_interpolators,
)
from thinslice.degradations import imresize
from thinslice.interfaces import Pair
from thinslice.methods import georgescu, georgescu_released
from thinslice.operators.finer_grids import finer_pixels, finer_slices
from thinslice.training import loop
from thinslice.training.samplers.shrunk_patches import Blur, as_they_are
from thinslice.volume import Volume


@pytest.mark.parametrize("module", [georgescu, georgescu_released])
@pytest.mark.parametrize(
    ("degradation", "stages"),
    [(BOX5, ["through_plane"]), (imresize.build(through_plane=1, in_plane=2), ["in_plane"]),
     (BOTH, ["in_plane", "through_plane"])],
)  # fmt: skip
def test_only_the_networks_that_the_pairs_need_are_trained(module, degradation, stages, tmp_path):
    method = module.build(**SHORT)
    made = pair(degradation)
    curve = method.fit([made], [pair(degradation, 1)], work=tmp_path, run=RUN)
    rows = [line.split(",") for line in curve.read_text().splitlines()[1:]]
    assert list(dict.fromkeys(row[0] for row in rows)) == stages
    restored = method.restore(made.thick, THIN, run=RUN)
    assert restored.grid == THIN
    method.save(tmp_path / "weights", {})
    other = module.build(**SHORT)
    other.load(tmp_path / "weights")
    assert np.array_equal(other.restore(made.thick, THIN, run=RUN).voxels, restored.voxels)


def test_released_quarters_are_made_by_the_network_for_halves(tmp_path):
    made = pair(imresize.build(through_plane=1, in_plane=4))
    released, published = georgescu_released.build(**SHORT), georgescu.build(**SHORT)
    for method in (released, published):
        method.fit([made], [], work=tmp_path / method.recipe.method, run=RUN)
    assert (released.factors, published.factors) == ({"in_plane": 2}, {"in_plane": 4})
    assert released.restore(made.thick, THIN, run=RUN).grid == THIN


def test_factors_it_was_not_fitted_for_are_refused(tmp_path):
    method = georgescu.build(**SHORT)
    made = pair(BOX5)
    with pytest.raises(RuntimeError, match="fit or load"):
        method.restore(made.thick, THIN, run=RUN)
    method.fit([made], [], work=tmp_path, run=RUN)
    for grid in (finer_pixels(THIN, 2), finer_slices(THIN, 2), made.thick.grid):
        with pytest.raises(ValueError, match="pixels of"):
            method.restore(made.thick, grid, run=RUN)
    odd = replace(THIN, pixel_mm=(0.5, 0.9))
    with pytest.raises(ValueError, match="whole number"):
        method.restore(made.thick, odd, run=RUN)
    with pytest.raises(ValueError, match="one method per factor"):
        method.fit([made, pair(BOTH, 1)], [], work=tmp_path, run=RUN)
    with pytest.raises(ValueError, match="nothing can be learned"):
        method.fit([Pair("a", made.thin, made.thin)], [], work=tmp_path, run=RUN)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ensemble": "middle"}, "'middle' is none of median, mean, none"),
        ({"blur": "soft"}, "'soft' is none of random, fixed, none"),
        ({"blur_sigma": 0.0}, "must be positive"),
        ({"through_plane_steps": 0}, "start at 1"),
        ({"schedule": "steps"}, "'steps' is none of"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_learned(wrong, words):
    for module in (georgescu, georgescu_released):
        with pytest.raises(ValueError, match=words):
            module.build(**wrong)


@pytest.mark.parametrize(
    ("degradation", "stage", "patches"),
    [
        (BOTH, "in_plane", 40 * 2 * 2),  # planes of 28 x 24, patches of 10 x 10
        (BOTH, "through_plane", (28 * 4 * 4) + (24 * 4 * 5)),  # 10 x 5 on 40 x 24 and 40 x 28
        (BOX5, "through_plane", (28 * 1 * 4) + (24 * 1 * 5)),  # 5 x 5 on 8 thick slices
    ],
)
def test_an_epoch_is_as_long_as_the_data_set_is_large(degradation, stage, patches):
    """Not as long as that of the paper's hospital, whatever scans are learned from."""
    method = georgescu.build(**TINY)
    factor = method._shape_for([pair(degradation)])["factors"][stage]

    def steps(*pairs) -> int:
        blur = Blur("none")
        draw = method._patches(stage, factor, pairs, blur, as_they_are)
        assert len(draw) == patches * len(pairs)
        return method.recipe.settings.plan(stage, len(draw)).steps

    assert steps(pair(degradation)) == math.ceil(40 * patches / TINY["batch"])
    assert steps(pair(degradation), pair(degradation, 1)) == math.ceil(80 * patches / TINY["batch"])


@pytest.mark.parametrize("degradation", [BOX5, BOTH])
def test_validation_patients_are_looked_at_and_never_learned_from(degradation, tmp_path):
    rows = []
    for seed in (1, 2):
        work = tmp_path / str(seed)
        curve = georgescu.build(**SHORT).fit(
            [pair(degradation)], [pair(degradation, seed)], work=work, run=RUN
        )
        rows.append([line.split(",") for line in curve.read_text().splitlines()[1:]])
    for a, b in zip(*rows):
        assert a[:3] == b[:3]  # stage, step, loss
        assert (a[3] != b[3]) == bool(a[3])


@pytest.mark.parametrize("module", [georgescu, georgescu_released])
def test_mr_is_learned_and_restored_alike_in_whatever_unit_it_comes(module, tmp_path):
    made, restored = pair(BOTH), []
    for times, plus in ((1.0, 0.0), (8.0, 5000.0)):
        thick, thin = (
            Volume((v.read() * times + plus).astype(np.float32), v.grid, "MR")
            for v in (made.thick, made.thin)
        )
        method = module.build(**SHORT)
        method.fit([Pair("a", thick, thin)], [], work=tmp_path / f"{times}", run=RUN)
        restored.append((method.restore(thick, THIN, run=RUN).voxels - plus) / times)
    span = np.ptp(made.thick.read())
    assert np.abs(restored[0] - restored[1]).max() < 0.01 * span
    assert restored[0].std() > 0.02 * span


def test_a_fit_that_was_broken_off_leaves_the_method_as_it_was(tmp_path, monkeypatch):
    method, made, real = georgescu.build(**SHORT), pair(BOTH), loop.train

    def broken_off(net, *args, **kwargs):
        if net.scale == (2, 1):
            raise KeyboardInterrupt
        return real(net, *args, **kwargs)

    monkeypatch.setattr(loop, "train", broken_off)
    with pytest.raises(KeyboardInterrupt):
        method.fit([made], [], work=tmp_path, run=RUN)
    with pytest.raises(RuntimeError, match="fit or load"):
        method.restore(made.thick, THIN, run=RUN)


@pytest.mark.parametrize(
    ("made_by", "line"), [(BOX5, {"intermediate_loss": False}), (BOTH, {"blur": "none"})]
)
def test_the_intermediate_loss_and_the_blur_matter_unless_left_out(made_by, line, tmp_path):
    fitted = []
    for i, settings in enumerate(({}, line)):
        method = georgescu.build(**SHORT, **settings)
        method.fit([pair(made_by)], [], work=tmp_path / str(i), run=RUN)
        fitted.append(method.net["through_plane"].first[0].weight)
    assert not torch.equal(*fitted)


def test_a_few_steps_learn_waves_that_interpolation_flattens(tmp_path):
    settings = {**TINY, "channels": 12, "patch": 10, "batch": 16, "schedule": "cosine"}
    settings |= {"through_plane_lr": 5e-3, "validate_every": 75, "ensemble": "none"}
    method = georgescu.build(**settings, through_plane_steps=300)
    method.fit([pair(BOX5, i) for i in range(4)], [pair(BOX5, 9)], work=tmp_path, run=RUN)
    unseen = pair(BOX5, 5)
    inner = (slice(8, -8), slice(5, -5), slice(5, -5))

    def rmse(restored: Volume) -> float:
        return float(np.sqrt(np.mean((restored.voxels - unseen.thin.voxels)[inner] ** 2)))

    linear = with_interpolators(georgescu.build(ensemble="none"), through_plane=5)
    start = rmse(linear.restore(unseen.thick, THIN, run=RUN))
    assert rmse(method.restore(unseen.thick, THIN, run=RUN)) < 0.8 * start


KILLED = """
import sys
from pathlib import Path
from support.two_stage_scene import long_fit
long_fit(Path(sys.argv[1]))
"""


def test_killed_in_the_second_stage_it_ends_as_one_left_in_peace(tmp_path):
    job = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
        env=importing(),
        stderr=subprocess.DEVNULL,
    )
    try:
        second = tmp_path / "killed" / "through_plane" / "curve.csv"
        until = time.monotonic() + 120
        while not (second.exists() and second.read_text().count("\n") > 4):
            assert job.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        job.kill()
        job.wait()
    first = tmp_path / "killed" / "in_plane" / "checkpoint.pt"
    before = first.stat().st_mtime_ns
    resumed, whole = long_fit(tmp_path / "killed"), long_fit(tmp_path / "whole")
    assert first.stat().st_mtime_ns == before  # the first stage was not made again
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, resumed.net.state_dict()[name]), name
