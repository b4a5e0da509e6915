"""Protocol tvsrn equals its authors' functions, on fixtures made with them."""

import json

import numpy as np
import pytest

from support.paths import FIXTURES
from thinslice.interfaces import ScoringInput
from thinslice.protocols import tvsrn
from thinslice.volume import Grid, Volume

METRICS = FIXTURES / "metrics"
GOLDEN = json.loads((METRICS / "tvsrn.json").read_text())
PSNR_ATOL, SSIM_ATOL = (GOLDEN["tolerance"][k] for k in ("psnr_atol", "ssim_atol"))
CASES = tuple(GOLDEN["values"])


def unit_pair(case):
    """Restored and thin of one fixture, float32 in about [0, 1]."""
    with np.load(METRICS / "pair.npz") as z:
        thin, restored = (z[k].astype(np.float32) / 4096 for k in ("gt", "pred"))
    if case == "smooth_pair":
        return restored, thin
    if case == "identical":
        return thin, thin
    if case == "outside_unit_range":
        with np.load(METRICS / "tvsrn.npz") as z:
            return z["pred_wide"], z["gt_wide"]
    if case == "constant_shift":
        return np.full((14, 12, 13), 0.5, np.float32), np.full((14, 12, 13), 0.25, np.float32)
    thin = thin[:16]  # pred_clamped_to_gt
    return np.where(thin == 0, np.float32(-0.5), thin), thin


def asked(restored, thin, modality="CT"):
    """A question in HU about volumes in the authors' unit."""
    grid = Grid(n=len(thin), increment_mm=1, thickness_mm=1, shape=thin.shape[1:], pixel_mm=(1, 1))
    r, t = (v * np.float32(3072) - np.float32(1024) for v in (restored, thin))
    thin_volume = Volume(t, grid, modality)
    return ScoringInput(Volume(r, grid, modality), thin_volume, thin_volume)


@pytest.mark.parametrize("case", CASES)
def test_functions_equal_the_authors(case):
    restored, thin = unit_pair(case)
    expected = GOLDEN["values"][case]["functions_on_raw_volumes"]
    slices = [tvsrn.slice_ssim(r, t) for r, t in zip(restored, thin)]
    assert tvsrn.volume_psnr(restored, thin) == pytest.approx(expected["psnr"], abs=PSNR_ATOL)
    np.testing.assert_allclose(slices, expected["ssim_per_slice"], rtol=0, atol=SSIM_ATOL)


@pytest.mark.parametrize("case", CASES)
def test_protocol_equals_the_authors(case):
    restored, thin = unit_pair(case)
    expected = GOLDEN["values"][case]["protocol"]
    psnr, ssim = tvsrn.build().score(asked(restored, thin))
    assert (psnr.metric, psnr.unit, ssim.metric) == ("psnr_db", "dB", "ssim")
    assert psnr.value == pytest.approx(expected["psnr"], abs=PSNR_ATOL)
    assert ssim.value == pytest.approx(expected["ssim"], abs=SSIM_ATOL)
    assert ssim.n == len(expected["ssim_per_slice"])


def test_restored_is_clamped_and_thin_is_not():
    unit = np.full((12, 11, 11), 0.5, np.float32)
    above = unit + np.float32(0.75)
    one = np.ones_like(unit)
    clamped, kept = (tvsrn.build().score(asked(*q))[0].value for q in ((above, one), (one, above)))
    assert clamped == 40.0
    assert kept == pytest.approx(20 * np.log10(4), abs=1e-4)


def test_ten_slices_and_mr_have_no_score_and_it_is_said(capsys):
    ten, twelve = (np.full((n, 11, 11), 0.5, np.float32) for n in (10, 12))
    assert tvsrn.build().score(asked(ten, ten)) == []
    assert "not CT of 10" in capsys.readouterr().err
    assert tvsrn.build().score(asked(twelve, twelve, "MR")) == []
    assert "not MR of 12" in capsys.readouterr().err
    assert len(tvsrn.build().score(asked(twelve, twelve))) == 2
