"""Methods that answer anywhere: they learn, need no whole factor, and keep what lies outside."""

from dataclasses import replace

import numpy as np
import pytest

from support.wave_pairs import pairs, rmse
from thinslice.interfaces import Run
from thinslice.methods import arssr, metasr
from thinslice.operators.interpolation import resample_z

RUN = Run(device="cpu", progress=False)
QUICK = {
    **{"depth": 6, "slices": 10, "side": 12, "batch": 4, "steps": 80, "schedule": "cosine"},
    **{"lr": 5e-3, "loss": "mse", "corrects": True, "validate_every": 40, "val_batches": 2},
    **{"step": 2, "tile": 32, "halo": 2, "blend": 2, "anywhere": 0.5},
}
METHODS = {
    "metasr": (metasr, {"blocks": 1, "layers": 2, "growth": 8, "features": 8, "hidden": 16}),
    "arssr": (arssr, {"encoder_depth": [1, 2], "width": 8, "features": 8, "hidden": 16}),
}


@pytest.fixture(scope="module", params=METHODS)
def trained(request, tmp_path_factory):
    module, sizes = METHODS[request.param]
    method = module.build(**QUICK, **sizes)
    method.fit(pairs(0, 1, 2), pairs(3), work=tmp_path_factory.mktemp("work"), run=RUN)
    return module, sizes, method


def test_it_beats_cubic_interpolation_on_a_patient_it_never_saw_at_any_increment(trained):
    _, _, method = trained
    [unseen] = pairs(4)
    other = unseen.thin.grid.with_slices(n=25, increment_mm=1.3, thickness_mm=1.0, start_mm=5.2)
    for grid in (unseen.thin.grid, other):
        truth = resample_z(unseen.thin, grid, "cubic")
        restored = method.restore(unseen.thick, grid, run=RUN)
        assert rmse(restored, truth) < 0.9 * rmse(resample_z(unseen.thick, grid, "cubic"), truth)


@pytest.mark.parametrize("name", METHODS)
def test_corrects_untrained_is_linear_interpolation_also_beyond_the_window(name):
    module, sizes = METHODS[name]
    method = module.build(**QUICK, **sizes)
    method.net, method.shape = method._seeded(method.usual), method.usual
    [pair] = pairs(6)
    thick = pair.thick.with_voxels(pair.thick.voxels + 2900)
    assert thick.voxels.max() > 3071
    restored = method.restore(thick, pair.thin.grid, run=RUN)
    linear = resample_z(thick, pair.thin.grid, "linear")
    np.testing.assert_allclose(restored.voxels, linear.voxels, atol=2e-2)


def test_weights_of_other_sizes_are_refused_by_name(trained, tmp_path):
    module, sizes, method = trained
    method.save(tmp_path / "weights", {})
    for wrong in ({"depth": 7}, {"ct": [-1000.0, 1000.0]}, {"corrects": False}, {"hidden": 5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            module.build(**{**QUICK, **sizes, **wrong}).load(tmp_path / "weights")


def test_before_a_fit_there_is_nothing_to_restore_with():
    [pair] = pairs(5)
    with pytest.raises(RuntimeError, match="fit or load"):
        metasr.build(**metasr.TINY).restore(pair.thick, pair.thin.grid, run=RUN)


def test_other_pixels_are_refused(trained):
    [pair] = pairs(5)
    with pytest.raises(ValueError, match="pixels of"):
        trained[2].restore(pair.thick, replace(pair.thin.grid, pixel_mm=(0.35, 0.35)), run=RUN)
