"""SSIM of views equals scikit-image's Gaussian SSIM, whatever the view, mask and threads."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from thinslice.metrics import counted_slabs
from thinslice.metrics import ssim_views as module
from thinslice.metrics.errors import LUNG, SOFT, WIDE
from thinslice.metrics.ssim import PLANES, RADIUS, TAPS, ssim_map
from thinslice.metrics.ssim_views import CUBE, SINGLE_TAPS, VIEWS, ssim_ranges, ssim_views

SHAPE = (23, 29, 37)
SINGLE = 1e-7  # what float32 may change in a mean; scikit-image gets float64


def textures(seed=0):
    """Restored and thin float32 volumes with edges and noise over several ranges' ends."""
    rng = np.random.default_rng(seed)
    thin = np.where(rng.random(SHAPE) < 0.5, -900.0, 60.0) + rng.normal(0, 120, SHAPE)
    restored = thin + rng.normal(0, 60, SHAPE)
    return restored.astype(np.float32), thin.astype(np.float32)


def reference(r, t, window):
    """scikit-image's map of volumes clipped and counted from the range's lower end, float64."""
    r, t = (np.clip(v.astype(float), window.low, window.high) - window.low for v in (r, t))
    return structural_similarity(
        r,
        t,
        data_range=window.high - window.low,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]


def reference_of(view, r, t, window):
    if view == CUBE:
        return reference(r, t, window)
    axis = PLANES[view]
    planes = zip(np.moveaxis(r, axis, 0), np.moveaxis(t, axis, 0))
    return np.moveaxis(np.array([reference(a, b, window) for a, b in planes]), 0, axis)


def valid(view):
    out = np.zeros(SHAPE, bool)
    across = PLANES.get(view)
    out[tuple(slice(None) if k == across else slice(RADIUS, -RADIUS) for k in range(3))] = True
    return out


def random_masks(share, seed=1):
    rng = np.random.default_rng(seed)
    return {view: rng.random(SHAPE) < share for view in VIEWS}


@pytest.mark.parametrize("window", [WIDE, LUNG, SOFT], ids=["wide", "lung", "soft"])
def test_every_view_equals_scikit_image(window):
    """Masks differ between views, as they do where there is padding."""
    r, t = textures()
    masks = random_masks(0.3)
    scores = ssim_views(r, t, masks, window)
    assert list(scores) == list(VIEWS)
    for view, (value, n) in scores.items():
        counted = masks[view] & valid(view)
        expected = reference_of(view, r, t, window)[counted].mean()
        assert n == counted.sum()
        assert value == pytest.approx(expected, abs=SINGLE), view


@pytest.mark.parametrize("depth", [1, 4, 9, SHAPE[0] - 1])
def test_slices_that_are_held_at_a_time_change_no_bit(monkeypatch, depth):
    r, t = textures()
    masks = random_masks(0.3)
    whole = ssim_views(r, t, masks, LUNG)
    monkeypatch.setattr(module, "DEPTH", depth)
    assert ssim_views(r, t, masks, LUNG) == whole


def test_several_slabs_equal_scikit_image(monkeypatch):
    monkeypatch.setattr(counted_slabs, "PIXELS", 15 * 40)
    rng = np.random.default_rng(3)
    t = rng.normal(0, 200, (13, 85, 15)).astype(np.float32)
    r = t + rng.normal(0, 50, t.shape).astype(np.float32)
    inner = (slice(RADIUS, -RADIUS),) * 3
    value, n = ssim_views(r, t, {CUBE: np.ones(t.shape, bool)}, LUNG, threads=2)[CUBE]
    assert n == 3 * 75 * 5
    assert value == pytest.approx(reference(r, t, LUNG)[inner].mean(), abs=SINGLE)


@pytest.mark.parametrize("error_hu", [0.01, 1.0])
def test_small_errors_are_told_from_none(error_hu):
    """Squares of the range are 1e10 times those of the error: float32 must not lose it."""
    _, t = textures()
    r = t + np.float32(error_hu) * np.random.default_rng(5).standard_normal(SHAPE, np.float32)
    whole = {view: np.ones(SHAPE, bool) for view in VIEWS}
    for view, (value, _) in ssim_views(r, t, whole, SOFT).items():
        lost = 1 - reference_of(view, r, t, SOFT)[valid(view)].mean()
        assert 1 - value == pytest.approx(lost, rel=0.05, abs=SINGLE / 2)


def test_single_taps_sum_to_one_exactly_and_are_as_wide_as_the_exact_ones():
    taps = SINGLE_TAPS.astype(float)
    assert taps.sum() == 1
    np.testing.assert_allclose(taps, TAPS, atol=2**-24)
    squares = np.arange(-RADIUS, RADIUS + 1) ** 2
    assert squares @ taps == pytest.approx(squares @ TAPS, rel=1e-7)
    np.testing.assert_array_equal(taps * 2**24, np.rint(taps * 2**24))


