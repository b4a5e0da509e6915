"""What two-stage methods are taught on: patches of thin scans, and of thick ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.golden_weights import fixture
from support.two_stage_scene import BOX5, CT, THIN, pair, slant_hu, volume, waves
from thinslice.degradations import sparse
from thinslice.interfaces import Pair
from thinslice.methods import georgescu, georgescu_released
from thinslice.operators.degradation import thick_of
from thinslice.training.samplers.native_patches import NativePatches, covered, native_mm
from thinslice.training.samplers.shrunk_patches import Blur, PatchShape, ShrunkPatches
from thinslice.volume import Volume

SHARP = Blur("none")


def test_native_patches_are_thick_voxels_and_the_thin_ones_that_tile_them():
    ramp = volume(slant_hu())
    for degradation, factor in ((BOX5, 5), (sparse.build(increment_mm=2.0), 2)):
        thick = thick_of(degradation, ramp)
        draw = NativePatches(
            [Pair("a", thick, ramp)], PatchShape(5, (factor, 1), (1, 2)), 8, CT, SHARP
        )
        x, y = draw(np.random.default_rng(0))
        assert (x.shape, y.shape) == ((8, 1, 5, 5), (8, 1, 5 * factor, 5))
        means = y.unflatten(2, (5, factor)).mean(3)
        assert (means - x)[:, :, 1:-1].abs().max() < 0.01
        slope = 255 / 4095 * np.array([-5.0, 7.0])  # coronal rows run along x, sagittal along y
        found = (x[:2, 0, 0, 1] - x[:2, 0, 0, 0]).numpy()
        assert np.abs(found - slope).max() < 1e-3


def test_native_patches_are_matched_by_millimetres_in_other_frames_too():
    made = pair(BOX5)
    grid, normal = made.thick.grid, np.array(THIN.direction[0])
    origin = np.array(grid.origin_mm) + 30 * normal
    moved = replace(grid, origin_mm=tuple(map(float, origin)), start_mm=grid.start_mm - 30)
    drawn = []
    for thick in (made.thick, Volume(made.thick.read(), moved)):
        draw = NativePatches(
            [Pair("a", thick, made.thin)], PatchShape(5, (5, 1), (1, 2)), 8, CT, SHARP
        )
        drawn.append(draw(np.random.default_rng(0)))
    for here, there in zip(*drawn):
        assert (here - there).abs().max() < 1e-4


def test_only_thick_slices_that_thin_ones_cover_are_taught_on():
    short = Volume(waves(0).voxels[7:31], replace(THIN, n=24, start_mm=4.0))
    made = Pair("a", pair(BOX5).thick, short)
    first, last = covered(made, 5)
    at = native_mm(made, 5).reshape(-1, 5)
    assert at[first, 0] >= 4.0 > at[first - 1, 0]
    assert at[last, -1] <= 27.0 < at[last + 1, -1]
    far = replace(short.grid, start_mm=400.0)
    with pytest.raises(ValueError, match="no thick slice lies"):
        covered(Pair("a", made.thick, Volume(short.voxels, far)), 5)


@pytest.mark.parametrize(("scale", "views"), [((2, 2), (0,)), ((4, 1), (1, 2))])
def test_shrunk_patches_are_the_thin_planes_made_coarse(scale, views):
    ramp = volume(slant_hu())
    shape = PatchShape(4, scale, views)
    draw = ShrunkPatches([Pair("a", ramp, ramp)], shape, 6, CT, Blur("none"))
    x, y = draw(np.random.default_rng(0))
    assert (x.shape, y.shape) == ((6, 1, 4, 4), (6, 1, *shape.fine))
    means = y[:, 0].unflatten(1, (4, scale[0])).mean(2).unflatten(2, (4, scale[1])).mean(3)
    assert (means - x[:, 0]).abs().mean() < 0.3  # each is shrunk alone: mirrored at its own ends


@pytest.mark.parametrize("i", range(3))
def test_the_released_blur_is_theirs_dark_border_and_all(i):
    meta, arrays = fixture("georgescu", "functions")
    patch = arrays[f"patch_{i}"].astype(float)[None]
    blurred = Blur(border="constant")(patch, np.array([meta["sigma"][i]]))
    assert np.array_equal(np.floor(blurred[0] + 0.5), arrays[f"blurred_{i}"])


def test_half_of_the_patches_are_blurred_and_as_much_as_was_said():
    rng = np.random.default_rng(0)
    widths = Blur("random", 0.5).sigmas(4000, rng)
    assert 0.45 < (widths > 0).mean() < 0.55
    assert 0.2 < widths[widths > 0].mean() < 0.3
    assert widths.max() <= 0.5
    assert set(Blur("fixed", 0.4).sigmas(100, rng)) == {0.0, 0.4}
    assert not Blur("none").sigmas(100, rng).any()
    noise = rng.uniform(0, 255, (2, 9, 9))
    soft = Blur()(noise, np.array([0.0, 0.5]))
    assert np.array_equal(soft[0], noise[0])
    assert soft[1].std() < noise[1].std()
    assert np.abs(Blur()(np.full((1, 5, 5), 80.0), np.array([0.5])) - 80).max() < 1e-9
    with pytest.raises(ValueError, match="blur"):
        Blur("soft")  # type: ignore[arg-type]


def test_half_of_what_is_shown_is_blurred_and_never_the_truth():
    shape, pairs = PatchShape(4, (2, 2), (0,)), [Pair("a", waves(0), waves(0))]
    native, thick = PatchShape(5, (5, 1), (1, 2)), [pair(BOX5)]
    for blur in (Blur("fixed"), Blur("fixed", of="fine")):
        for sampler, scans, seen in ((ShrunkPatches, pairs, shape), (NativePatches, thick, native)):
            draws = [sampler(scans, seen, 64, CT, b) for b in (replace(blur, kind="none"), blur)]
            (sharp, truth), (soft, same) = (draw(np.random.default_rng(0)) for draw in draws)
            assert torch.equal(truth, same)
            changed = ((sharp - soft).abs().amax((1, 2, 3)) > 1e-3).float().mean()
            if sampler is NativePatches and blur.of == "fine":
                assert changed == 0  # no fine patch is shrunk here
            else:
                assert 0.3 < changed < 0.7


def test_the_published_blur_is_of_the_coarse_patch_and_the_released_one_of_the_fine():
    """The paper blurs what the network sees, the code what is shrunk to it."""
    shape, pairs = PatchShape(4, (2, 2), (0,)), [Pair("a", waves(0), waves(0))]
    sharp = ShrunkPatches(pairs, shape, 16, CT, SHARP)
    x, y = (part[:, 0].double().numpy() for part in sharp(np.random.default_rng(0)))
    down = sharp.shrink
    for released in (False, True):
        recipe = (georgescu_released if released else georgescu).build().recipe
        assert recipe.blur == Blur(
            of="fine" if released else "coarse", border="constant" if released else "edge"
        )
        blur = replace(recipe.blur, kind="fixed")
        seen, _ = ShrunkPatches(pairs, shape, 16, CT, blur)(np.random.default_rng(0))
        sigmas = np.full(16, 0.5)
        fine = down[0] @ blur(y, sigmas) @ down[1].T
        soft = fine.clip(0, 255) if released else blur(x, sigmas)
        off = np.abs(seen[:, 0].numpy()[:, None] - np.stack([x, soft], 1)).max((2, 3))
        assert off.min(1).max() < 1e-3  # every patch is the sharp one or the blurred one
        assert 0 < (off[:, 1] < 1e-3).mean() < 1


def test_dark_patches_are_left_out_of_the_released_training():
    z, _, _ = np.indices(THIN.zyx)
    half_dark = volume(np.where(z < 30, -1024.0, 500.0))
    shape = PatchShape(4, (2, 2), (0,))
    pairs = [Pair("a", half_dark, half_dark)]
    for least, dark in ((0.0, True), (5.0, False)):
        draw = ShrunkPatches(pairs, shape, 32, CT, Blur(), least)
        assert bool((draw(np.random.default_rng(0))[1].amax((1, 2, 3)) == 0).any()) == dark


@pytest.mark.parametrize(("stage", "below"), [("in_plane", 0.4), ("through_plane", 4.4)])
def test_released_patches_are_dark_as_the_whole_levels_they_are_stored_in(stage, below):
    """Stored, a patch of 0.4 levels is black: sums of zero and maxima below five are left out."""
    z, _, _ = np.indices(THIN.zyx)
    for level, left_out in ((below, True), (below + 0.2, False)):
        hu = -1024 + level * 4095 / 255
        scan = volume(np.where(z < 30, hu, 500.0))
        shape = PatchShape(4, (2, 2), (0,))
        dark = georgescu_released.DARK[stage]
        draw = ShrunkPatches([Pair("a", scan, scan)], shape, 32, CT, Blur(), dark)
        y = draw(np.random.default_rng(0))[1]
        assert bool((y.amax((1, 2, 3)) < level + 0.1).any()) != left_out


def test_released_patches_are_whole_levels_and_turned_a_pixel_aside():
    finish = georgescu_released.as_stored((1,))
    x, y = np.full((3, 4, 4), 80.4), np.full((3, 8, 8), 80.4)
    x, y = finish(x, y, np.random.default_rng(0))
    assert set(np.unique(x)) == set(np.unique(y)) == {0.0, 80.0}
    assert not x[:, 0].any()  # one coarse pixel, two fine ones ...
    assert not y[:, 0].any()
    assert y[:, 1].all()  # ... of which the answer has moved by one
