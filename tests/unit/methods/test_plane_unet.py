"""The plane U-Net: what it starts as, what it learns, and what it sees."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, rmse
from thinslice.interfaces import Run
from thinslice.methods import plane_unet
from thinslice.operators.interpolation import resample_z

RUN = Run(device="cpu", progress=False)
TINY = {"channels": 4, "levels": 2, "patch": [16, 12], "steps": 80, "warmup": 3, "lr": 5e-3}
TINY = {**TINY, "validate_every": 40, "validation_batches": 2}


def random_weights(method):
    torch.manual_seed(0)
    for p in method.net.parameters():
        torch.nn.init.normal_(p, std=2.0 * p[0].numel() ** -0.5 if p.ndim > 1 else 0.05)
    return method


@pytest.mark.parametrize("neighbours", [0, 1])
def test_it_beats_the_interpolation_it_starts_from_on_a_patient_it_never_saw(neighbours, tmp_path):
    method, [unseen] = plane_unet.build(**TINY, neighbours=neighbours), pairs(4)
    start = resample_z(unseen.thick, unseen.thin.grid, "cubic")
    untrained = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    np.testing.assert_array_equal(untrained.voxels, start.voxels)
    method.fit(pairs(0, 1, 2), pairs(3), work=tmp_path, run=RUN)
    restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    assert rmse(restored, unseen.thin) < 0.8 * rmse(start, unseen.thin)


@pytest.mark.parametrize("neighbours", [0, 2])
def test_tiles_change_nothing(neighbours):
    [pair] = pairs(5)
    method = random_weights(plane_unet.build(channels=4, levels=2, neighbours=neighbours))
    reach = method.net.reach
    whole = method.restore(pair.thick, pair.thin.grid, run=RUN).voxels
    assert np.abs(whole - resample_z(pair.thick, pair.thin.grid, "cubic").voxels).max() > 50
    method.recipe = replace(method.recipe, tile=2 * reach + 10)
    assert method.recipe.tile < pair.thin.grid.n
    tiled = method.restore(pair.thick, pair.thin.grid, run=RUN).voxels
    np.testing.assert_allclose(tiled, whole, atol=0.02)


def test_a_plane_depends_on_so_many_neighbours():
    [pair] = pairs(5)
    method = random_weights(plane_unet.build(channels=4, levels=2, neighbours=2))
    method.recipe = replace(method.recipe, views=("coronal",))
    moved = pair.thick.voxels.copy()
    moved[:, 6] += 300
    scans = pair.thick, pair.thick.with_voxels(moved)
    a, b = (method.restore(scan, pair.thin.grid, run=RUN).voxels for scan in scans)
    differs = (np.abs(a - b) > 1e-2).any(axis=(0, 2))
    assert np.flatnonzero(differs).tolist() == [4, 5, 6, 7, 8]


def test_weights_of_other_sizes_are_refused(tmp_path):
    plane_unet.build(**TINY, neighbours=1).save(tmp_path / "w", {})
    for wrong in ({"neighbours": 2}, {"channels": 8}, {"ct": [-1000.0, 1000.0]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            plane_unet.build(**{**TINY, "neighbours": 1, **wrong}).load(tmp_path / "w")
    with pytest.raises(ValueError, match="0 or more, found -1"):
        plane_unet.build(neighbours=-1)
