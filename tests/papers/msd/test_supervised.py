"""Supervised MS-D: each view has its own network, which learns from that view's planes alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, rmse
from thinslice.interfaces import Pair, Run
from thinslice.methods import msd_supervised
from thinslice.operators.interpolation import resample_z
from thinslice.training.samplers.planes import Planes
from thinslice.training.seeds import rng

RUN = Run(device="cpu", progress=False)
TINY = {"depth": 8, "dilations": 4, "steps": 120, "lr": 5e-3, "validate_every": 40}
SHORT = {"depth": 3, "dilations": 2, "steps": 4, "validate_every": 2, "validation_batches": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    method = msd_supervised.build(**TINY, validation_batches=4)
    work = tmp_path_factory.mktemp("work")
    return method, method.fit(pairs(0, 1, 2), pairs(3), work=work, run=RUN)


def fitted(work, data=None, **settings):
    method = msd_supervised.build(**SHORT, **settings)
    method.fit(data or pairs(0), [], work=work, run=RUN)
    return method


def test_it_beats_the_interpolation_it_starts_from_on_a_patient_it_never_saw(trained):
    [unseen] = pairs(4)
    restored = trained[0].restore(unseen.thick, unseen.thin.grid, run=RUN)
    start = resample_z(unseen.thick, unseen.thin.grid, "linear")
    assert rmse(restored, unseen.thin) < 0.7 * rmse(start, unseen.thin)


def test_the_curve_tells_both_trainings(trained):
    head, *rows = trained[1].read_text().splitlines()
    assert head.startswith("stage,step,loss,val")
    assert {row.split(",")[0] for row in rows} == {"coronal", "sagittal"}


def test_both_is_the_mean_of_the_two_views(tmp_path):
    [pair] = pairs(5)
    answers = {
        view: fitted(tmp_path / view, view=view).restore(pair.thick, pair.thin.grid, run=RUN)
        for view in ("coronal", "sagittal", "both")
    }
    # One seed, but the second network of "both" starts otherwise: only its first view is the same.
    method = fitted(tmp_path / "again", view="both")
    alone = msd_supervised.build(**SHORT, view="sagittal")
    alone.net["sagittal"] = method.net["sagittal"]
    other = alone.restore(pair.thick, pair.thin.grid, run=RUN)
    mean = (answers["coronal"].voxels + other.voxels) / 2
    np.testing.assert_allclose(answers["both"].voxels, mean, atol=1e-3)


def test_a_view_learns_from_its_own_planes_alone():
    """Along x the thin scan is flat, along y it is not: no sagittal plane is flat across."""
    [pair] = pairs(6)
    level = np.arange(14, dtype=np.float32)[None, :, None] * 50
    scan = pair.thin.with_voxels(np.broadcast_to(level, pair.thin.grid.zyx).copy())
    same = [Pair("a", scan, scan)]
    for view, flat in (("coronal", True), ("sagittal", False)):
        sample = Planes(same, None, 1, kind="linear", flips=False, views=[view])
        _, y_B1ZW = sample(rng(0))
        assert y_B1ZW.shape == (1, 1, 40, 16 if view == "coronal" else 14)
        assert len(sample) == (14 if view == "coronal" else 16)
        assert bool((y_B1ZW == y_B1ZW[..., :1]).all()) == flat


@pytest.mark.parametrize(("view", "axis"), [("coronal", 1), ("sagittal", 2)])
def test_restoring_a_plane_of_a_view_depends_on_that_plane_alone(view, axis, tmp_path):
    [pair] = pairs(5)
    method = fitted(tmp_path, view=view)
    moved = pair.thick.voxels.copy()
    np.moveaxis(moved, axis, 0)[6] += 300
    scans = pair.thick, pair.thick.with_voxels(moved)
    a, b = (method.restore(scan, pair.thin.grid, run=RUN).voxels for scan in scans)
    differs = np.moveaxis(a != b, axis, 0).any(axis=(1, 2))
    assert np.flatnonzero(differs).tolist() == [6]


def test_each_network_is_fitted_on_planes_of_its_own_view_alone(tmp_path, monkeypatch):
    method = msd_supervised.build(**SHORT)
    shown = {view: set() for view in method.net}
    real = method._build

    def watched(shape):
        nets = real(shape)
        for view, net in nets.items():
            net.register_forward_hook(lambda _, x, y, view=view: shown[view].add(tuple(y.shape)))
        return nets

    monkeypatch.setattr(method, "_build", watched)
    method.fit(pairs(0), pairs(1), work=tmp_path, run=RUN)
    assert shown == {"coronal": {(1, 1, 40, 16)}, "sagittal": {(1, 1, 40, 14)}}


def test_epochs_are_passes_over_the_planes_of_a_view():
    settings = msd_supervised.Settings(epochs=3, patch=(8, 8), batch=4)
    assert settings.plan(14).steps == 11
    assert replace(settings, steps=5).plan(14).steps == 5


def test_networks_see_zero_mean_and_unit_spread(tmp_path):
    method = fitted(tmp_path, view="coronal")
    sample = Planes(pairs(0), None, 1, kind="linear", flips=False, views=["coronal"])
    x = torch.cat([sample(rng(0, i))[0].flatten() for i in range(64)])
    net = method.net["coronal"]
    seen = x * net.scale_in + net.shift_in
    assert float(seen.mean()) == pytest.approx(0, abs=0.05)
    assert float(seen.std()) == pytest.approx(1, abs=0.05)


def test_killed_between_the_views_it_ends_with_the_same_bits(tmp_path):
    whole = fitted(tmp_path / "whole", view="both")
    (tmp_path / "cut").mkdir()
    (tmp_path / "whole/coronal").rename(tmp_path / "cut/coronal")
    again = fitted(tmp_path / "cut", view="both")
    for a, b in zip(whole.net.state_dict().values(), again.net.state_dict().values()):
        assert torch.equal(a, b)


def test_saved_and_loaded_it_restores_the_same_bits_and_other_views_are_refused(trained, tmp_path):
    method, [pair] = trained[0], pairs(7)
    method.save(tmp_path / "weights", {"seed": 0})
    other = msd_supervised.build(**{**TINY, "seed": 9, "steps": 1})
    other.load(tmp_path / "weights")
    a, b = (m.restore(pair.thick, pair.thin.grid, run=RUN) for m in (method, other))
    np.testing.assert_array_equal(a.voxels, b.voxels)
    for wrong in ({"view": "coronal"}, {"depth": 9}, {"ct": [-1000.0, 1000.0]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            msd_supervised.build(**{**TINY, **wrong}).load(tmp_path / "weights")


def test_other_pixels_views_and_batches_are_refused(trained):
    [pair] = pairs(5)
    with pytest.raises(ValueError, match="pixels of"):
        trained[0].restore(pair.thick, replace(pair.thin.grid, pixel_mm=(0.35, 0.35)), run=RUN)
    with pytest.raises(ValueError, match="'axial' is none of"):
        msd_supervised.build(view="axial")
    with pytest.raises(ValueError, match="one at a time, found batch 2"):
        msd_supervised.build(batch=2)


def test_the_published_network_has_its_weights():
    assert msd_supervised.build(view="coronal").parameters() == 45_652
    assert msd_supervised.build().parameters() == 2 * 45_652
