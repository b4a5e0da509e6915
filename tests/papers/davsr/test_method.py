"""DA-VSR learns from the scan that is restored, and only for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from support.wave_pairs import pairs, thickened, waves
from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.methods import davsr
from thinslice.nets.davsr import TwoHeads
from thinslice.nets.saint import Dense, distances_mm
from thinslice.operators.interpolation import resample_z
from thinslice.training.samplers.coarse_rows import CoarseRows, CoarseScan
from thinslice.volume import Volume, Window

RUN = Run(device="cpu", progress=False)
SETTINGS = {**davsr.TINY, "fuse": False, "adapt_steps": 12, "adapt_lr": 5e-4}
THICK, THIN = thickened(waves(0)), waves(0).grid


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Of a network that is fitted, so that its heads are not at zero."""
    folder = tmp_path_factory.mktemp("davsr")
    method = davsr.build(**{**SETTINGS, "steps": 20, "lr": 3e-3})
    method.fit(pairs(1, 2), [], work=folder / "work", run=RUN)
    method.save(folder / "weights", {})
    return folder / "weights"


def loaded(weights: Path, **settings) -> davsr.Davsr:
    method = davsr.build(**{**SETTINGS, **settings})
    method.load(weights)
    return method


def state(net: nn.Module) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in net.state_dict().items()}


def test_parameters():
    """SAINT's, and a head of the same kind once more."""
    assert davsr.build().parameters() == 3_158_817 + 129_600


def test_untrained_and_not_adapted_it_is_linear_interpolation():
    halves = replace(THIN, n=25, increment_mm=1.25, start_mm=THICK.grid.start_mm + 0.4)
    restored = davsr.build(**{**SETTINGS, "adapt_steps": 0}).restore(THICK, halves, run=RUN)
    linear = resample_z(THICK, halves, "linear").voxels
    np.testing.assert_allclose(restored.voxels, linear, atol=0.05)


def test_what_is_learned_of_a_scan_changes_no_weights_and_repeats(weights):
    method, plain = loaded(weights), loaded(weights, adapt_steps=0)
    before = state(method._fitted())
    first = method.restore(THICK, THIN, run=RUN).voxels
    assert state(method._fitted()) == before
    assert not np.array_equal(first, plain.restore(THICK, THIN, run=RUN).voxels)
    method.restore(thickened(waves(5)), THIN, run=RUN)  # leaves nothing behind
    np.testing.assert_array_equal(method.restore(THICK, THIN, run=RUN).voxels, first)


def test_the_features_learn_and_no_head(weights):
    method = loaded(weights)
    fitted = method._fitted().views
    assert isinstance(fitted, TwoHeads)
    adapted = method._adapted(fitted, THICK, THIN, RUN)
    learned = {name for name, value in state(adapted).items() if value != state(fitted)[name]}
    assert learned
    assert all(name.startswith("trunk.") for name in learned)


def test_what_makes_the_scan_s_own_slices_worse_is_not_kept(weights):
    method = loaded(weights, adapt_lr=10.0)
    views = method._fitted().views
    assert isinstance(views, nn.Module)
    assert method._adapted(views, THICK, THIN, RUN) is views


def test_a_killed_restoration_learns_no_step_twice(weights, tmp_path, monkeypatch):
    run = replace(RUN, work=tmp_path)
    first = loaded(weights).restore(THICK, THIN, run=run).voxels
    assert (tmp_path / "curve.csv").is_file()
    monkeypatch.setattr(CoarseRows, "_patch", _drawn_before(CoarseRows._patch))
    again = loaded(weights).restore(THICK, THIN, run=run).voxels
    np.testing.assert_array_equal(again, first)


def test_no_step_learns_from_the_patches_that_it_is_compared_on(weights, monkeypatch):
    drawn, call = [], CoarseRows.__call__
    monkeypatch.setattr(
        CoarseRows,
        "__call__",
        lambda self, rng: (drawn.append(str(rng.bit_generator.state)), call(self, rng))[1],
    )
    loaded(weights, adapt_compared=3).restore(THICK, THIN, run=RUN)
    assert len(drawn) == 12 + 3
    assert len(set(drawn)) == len(drawn)


def _drawn_before(patch):
    """Patches that the outcome is compared on, and none to learn from."""
    allowed = iter(range(SETTINGS["adapt_compared"] * SETTINGS["adapt_batch"]))

    def limited(*given):
        next(allowed)
        return patch(*given)

    return limited


def test_the_axial_slices_count_in_training(weights, tmp_path):
    other = davsr.build(**{**SETTINGS, "steps": 20, "lr": 3e-3, "in_plane_weight": 0.0})
    other.fit(pairs(1, 2), [], work=tmp_path, run=RUN)
    with_them, without = (method._fitted().state_dict() for method in (loaded(weights), other))
    head = "views.kernel_in_plane.4.bias"
    assert with_them[head].any()
    assert not without[head].any()


def test_axial_slices_smaller_than_an_increment_are_refused():
    small = replace(THICK.grid, shape=(4, 3))
    scan = Volume(THICK.voxels[:, :4, :3], small)
    with pytest.raises(Refused, match=r"smaller than the 2.5 mm between slices"):
        davsr.build(**SETTINGS).restore(scan, replace(THIN, shape=(4, 3)), run=RUN)


@pytest.mark.parametrize("axis", [0, 1])
def test_rows_between_coarse_ones_lie_where_the_network_is_told(axis):
    """On a ramp linear interpolation is exact, wherever thick and thin rows lie."""
    grid = replace(THICK.grid, shape=(40, 50), pixel_mm=(0.5, 0.6))
    ramp = np.arange(grid.shape[axis]) * grid.pixel_mm[axis]
    plane = ramp[:, None] if axis == 0 else ramp[None, :]
    scan = Volume(np.broadcast_to(plane, grid.zyx).astype(np.float32), grid)
    coarse = CoarseScan(scan, Window(-10.0, 40.0), np.array([0.3, 1.55]), 1.0)
    draw = CoarseRows([coarse], (3, 16), 4, 1, distances_mm)
    draw.axes = [[axis]]
    x_BCZW, distances, y_BKZW = draw(np.random.default_rng(0))
    assert x_BCZW.shape[1:] == (3, 3, 16)
    with torch.inference_mode():
        answer = TwoHeads(Dense(1, 1, 2, 2)).in_plane(x_BCZW, distances)
    np.testing.assert_allclose(answer[:, :, :-1], y_BKZW[:, :, :-1], atol=2e-3)
    assert float(x_BCZW.std()) > 0.01


def test_training_pairs_are_asked_for_their_own_thin_slices():
    (pair,) = pairs(3)
    coarse = CoarseScan.of(pair, (-1024.0, 2976.0))
    assert coarse.thickness_mm == pair.thin.grid.thickness_mm
    np.testing.assert_allclose(np.diff(coarse.offsets_mm), 2.5 / 3)
