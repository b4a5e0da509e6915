"""SCSR and MCSR begin by changing nothing, and see the planes and contrasts that they should."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.tiny_methods import RUN, THIN, thick
from support.wave_pairs import pairs
from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.methods import zeng_mcsr, zeng_scsr
from thinslice.nets.zeng import MCSR
from thinslice.operators.interpolation import resample
from thinslice.training.samplers.crops import data_key
from thinslice.training.samplers.interpolated_planes import InterpolatedPlanes
from thinslice.volume import Volume


def test_parameters():
    assert zeng_scsr.build().parameters() == 592_065
    assert zeng_mcsr.build().parameters() == 2 * 592_065 + 9 * 64


@pytest.mark.parametrize("planes", ["axial", "coronal_sagittal"])
@pytest.mark.parametrize("module", [zeng_scsr, zeng_mcsr])
def test_untrained_it_is_cubic_interpolation_in_plane_too(planes, module):
    grid = replace(THIN, shape=(24, 40), pixel_mm=(0.35, 0.45))
    restored = module.build(**module.TINY, planes=planes).restore(thick(), grid, run=RUN)
    np.testing.assert_allclose(restored.voxels, resample(thick(), grid, "cubic").voxels, atol=0.02)


@pytest.mark.parametrize(
    ("planes", "alone"), [("axial", (True, False, False)), ("coronal_sagittal", (False,) * 3)]
)
def test_it_sees_the_planes_of_its_setting(planes, alone):
    """A voxel changes the answer beyond it along an axis only if planes lie along that axis."""
    method = zeng_scsr.build(**zeng_scsr.TINY, planes=planes)
    torch.nn.init.constant_(method._fitted().tail.weight, 0.1)  # type: ignore[union-attr]
    scan = thick(THIN)
    changed = scan.with_voxels(scan.voxels.copy())
    changed.voxels[20, 6, 9] += 500.0
    a, b = (method.restore(volume, THIN, run=RUN).voxels for volume in (scan, changed))
    where = np.argwhere(np.abs(a - b) > 1e-2)
    assert tuple(bool(len(set(column)) == 1) for column in where.T) == alone


def test_training_patches_are_the_thin_planes_and_the_interpolated_ones():
    (pair,) = pairs(0)
    grid, ct = pair.thin.grid, (-1000.0, 1000.0)
    assert isinstance(pair.thick, Volume)
    start = resample(pair.thick, grid, "cubic").voxels
    for across in range(3):
        sides = [n for axis, n in enumerate(grid.zyx) if axis != across]
        draw = InterpolatedPlanes([pair], (sides[0], sides[1]), 2, ct, [across], flips=False)
        for x_PQ, y_PQ in zip(*(part[:, 0].numpy() for part in draw(np.random.default_rng(1)))):
            at = [
                k
                for k in range(grid.zyx[across])
                if np.allclose(y_PQ, pair.thin.read().take(k, across) / 2000 + 0.5, atol=1e-5)
            ]
            assert at
            np.testing.assert_allclose(x_PQ, start.take(at[0], across) / 2000 + 0.5, atol=2e-4)


def test_other_planes_are_refused():
    with pytest.raises(ValueError, match="planes 'oblique' is none of axial, coronal_sagittal"):
        zeng_scsr.build(planes="oblique")


def two_contrasts(seed: int) -> Pair:
    """A scan whose thick slices say nothing of what the second contrast shows upside down."""
    (pair,) = pairs(seed)
    assert isinstance(pair.thick, Volume)
    assert isinstance(pair.thin, Volume)
    second = Volume(700 - pair.thin.voxels, pair.thin.grid, "MR")
    return Pair(pair.case, replace(pair.thick, second=second), pair.thin)


def test_a_second_contrast_shows_what_the_thick_scan_does_not(tmp_path):
    settings = {**zeng_mcsr.TINY, "planes": "coronal_sagittal", "patch": [14, 14], "batch": 4}
    settings |= {"steps": 80, "lr": 1e-2, "channels": 8}
    rmse = {}
    for module in (zeng_scsr, zeng_mcsr):
        method = module.build(**settings)
        method.fit(
            [two_contrasts(0), two_contrasts(1)], [], work=tmp_path / module.__name__, run=RUN
        )
        pair = two_contrasts(2)
        restored = method.restore(pair.thick, pair.thin.grid, run=RUN).voxels  # type: ignore[arg-type]
        rmse[module] = float(np.sqrt(np.mean((restored - pair.thin.read()) ** 2)))
    assert rmse[zeng_mcsr] < 0.7 * rmse[zeng_scsr]


def test_the_second_network_begins_with_what_the_first_one_made():
    net, x = MCSR(1, 4), torch.rand(2, 2, 9, 9)
    torch.nn.init.normal_(net.single.tail.weight)
    alone, both = net.answers(x)
    assert torch.equal(alone, both)
    assert torch.equal(alone, net.single(x[:, :1]))
    assert not torch.equal(alone, x[:, :1])


def test_a_scan_without_a_second_contrast_is_refused_by_name(tmp_path):
    method, pair = zeng_mcsr.build(**zeng_mcsr.TINY), pairs(4)[0]
    words = "zeng_mcsr: found a scan without a second contrast"
    with pytest.raises(Refused, match=words):
        method.restore(replace(thick(), second=None), THIN, run=RUN)
    with pytest.raises(Refused, match=f"case4: {words}"):
        method.fit([two_contrasts(0)], [pair], work=tmp_path, run=RUN)


def test_checkpoints_of_other_second_contrasts_are_others():
    pair = two_contrasts(0)
    assert isinstance(pair.thick, Volume)
    assert pair.thick.second is not None
    other = replace(pair.thick, second=pair.thick.second.with_voxels(pair.thick.second.voxels + 1))
    assert data_key([pair]) != data_key([pair._replace(thick=other)])
    aside = replace(pair.thick.second.grid, origin_mm=(1.0, 0.0, 0.0))
    moved = replace(pair.thick, second=replace(pair.thick.second, grid=aside))
    assert data_key([pair]) != data_key([pair._replace(thick=moved)])
