"""Protocol i3net equals its authors' functions, where their outputs lie, and its formulas."""

import math

import numpy as np
import pytest
from scipy.signal import convolve2d

from support.goldens import described
from support.paths import FIXTURES
from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.protocols import i3net
from thinslice.volume import Grid, Padding, Volume

THEIRS = {"axial": "axial", "coronal": "fixed_row", "sagittal": "fixed_column"}


def asked(restored, thin, factor=5, modality="CT", padding=None) -> ScoringInput:
    """A question about volumes in the authors' unit; every ``factor``-th slice was shown."""
    grid = Grid(len(thin), 1.0, 1.0, thin.shape[1:], (1.0, 1.0))
    r, t = (np.asarray(v, np.float32) * 4095 - 1024 for v in (restored, thin))
    thick = grid.with_slices(
        n=len(t[::factor]), increment_mm=float(factor), thickness_mm=1.0, start_mm=0.0
    )
    return ScoringInput(
        Volume(r, grid, modality),
        Volume(t, grid, modality, padding),
        Volume(t[::factor], thick, modality),
    )


@pytest.fixture(scope="module")
def pair():
    with np.load(FIXTURES / "metrics" / "pair.npz") as z:
        return tuple(z[k].astype(np.float32) / 4096 for k in ("pred", "gt"))


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_it_equals_the_authors(pair, factor):
    meta = described("metrics", "i3net")
    expected, tolerance = meta["values"][f"U={factor}"], meta["tolerance"]
    found = by_name(i3net.build().score(asked(*pair, factor)))
    assert found["psnr_db"].value == pytest.approx(expected["psnr"], abs=tolerance["psnr_atol"])
    assert found["psnr_db"].n == expected["slices_left"] * 48 * 48
    for view, theirs in THEIRS.items():
        value = found[f"ssim {view}"].value
        assert value == pytest.approx(expected[f"ssim_{theirs}"], abs=tolerance["ssim_atol"])


def plain_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Mean SSIM of two planes, from one 11 x 11 window with zeros around."""
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    mx, my, xx, yy, xy = (convolve2d(v, window, "same") for v in (x, y, x * x, y * y, x * y))
    likeness = (2 * mx * my + 1e-4) * (2 * (xy - mx * my) + 9e-4)
    likeness /= (mx**2 + my**2 + 1e-4) * (xx - mx**2 + yy - my**2 + 9e-4)
    return float(likeness.mean())


@pytest.mark.parametrize(("factor", "last"), [(2, 21), (3, 19), (5, 16)])
def test_it_is_the_error_and_likeness_of_the_slices_left(factor, last):
    """Of 23 slices; seen ones count."""
    rng = np.random.default_rng(1)
    thin = rng.uniform(0, 1, (23, 14, 13))
    restored = thin + rng.normal(0, 0.2, thin.shape)
    found = by_name(i3net.build().score(asked(restored, thin, factor)))
    r, t = (v[factor:last] for v in (restored.clip(0, 1), thin))
    expected = -10 * math.log10(np.mean((r - t) ** 2))
    assert found["psnr_db"].value == pytest.approx(expected, abs=1e-4)
    for axis, view in enumerate(("axial", "coronal", "sagittal")):
        planes = zip(np.moveaxis(r, axis, 0), np.moveaxis(t, axis, 0))
        expected = np.mean([plain_ssim(*plane) for plane in planes])
        assert found[f"ssim {view}"].value == pytest.approx(expected, abs=1e-5)


def test_the_ends_and_all_but_the_middle_pixels_do_not_count():
    thin = np.random.default_rng(0).uniform(0, 1, (18, 260, 12))
    restored = thin.copy()
    restored[:5] = restored[11:] = 0  # 18 slices less 2, less five at each end
    restored[:, :2] = restored[:, 258:] = 0
    found = by_name(i3net.build().score(asked(restored, thin)))
    assert found["psnr_db"].value == math.inf
    assert found["psnr_db"].n == 6 * 256 * 12


def test_the_restored_volume_is_clipped_and_the_thin_one_is_not():
    thin = np.full((16, 12, 12), 0.5)
    psnr = [
        by_name(i3net.build().score(asked(np.full_like(thin, value), thin + more)))["psnr_db"].value
        for value, more in ((1.0, 0), (7.0, 0), (1.0, 0.25))
    ]
    assert psnr[0] == pytest.approx(-20 * math.log10(0.5), abs=1e-5)
    assert psnr[1] == psnr[0]
    assert psnr[2] == pytest.approx(-20 * math.log10(0.25), abs=1e-5)


def test_padding_is_left_out():
    thin = np.random.default_rng(0).uniform(0, 1, (21, 30, 30))
    labels = np.zeros(thin.shape, np.uint8)
    labels[:, :8] = 1
    restored = np.where(labels, 0, thin)
    found = by_name(i3net.build().score(asked(restored, thin, padding=Padding(labels, (-2000.0,)))))
    assert found["psnr_db"].value == math.inf
    assert found["psnr_db"].n == 11 * 22 * 30
    assert all(found[f"ssim {view}"].value == 1 for view in THEIRS)


def test_mr_short_and_empty_scans_are_passed_over(capsys):
    thin = np.random.default_rng(0).uniform(0, 1, (16, 12, 12))
    empty = Padding(np.ones(thin.shape, np.uint8), (-2000.0,))
    for question in (
        asked(thin, thin, modality="MR"),
        asked(thin[:10], thin[:10]),
        asked(thin, thin, padding=empty),
    ):
        assert i3net.build().score(question) == []
        assert "protocol i3net scores" in capsys.readouterr().err