@pytest.mark.parametrize("window", [LUNG, SOFT], ids=["lung", "soft"])
def test_smooth_scans_beside_what_is_clipped_stay_within_a_millionth(window):
    """Here rounding errors of regions that are clipped are all alike."""
    flat = np.where(np.arange(SHAPE[2]) < 18, -850.0, 40.0)
    noisy = (flat + np.random.default_rng(7).normal(0, 25, SHAPE)).astype(np.float32)
    r, t = gaussian_filter(noisy, 2), gaussian_filter(noisy, 1)
    whole = {view: np.ones(SHAPE, bool) for view in VIEWS}
    for view, (value, _) in ssim_views(r, t, whole, window).items():
        expected = reference_of(view, r, t, window)[valid(view)].mean()
        assert value == pytest.approx(expected, abs=3e-7), view


def test_box_of_the_mask_changes_nothing():
    """Only the mask's surroundings are filtered; the answer is the whole plane's."""
    r, t = textures()
    mask = np.zeros(SHAPE, bool)
    mask[:, 9:14, 20:22] = True
    expected = np.mean([ssim_map(a, b, LUNG)[9:14, 20:22].mean() for a, b in zip(r, t)])
    value, n = ssim_views(r, t, {"axial": mask}, LUNG)["axial"]
    assert (value, n) == (pytest.approx(expected, abs=SINGLE), mask.sum())


def test_voxels_that_no_counted_window_holds_may_be_anything():
    r, t = textures()
    masks = {view: np.zeros(SHAPE, bool) for view in VIEWS}
    for mask in masks.values():
        mask[5:18, 5:7] = mask[5:18, -7:-5] = True
    clean = ssim_views(r, t, masks, SOFT)
    r[:, SHAPE[1] // 2] = np.nan
    assert ssim_views(r, t, masks, SOFT) == clean


def test_threads_change_no_bit():
    r, t = textures()
    masks = dict.fromkeys(VIEWS, np.random.default_rng(4).random(SHAPE) < 0.6)
    scores = ssim_views(r, t, masks, SOFT, threads=1)
    assert ssim_views(r, t, masks, SOFT, threads=3) == scores


def test_ranges_together_are_each_alone():
    r, t = textures()
    masks = random_masks(0.3)
    alone = [ssim_views(r, t, masks, window) for window in (LUNG, SOFT)]
    assert ssim_ranges(r, t, masks, [LUNG, SOFT], threads=2) == alone


def test_a_view_is_scored_alike_without_the_others():
    r, t = textures()
    masks = dict.fromkeys(VIEWS, np.random.default_rng(4).random(SHAPE) < 0.6)
    for view, (value, n) in ssim_views(r, t, masks, SOFT).items():
        alone = ssim_views(r, t, {view: masks[view]}, SOFT)[view]
        assert alone == (pytest.approx(value, abs=1e-7), n)  # of float32


def test_flat_volumes_far_apart_keep_their_luminance_term():
    """Here rounding errors are all alike and do not average out."""
    t = np.full(SHAPE, 40, np.float32)
    whole = {view: np.ones(SHAPE, bool) for view in VIEWS}
    for view, (value, _) in ssim_views(t + 100, t, whole, LUNG).items():
        expected = reference_of(view, t + 100, t, LUNG)[valid(view)].mean()
        assert value == pytest.approx(expected, abs=2e-7), view


def test_equal_volumes_score_exactly_one():
    _, t = textures()
    for view, (value, _) in ssim_views(t, t, random_masks(1.0), SOFT).items():
        assert value == 1.0, view


def test_swapping_the_volumes_changes_nothing():
    r, t = textures()
    mask = {"coronal": np.ones(SHAPE, bool)}
    swapped = ssim_views(t, r, mask, LUNG)["coronal"][0]
    assert ssim_views(r, t, mask, LUNG)["coronal"][0] == pytest.approx(swapped, abs=SINGLE)


def test_strided_and_read_only_volumes_are_scored_alike_and_left_alone():
    r, t = textures()
    mask = np.ones(SHAPE, bool)
    turned = [np.asfortranarray(v) for v in (r, t, mask)]
    for v in turned:
        v.flags.writeable = False
    alike = ssim_views(turned[0], turned[1], dict.fromkeys(VIEWS, turned[2]), LUNG)
    assert alike == ssim_views(r, t, dict.fromkeys(VIEWS, mask), LUNG)
    np.testing.assert_array_equal(t, textures()[1])


def test_a_view_smaller_than_the_window_has_no_score():
    r, t = (v[:10] for v in textures())
    scores = ssim_views(r, t, dict.fromkeys(VIEWS, np.ones(r.shape, bool)), LUNG)
    assert scores.pop("axial")[1] == 10 * 19 * 27
    for value, n in scores.values():
        assert n == 0
        assert np.isnan(value)
