"""Protocol inversesr equals its authors' functions, on the pair they were run on."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from support.goldens import described
from support.paths import FIXTURES
from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.metrics import ssim_unclipped
from thinslice.protocols import inversesr
from thinslice.volume import Grid, Modality, Padding, Volume


def pair() -> tuple[np.ndarray, np.ndarray]:
    """Restored and thin, float64 in [0, 1], as the golden's functions were given them."""
    with np.load(FIXTURES / "metrics" / "pair.npz") as arrays:
        restored, thin = (0.8 * arrays[k] / 4096 + 0.07 for k in ("pred", "gt"))
    return restored * 1.1 - 0.03, thin


def question(
    restored: np.ndarray,
    thin: np.ndarray,
    modality: Modality = "CT",
    padding: Padding | None = None,
) -> ScoringInput:
    """A case whose values are HU in the protocol's window, -1024 to 3071."""
    grid = Grid(len(thin), 1.0, 1.0, thin.shape[1:], (1.0, 1.0))
    few = grid.with_slices(n=5, increment_mm=5.0, thickness_mm=5.0, start_mm=0.0)
    r, t = (np.asarray(v * 4095 - 1024, np.float32) for v in (restored, thin))
    thick = np.resize(np.linspace(0, 1000, 1001), few.zyx).astype(np.float32)
    return ScoringInput(
        Volume(r, grid, modality),
        Volume(t, grid, modality, padding),
        Volume(thick, few, modality),
    )


def test_it_equals_the_authors():
    values = described("metrics", "inversesr")["values"]
    restored, thin = pair()
    exact = by_name(inversesr.volume_scores(restored, thin))
    scored = by_name(inversesr.build().score(question(restored, thin)))
    for name, key in (("psnr_db", "psnr"), ("ssim", "ssim"), ("mse", "mse"), ("nmse", "nmse")):
        assert exact[name].value == pytest.approx(values[key], abs=1e-9)
        assert scored[name].value == pytest.approx(values[key], abs=1e-4)


def test_ssim_is_scikit_images_for_values_beyond_the_range_too():
    rng = np.random.default_rng(0)
    thin = rng.normal(0.5, 0.8, (13, 17, 15))
    restored = thin + rng.normal(0, 0.3, thin.shape)
    expected = structural_similarity(
        restored,
        thin,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        win_size=11,
    )
    found, windows = ssim_unclipped.unclipped_score(restored, thin)
    assert found == pytest.approx(expected, abs=1e-9)
    assert windows == 3 * 7 * 5
    with pytest.raises(ValueError, match="window of 11"):
        ssim_unclipped.unclipped_score(thin[:10], thin[:10])


def test_the_peak_is_the_range_of_both_so_one_wild_voxel_raises_psnr():
    restored, thin = pair()
    calm = by_name(inversesr.volume_scores(restored, thin))
    wild = restored.copy()
    wild[0, 0, 0] = 8.0
    scores = by_name(inversesr.volume_scores(wild, thin))
    assert scores["mse"].value > calm["mse"].value
    assert scores["psnr_db"].value > calm["psnr_db"].value
    lowest = min(restored.min(), thin.min())
    ours = 10 * np.log10((8.0 - lowest) ** 2 / scores["mse"].value)
    assert scores["psnr_db"].value == pytest.approx(ours, abs=1e-9)


def test_without_an_error_it_is_perfect_and_mr_is_scaled_by_the_thick_scan():
    restored, thin = pair()
    perfect = by_name(inversesr.build().score(question(thin, thin)))
    assert perfect["psnr_db"].value == np.inf
    assert perfect["ssim"].value == 1.0
    assert perfect["mse"].value == perfect["nmse"].value == 0
    case = question(restored, thin, "MR")
    low, high = np.percentile(case.thick.voxels, (0.5, 99.5))
    r, t = ((v.voxels.astype(float) - low) / (high - low) for v in (case.restored, case.thin))
    for score in inversesr.volume_scores(r, t):
        found = by_name(inversesr.build().score(case))[score.metric]
        assert found.value == pytest.approx(score.value, rel=1e-6)


@pytest.mark.parametrize(
    ("padded", "known"),
    [(np.s_[:, :4], np.s_[:, 4:]), (np.s_[:1], np.s_[1:])],
    ids=["rows", "slices"],
)
def test_padding_decides_nothing(padded, known):
    restored, thin = pair()
    mask = np.zeros(thin.shape, bool)
    mask[padded] = True
    spoiled = np.where(mask, -9.0, thin)
    labels = Padding.of(mask, spoiled * 4095 - 1024)
    scores = by_name(inversesr.build().score(question(restored, spoiled, padding=labels)))
    for score in inversesr.volume_scores(restored[known], thin[known]):
        assert scores[score.metric].value == pytest.approx(score.value, abs=1e-4)
        assert scores[score.metric].n == score.n


@pytest.mark.parametrize(
    "thin", [np.zeros((12, 12, 12)), np.random.default_rng(0).random((12, 12, 10))]
)
def test_flat_or_small_volumes_get_no_row(thin, capsys):
    assert inversesr.build().score(question(thin, thin)) == []
    assert "protocol inversesr scores 11 voxels or more" in capsys.readouterr().err
