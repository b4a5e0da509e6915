"""Noise where tissue is flat, against noise that is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from support.paths import REAL_SCANS
from thinslice import read
from thinslice.datasets import phantom
from thinslice.metrics.noise import noise
from thinslice.volume import Grid, Volume

FLAT = Grid(8, 1.0, 1.0, (96, 96), (0.7, 0.7))


@pytest.mark.parametrize("sigma", [3.0, 25.0])
@pytest.mark.parametrize("soft_mm", [0.0, 0.7])
def test_noise_counts_in_full_on_flat_and_sloping_ground_white_or_correlated(sigma, soft_mm):
    white = np.random.default_rng(1).standard_normal(FLAT.zyx)
    grain = gaussian_filter(white, (0, soft_mm / 0.7, soft_mm / 0.7)) if soft_mm else white
    slope = np.broadcast_to(np.arange(96.0), FLAT.zyx)
    for ground in (0 * slope, slope):
        voxels = (ground + sigma * grain / grain.std()).astype(np.float32)
        assert noise(Volume(voxels, FLAT)) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize(
    ("mtf50", "noise_hu"),
    [
        (0.25, 6.0),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in
          [(0.35, 6.0), (0.7, 6.0), (0.25, 30.0), (0.35, 30.0), (0.7, 30.0)]),  # 8 s each
    ],
)  # fmt: skip
def test_noise_of_the_phantom_is_measured_within_15_percent_with_any_kernel(mtf50, noise_hu):
    how = {
        "seed": 1, "patients": {"test": 1}, "length_mm": 30.0, "shape": (128, 176),
        "pixel_mm": (1.0, 1.0), "thick": {"mtf50_per_mm": mtf50},
    }  # fmt: skip
    with_noise = phantom.build(**how, noise_hu=noise_hu).case("test", 0)
    without = phantom.build(**how, noise_hu=0.0).case("test", 0)
    for noisy, clean in ((with_noise.thin, without.thin), (with_noise.thick, without.thick)):
        soft = (clean.voxels > -150) & (clean.voxels < 200)
        known = float((noisy.voxels - clean.voxels)[soft].std())
        assert noise(noisy) == pytest.approx(known, rel=0.15)
        assert noise(clean) < 0.5


@pytest.mark.parametrize(
    ("scan", "low", "high"),
    [
        ("thin/chest_lidc0314_philips_1.0mm", 15, 25),
        ("thin/chest_riderpilot0117_ge_1.25x0.8mm", 10, 20),
        ("thick/abdomen_crlm1004_ge_5mm", 5, 12),
        ("pair/phantom_head_philips_5mm_UB", 1, 4),
    ],
)
def test_noise_of_real_scans_is_their_local_deviation(scan, low, high):
    path = REAL_SCANS / f"{scan}.nii.gz"
    if not path.exists():
        pytest.skip("the real scans are not here")
    assert low < noise(read(path).volume) < high


def test_air_has_no_noise_to_measure_nor_has_a_tiny_slice():
    air = np.full(FLAT.zyx, -1000, np.float32)
    assert noise(Volume(air, FLAT)) is None
    tiny = Grid(8, 1.0, 1.0, (4, 96), (0.7, 0.7))
    assert noise(Volume(np.zeros(tiny.zyx, np.float32), tiny)) is None


def test_a_bone_specimen_is_measured_where_there_is_no_soft_tissue():
    bone = 900 + 20 * np.random.default_rng(1).standard_normal(FLAT.zyx)
    assert noise(Volume(bone.astype(np.float32), FLAT)) == pytest.approx(20, rel=0.15)
