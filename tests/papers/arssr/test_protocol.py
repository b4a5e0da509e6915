"""Protocol arssr equals its authors' functions, on the pair they were run on."""

import numpy as np
import pytest

from support.goldens import described
from support.paths import FIXTURES
from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.protocols import arssr
from thinslice.volume import Grid, Padding, Volume


def pair() -> tuple[np.ndarray, np.ndarray]:
    """Restored and thin, float64, as the golden's functions were given them."""
    with np.load(FIXTURES / "metrics" / "pair.npz") as arrays:
        restored, thin = (0.8 * arrays[k] / 4096 + 0.07 for k in ("pred", "gt"))
    return restored, thin


def question(
    restored: np.ndarray, thin: np.ndarray, padding: Padding | None = None
) -> ScoringInput:
    grid = Grid(len(thin), 1.0, 1.0, thin.shape[1:], (1.0, 1.0))
    few = grid.with_slices(n=5, increment_mm=5.0, thickness_mm=5.0, start_mm=0.0)
    volumes = (Volume(v.astype(np.float32), grid) for v in (restored, thin))
    return ScoringInput(
        next(volumes),
        next(volumes).with_padding(padding),
        Volume(np.zeros(few.zyx, np.float32), few),
    )


def test_it_equals_the_authors():
    meta = described("metrics", "arssr")
    restored, thin = pair()
    psnr, ssim = arssr.volume_scores(restored, thin, float(np.ptp(thin)))
    assert psnr.value == pytest.approx(meta["values"]["psnr"], abs=1e-9)
    assert ssim.value == pytest.approx(meta["values"]["ssim"], abs=1e-9)
    scores = by_name(arssr.build().score(question(restored, thin)))
    assert scores["psnr_db"].value == pytest.approx(meta["values"]["psnr"], abs=1e-4)
    assert scores["ssim"].value == pytest.approx(meta["values"]["ssim"], abs=1e-5)


def test_it_is_infinite_without_an_error_and_the_peak_is_the_thin_range():
    _, thin = pair()
    assert by_name(arssr.build().score(question(thin, thin)))["psnr_db"].value == np.inf
    worse = by_name(arssr.build().score(question(thin + 0.01, thin)))["psnr_db"].value
    assert worse == pytest.approx(20 * np.log10(np.ptp(thin) / 0.01), abs=1e-3)


def test_padding_decides_nothing():
    restored, thin = pair()
    mask = np.zeros(thin.shape, bool)
    mask[:, :4] = True
    spoiled = np.where(mask, -9.0, thin)
    labels = Padding.of(mask, spoiled)
    scores = by_name(arssr.build().score(question(restored, spoiled, labels)))
    expected = arssr.volume_scores(restored[:, 4:], thin[:, 4:], float(np.ptp(thin[:, 4:])))
    for score in expected:
        assert scores[score.metric].value == pytest.approx(score.value, abs=1e-4)
        assert scores[score.metric].n == score.n


@pytest.mark.parametrize("thin", [np.zeros((9, 9, 9)), np.random.default_rng(0).random((9, 9, 6))])
def test_flat_or_small_volumes_get_no_row(thin, capsys):
    assert arssr.build().score(question(thin, thin)) == []
    assert "protocol arssr scores 7 voxels or more" in capsys.readouterr().err
