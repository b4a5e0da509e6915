"""Protocol georgescu equals its authors' functions, on fixtures made with them."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from support.paths import FIXTURES
from thinslice.interfaces import ScoringInput
from thinslice.metrics.ssim_uniform import plane_scores
from thinslice.protocols import georgescu
from thinslice.volume import Grid, Volume

METRICS = FIXTURES / "metrics"
GOLDEN = json.loads((METRICS / "georgescu.json").read_text())
VALUES = GOLDEN["values"]
PSNR_ATOL, SSIM_ATOL = (GOLDEN["tolerance"][k] for k in ("psnr_atol", "ssim_atol"))
AS_GREY = {"window": (0, 255)}  # values are grey levels


def greys():
    """Restored, not whole and some above 255, and thin: whole grey levels, float32."""
    with np.load(METRICS / "pair.npz") as z:
        thin, restored = (z[k].astype(np.float32) / 4096 for k in ("gt", "pred"))
    return 262 * restored, np.round(255 * thin)


def asked(restored, thin, modality="CT"):
    grid = Grid(n=len(thin), increment_mm=1, thickness_mm=1, shape=thin.shape[1:], pixel_mm=(1, 1))
    r, t = (Volume(np.float32(v), grid, modality) for v in (restored, thin))
    return ScoringInput(r, t, t)


def scores(question, **settings):
    return {s.metric: s for s in georgescu.build(**settings).score(question)}


def test_slices_equal_the_authors():
    restored, thin = (georgescu.to_8_bits(v) for v in greys())
    decibel = [georgescu.slice_psnr(r, t) for r, t in zip(restored, thin)]
    np.testing.assert_allclose(decibel, VALUES["psnr_per_slice"], rtol=0, atol=PSNR_ATOL)
    ssim = plane_scores(restored, thin, 255.0)
    np.testing.assert_allclose(ssim, VALUES["ssim_per_slice"], rtol=0, atol=SSIM_ATOL)


def test_the_protocol_equals_the_authors():
    found = scores(asked(*greys()), **AS_GREY)
    n = len(VALUES["psnr_per_slice"])
    assert {s.n for s in found.values()} == {n}
    assert found["psnr_db"].value * n == pytest.approx(VALUES["psnr_sum"], abs=n * PSNR_ATOL)
    assert found["ssim"].value * n == pytest.approx(VALUES["ssim_sum"], abs=n * SSIM_ATOL)


def test_rows_weighted_by_n_are_the_mean_over_all_slices_of_all_scans():
    restored, thin = greys()
    parts = [scores(asked(restored[k], thin[k]), **AS_GREY) for k in (slice(0, 9), slice(9, None))]
    pooled = sum(p["ssim"].value * p["ssim"].n for p in parts) / sum(p["ssim"].n for p in parts)
    assert pooled == pytest.approx(VALUES["ssim_sum"] / 24, abs=1e-9)
    assert np.mean([p["ssim"].value for p in parts]) != pytest.approx(pooled, abs=1e-6)


def test_equal_slices_are_100_db():
    _, thin = greys()
    found = scores(asked(thin, thin), **AS_GREY)
    assert found["psnr_db"].value == VALUES["psnr_identical"]
    assert found["ssim"].value == 1.0


def test_levels_are_truncated_after_clipping():
    np.testing.assert_array_equal(
        georgescu.to_8_bits(np.array([-3.0, 0.99, 254.99, 255.0, 700.0])), [0, 0, 254, 255, 255]
    )


def test_the_default_level_is_sixteen_hu():
    """Errors within one level cost nothing, one of a level 20 log10(255) dB."""
    thin = np.full((3, 8, 8), -1024 + 100.1 * 4095 / 255)
    within, beside = (scores(asked(thin + hu, thin))["psnr_db"].value for hu in (12, 16))
    assert within == 100.0
    assert beside == pytest.approx(20 * math.log10(255), abs=1e-9)


def test_mr_levels_are_the_thick_scans_percentiles():
    restored, thin = greys()
    found = [scores(asked(gain * restored, gain * thin, "MR")) for gain in (1, 16)]
    assert found[0]["psnr_db"].value == pytest.approx(found[1]["psnr_db"].value, abs=0.02)
    assert found[0]["ssim"].value == pytest.approx(found[1]["ssim"].value, abs=1e-3)


def test_black_slices_are_dropped_but_the_first_is_kept():
    restored, thin = greys()
    thin[[0, 3, 4]] = 0
    question = asked(restored, thin)
    kept = np.delete(np.arange(len(thin)), [3, 4])
    expected = scores(asked(restored[kept], thin[kept]), **AS_GREY)
    assert scores(question, **AS_GREY, drop_black=True) == expected
    assert scores(question, **AS_GREY)["ssim"].n == len(thin)


def test_slices_without_a_window_have_no_score_and_it_is_said(capsys):
    restored, thin = greys()
    assert scores(asked(restored[:, :6], thin[:, :6])) == {}
    assert "slices of 7 x 7 pixels, not CT of 24 slices of 6 x 48" in capsys.readouterr().err
    assert scores(asked(restored[:1], thin[:1]))


def test_a_grid_beside_the_thin_grid_is_refused():
    question = asked(*greys())
    moved = Volume(question.restored.voxels, replace(question.thin.grid, start_mm=0.5))
    with pytest.raises(ValueError, match="do not coincide"):
        scores(replace(question, restored=moved))
