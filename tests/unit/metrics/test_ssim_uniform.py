"""The flat-window SSIM equals scikit-image's default, in two and in three dimensions."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from thinslice.metrics.ssim_uniform import fits, plane_scores, volume_score

SHAPE = (19, 23, 40)


def pair(peak, dtype=np.float64):
    rng = np.random.default_rng(0)
    thin = rng.random(SHAPE).cumsum(axis=2) / SHAPE[2]
    restored = thin + rng.normal(0, 0.08, SHAPE)
    return (peak * restored).astype(dtype), (peak * thin).astype(dtype)


@pytest.mark.parametrize("peak", [1.0, 255.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_equal_scikit_image(axis, peak):
    r, t = pair(peak)
    planes = zip(np.moveaxis(r, axis, 0), np.moveaxis(t, axis, 0))
    expected = [structural_similarity(a, b, data_range=peak) for a, b in planes]
    np.testing.assert_allclose(plane_scores(r, t, peak, axis), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("peak", [1.0, 4095.0])
def test_volumes_equal_scikit_image(peak):
    r, t = pair(peak)
    expected = structural_similarity(r, t, data_range=peak)
    assert volume_score(r, t, peak) == pytest.approx(expected, abs=1e-12)


def test_float32_is_filtered_in_float64():
    r, t = pair(1.0, np.float32)
    wide = volume_score(r.astype(float), t.astype(float), 1.0)
    assert volume_score(r, t, 1.0) == wide
    assert wide == pytest.approx(structural_similarity(r, t, data_range=1.0), abs=1e-6)


def test_equal_images_score_exactly_one():
    _, t = pair(255.0)
    assert volume_score(t, t, 255.0) == 1.0
    assert (plane_scores(t, t, 255.0, 1) == 1.0).all()


def test_images_smaller_than_the_window_are_refused():
    assert fits(7, 7, 7)
    assert not fits(7, 6, 40)
    r, t = (v[:6] for v in pair(1.0))
    assert len(plane_scores(r, t, 1.0, 0)) == 6
    for scored in (lambda: plane_scores(r, t, 1.0, 1), lambda: volume_score(r, t, 1.0)):
        with pytest.raises(ValueError, match=r"window of 7 .*\(6, "):
            scored()
