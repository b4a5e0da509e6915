"""Two-stage methods: where restored voxels come to lie, and what is in them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from support.two_stage_scene import (
    BOTH,
    BOX5,
    RUN,
    THIN,
    slant_hu,
    volume,
    waves,
    with_interpolators,
)
from thinslice.degradations import imresize, profile, sparse
from thinslice.methods import georgescu, georgescu_released
from thinslice.operators.degradation import thick_of
from thinslice.operators.finer_grids import finer_pixels, finer_slices
from thinslice.operators.interpolation import place_on
from thinslice.volume import Volume


@pytest.mark.parametrize(
    ("degradation", "factors"),
    [
        (imresize.build(through_plane=1, in_plane=2), {"in_plane": 2}),
        (imresize.build(through_plane=1, in_plane=4), {"in_plane": 4}),
        (imresize.build(through_plane=1, in_plane=4), {"in_plane": 2}),  # used twice
        (imresize.build(through_plane=2), {"through_plane": 2}),
        (imresize.build(through_plane=3), {"through_plane": 3}),
        (imresize.build(through_plane=4), {"through_plane": 4}),
        (BOX5, {"through_plane": 5}),
        (sparse.build(increment_mm=5.0), {"through_plane": 5}),
        (sparse.build(increment_mm=2.0), {"through_plane": 2}),
        (
            profile.build(shape="box", thickness_mm=3.0, increment_mm=3.0, phase_mm=2.4),
            {"through_plane": 3},
        ),
        (BOTH, {"in_plane": 2, "through_plane": 2}),
    ],
)
def test_a_slanted_plane_comes_back_where_it_was(degradation, factors):
    thin = volume(slant_hu())
    thick = thick_of(degradation, thin)
    method = with_interpolators(georgescu.build(ensemble="mean"), **factors)
    restored = method.restore(thick, THIN, run=RUN)
    assert restored.grid == THIN
    margin = 10  # voxels: beyond thick centres ramps cannot go on, and splines ring a little
    inner = (slice(margin, -margin), slice(margin, -margin), slice(margin, -margin))
    assert np.abs(restored.voxels - thin.voxels)[inner].max() < 0.15


def test_odd_sizes_come_back_to_the_thin_grid():
    grid = replace(THIN, n=39, shape=(27, 23))
    thick = thick_of(BOTH, volume(slant_hu()[:39, :27, :23], grid))
    restored = with_interpolators(georgescu.build(), in_plane=2, through_plane=2).restore(
        thick, grid, run=RUN
    )
    assert restored.grid == grid
    assert np.abs(restored.voxels[38] - restored.voxels[37]).max() < 1e-3  # the end is held


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_native_voxels_tile_the_thick_ones_in_millimetres(factor):
    native = finer_slices(finer_pixels(THIN, factor), factor)
    for corner in ((-0.5, -0.5, -0.5), np.array(THIN.zyx) - 0.5):
        coarse = THIN.affine() @ [*corner, 1]
        fine = native.affine() @ [*((np.array(corner) + 0.5) * factor - 0.5), 1]
        assert np.abs(coarse - fine).max() < 1e-9
    on_it = [np.abs(native.centres_mm() - z).min() < 1e-9 for z in THIN.centres_mm()]
    assert all(on_it) if factor % 2 else not any(on_it)


def test_voxels_that_lie_where_they_are_asked_for_are_given_unchanged():
    native = waves(0)
    asked = place_on(native, replace(THIN, n=7, start_mm=1.0))
    assert np.array_equal(asked.voxels, native.voxels[4:11])
    y = np.array(THIN.direction[1])
    origin = tuple(float(v) for v in np.array(THIN.origin_mm) + 3 * 0.7 * y)
    asked = place_on(native, replace(THIN, shape=(9, 24), origin_mm=origin))
    assert np.array_equal(asked.voxels, native.voxels[:, 3:12])
    between = place_on(volume(slant_hu()), replace(THIN, n=20, start_mm=5.5))
    assert np.abs(between.voxels - 11 * 8.5 - (slant_hu()[0] + 11 * np.arange(20)[:, None, None]))[
        :, 8:-8, 8:-8
    ].max() < 0.05  # fmt: skip


def test_the_released_method_works_in_whole_grey_levels():
    thick = thick_of(imresize.build(through_plane=1, in_plane=2), waves(1))
    restored = with_interpolators(georgescu_released.build(), in_plane=2).restore(
        thick, THIN, run=RUN
    )
    levels = (restored.voxels + 1024) / 4095 * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-3


@pytest.mark.parametrize(
    ("degradation", "factors", "merge", "passes"),
    [
        (imresize.build(through_plane=1, in_plane=2), {"in_plane": 2}, "median", 8),
        (BOX5, {"through_plane": 5}, "mean", 4),
        (BOX5, {"through_plane": 5}, "none", 1),
    ],
)
def test_planes_are_turned_and_flipped_in_all_ways_that_keep_z(degradation, factors, merge, passes):
    thick = thick_of(degradation, waves(1))
    method = with_interpolators(georgescu.build(ensemble=merge), **factors)
    seen = []
    [interpolator] = method.net.values()
    interpolator.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    method.restore(thick, THIN, run=RUN)
    planes = thick.grid.n if "in_plane" in factors else sum(thick.grid.shape)
    assert sum(seen) == passes * planes


def test_with_the_authors_weights_the_released_method_gives_the_authors_planes():
    meta, arrays = fixture("georgescu", "hw_x2")
    method = georgescu_released.build()
    theirs = {name: torch.from_numpy(w) for name, w in weights(meta).items()}
    method.use("in_plane", 2, theirs)
    grid = replace(THIN, n=1, shape=arrays["input"].shape)
    thick = volume(arrays["input"] / 255 * 4095 - 1024, grid)
    restored = method.restore(thick, finer_pixels(grid, 2), run=RUN)
    levels = (restored.voxels[0] + 1024) / 4095 * 255
    wrong = np.abs(levels - np.rint(arrays["ensemble_median"])) > 0.01
    assert wrong.mean() < 0.001  # but for halves, which the last digit decides


def test_what_lies_beyond_the_window_is_kept():
    thin = volume(np.where(np.indices(THIN.zyx)[0] > 20, 5000.0, -2000.0))
    thick = thick_of(BOX5, thin)
    restored = with_interpolators(georgescu.build(), through_plane=5).restore(thick, THIN, run=RUN)
    assert restored.voxels.max() == pytest.approx(5000, abs=0.1)
    assert restored.voxels.min() == pytest.approx(-2000, abs=0.1)


@pytest.mark.parametrize("stage", ["in_plane", "through_plane"])
def test_tiled_equals_untiled(stage):
    scan = waves(2)
    scan = Volume(scan.voxels[:26, :14, :12], replace(THIN, n=26, shape=(14, 12)))
    finest = finer_slices(scan.grid, 2)
    if stage == "in_plane":
        scan = Volume(waves(2).voxels[:3], replace(THIN, n=3))
        finest = finer_pixels(scan.grid, 2)
    answers = []
    for side in (512, 23):
        method = georgescu.build(tile=side, channels=4)
        method.shape = {"factors": {stage: 2}}
        method.net = method._build(method.shape)
        answers.append(method.restore(scan, finest, run=RUN).voxels)
    assert np.abs(answers[0] - answers[1]).max() < 1e-2
    assert answers[0].std() > 1
