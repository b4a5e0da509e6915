"""SSIM equals scikit-image's Gaussian SSIM, whatever the plane, the mask and the threads."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from thinslice.metrics.errors import LUNG, SOFT, WIDE
from thinslice.metrics.ssim import PLANES, RADIUS, ssim, ssim_map
from thinslice.metrics.ssim_volume import ssim_volume

SHAPE = (23, 29, 37)


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


def planar_reference(r, t, window, axis):
    maps = [
        reference(a, b, window) for a, b in zip(np.moveaxis(r, axis, 0), np.moveaxis(t, axis, 0))
    ]
    return np.moveaxis(np.array(maps), 0, axis)


def valid(axis=None):
    out = np.zeros(SHAPE, bool)
    out[tuple(slice(None) if k == axis else slice(RADIUS, -RADIUS) for k in range(3))] = True
    return out


@pytest.mark.parametrize("window", [WIDE, LUNG, SOFT], ids=["wide", "lung", "soft"])
@pytest.mark.parametrize("plane", PLANES)
def test_planes_equal_scikit_image(plane, window):
    r, t = textures()
    mask = np.random.default_rng(1).random(SHAPE) < 0.3
    counted = mask & valid(PLANES[plane])
    value, n = ssim(r, t, mask, window, plane)
    expected = planar_reference(r, t, window, PLANES[plane])[counted].mean()
    assert n == counted.sum()
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("window", [LUNG, SOFT], ids=["lung", "soft"])
def test_volume_equals_scikit_image(window):
    r, t = textures()
    mask = np.random.default_rng(2).random(SHAPE) < 0.3
    counted = mask & valid()
    value, n = ssim_volume(r, t, mask, window)
    assert n == counted.sum()
    assert value == pytest.approx(reference(r, t, window)[counted].mean(), abs=1e-12)


def test_volume_in_several_slabs_equals_scikit_image():
    rng = np.random.default_rng(3)
    t = rng.normal(0, 200, (13, 85, 15)).astype(np.float32)
    r = t + rng.normal(0, 50, t.shape).astype(np.float32)
    inner = (slice(RADIUS, -RADIUS),) * 3
    value, n = ssim_volume(r, t, np.ones(t.shape, bool), LUNG, threads=2)
    assert n == 3 * 75 * 5
    assert value == pytest.approx(reference(r, t, LUNG)[inner].mean(), abs=1e-12)


def test_box_of_the_mask_changes_nothing():
    """Only the mask's surroundings are filtered; the answer is the whole plane's."""
    r, t = textures()
    mask = np.zeros(SHAPE, bool)
    mask[:, 9:14, 20:22] = True
    expected = np.mean([ssim_map(a, b, LUNG)[9:14, 20:22].mean() for a, b in zip(r, t)])
    assert ssim(r, t, mask, LUNG, "axial")[0] == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("plane", PLANES)
def test_threads_change_no_bit(plane):
    r, t = textures()
    mask = np.random.default_rng(4).random(SHAPE) < 0.6
    assert ssim(r, t, mask, SOFT, plane, threads=1) == ssim(r, t, mask, SOFT, plane, threads=3)
    assert ssim_volume(r, t, mask, SOFT, 1) == ssim_volume(r, t, mask, SOFT, 3)


def test_equal_volumes_score_exactly_one():
    _, t = textures()
    mask = np.ones(SHAPE, bool)
    assert [ssim(t, t, mask, SOFT, plane)[0] for plane in PLANES] == [1.0, 1.0, 1.0]
    assert ssim_volume(t, t, mask, SOFT)[0] == 1.0


def test_swapping_the_volumes_changes_nothing():
    r, t = textures()
    mask = np.ones(SHAPE, bool)
    assert ssim(r, t, mask, LUNG, "coronal")[0] == pytest.approx(
        ssim(t, r, mask, LUNG, "coronal")[0], abs=1e-13
    )


def test_strided_and_read_only_volumes_are_scored_alike():
    r, t = textures()
    mask = np.ones(SHAPE, bool)
    turned = [np.asfortranarray(v) for v in (r, t, mask)]
    for v in turned:
        v.flags.writeable = False
    assert ssim(*turned, LUNG, "sagittal") == ssim(r, t, mask, LUNG, "sagittal")


def test_inputs_are_left_alone():
    r, t = textures()
    before = r.copy(), t.copy()
    ssim(r, t, np.ones(SHAPE, bool), SOFT, "axial")
    ssim_volume(r, t, np.ones(SHAPE, bool), SOFT)
    np.testing.assert_array_equal(r, before[0])
    np.testing.assert_array_equal(t, before[1])


def test_a_plane_smaller_than_the_window_has_no_score():
    r, t = (v[:10] for v in textures())
    mask = np.ones(r.shape, bool)
    assert ssim(r, t, mask, LUNG, "axial")[1] == 10 * 19 * 27
    for value, n in (ssim(r, t, mask, LUNG, "coronal"), ssim_volume(r, t, mask, LUNG)):
        assert n == 0
        assert np.isnan(value)
