"""Scores of patches: scikit-image's, over the pixels that count."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from thinslice.metrics.patches import patch_scores


def pictures(shape=(20, 31)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    thin = rng.normal(0, 300, shape).astype(np.float32)
    return thin + rng.normal(0, 40, shape).astype(np.float32), thin


def test_a_patch_has_scikit_image_s_scores():
    restored, thin = pictures()
    score = patch_scores(restored, thin, 4095.0)
    wide = (restored.astype(float), thin.astype(float))
    assert score.psnr_db == pytest.approx(peak_signal_noise_ratio(*wide, data_range=4095.0))
    assert score.ssim == pytest.approx(structural_similarity(*wide, data_range=4095.0))
    assert score.pixels == 620


def test_pixels_without_a_measurement_change_nothing():
    restored, thin = pictures()
    measured = np.ones(thin.shape, bool)
    measured[:, 25:] = False
    part = patch_scores(restored[:, :25], thin[:, :25], 4095.0)
    restored[:, 25:] = 9e3
    masked = patch_scores(restored, thin, 4095.0, measured)
    assert masked.psnr_db == pytest.approx(part.psnr_db)
    assert masked.ssim == pytest.approx(part.ssim)
    assert masked.pixels == 500


def test_what_cannot_be_scored_is_no_number():
    restored, thin = pictures((4, 9))
    assert math.isnan(patch_scores(restored, thin, 1.0).ssim)
    nothing = patch_scores(restored, thin, 1.0, np.zeros(thin.shape, bool))
    assert math.isnan(nothing.psnr_db)
    assert nothing.pixels == 0
    assert patch_scores(thin, thin, 1.0).psnr_db == math.inf
