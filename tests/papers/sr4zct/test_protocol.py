"""Protocol sr4zct: which images are central, what is empty, and scores in closed form."""

import math
from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.metrics.body_mask import body_mask
from thinslice.protocols import sr4zct
from thinslice.volume import Grid, Volume

GRID = Grid(n=20, increment_mm=1, thickness_mm=1, shape=(40, 50), pixel_mm=(2.0, 2.0))
ROWS, COLUMNS = slice(8, 32), slice(6, 42)  # of the body: 24 x 36
METRICS = ("psnr_db coronal", "ssim coronal", "psnr_db sagittal", "ssim sagittal")


def body():
    """A rounded block of noisy tissue in air; its rows and columns are known."""
    hu = np.full(GRID.zyx, -1000.0)
    hu[:, ROWS, COLUMNS] = 40 + np.random.default_rng(0).normal(0, 25, (20, 24, 36))
    return hu.astype(np.float32)


def asked(error=0.0, thin=None, modality="CT"):
    thin = body() if thin is None else thin
    restored = (thin + error).astype(np.float32)
    t = Volume(thin, GRID, modality)
    return ScoringInput(Volume(restored, GRID, modality), t, t)


def scores(question, **settings):
    return by_name(sr4zct.build(**settings).score(question))


def test_the_box_is_the_thin_bodys():
    assert sr4zct.body_box(body_mask(body(), GRID.pixel_mm)) == (slice(0, 20), ROWS, COLUMNS)


def test_a_known_error_in_closed_form():
    found = scores(asked(-7.0))
    assert tuple(found) == METRICS
    for view in ("coronal", "sagittal"):
        expected = 20 * math.log10(4095 / 7)
        assert found[f"psnr_db {view}"].value == pytest.approx(expected, abs=1e-4)
    assert found["psnr_db coronal"].n == found["ssim coronal"].n == 12  # of 24 rows
    assert found["psnr_db sagittal"].n == 18  # of 36 columns


def test_it_is_the_mean_of_scikit_images_scores_of_central_images():
    question = asked(np.random.default_rng(1).normal(0, 40, GRID.zyx))
    found = scores(question)
    r, t = (v.voxels[:, ROWS, COLUMNS].astype(float) for v in (question.restored, question.thin))
    views = {"coronal": (1, range(6, 18)), "sagittal": (2, range(9, 27))}
    for view, (axis, central) in views.items():
        images = [(np.take(t, k, axis), np.take(r, k, axis)) for k in central]
        psnr = np.mean([peak_signal_noise_ratio(*pair, data_range=4095) for pair in images])
        ssim = np.mean([structural_similarity(*pair, data_range=4095) for pair in images])
        assert found[f"psnr_db {view}"].value == pytest.approx(psnr, abs=1e-5)
        assert found[f"ssim {view}"].value == pytest.approx(ssim, abs=1e-9)


def test_what_lies_outside_the_box_or_the_middle_does_not_count():
    error = np.full(GRID.zyx, 500.0)
    error[:, 14:26, COLUMNS] = 0.0  # the central rows
    found = scores(asked(error))
    assert found["psnr_db coronal"].value == math.inf
    assert found["ssim coronal"].value == 1.0
    assert found["psnr_db sagittal"].value < 60
    whole = scores(asked(error), central=1.0)
    assert whole["psnr_db coronal"].n == 24
    assert whole["ssim coronal"].value < 1.0


def test_the_restored_volume_moves_no_box():
    question = asked(-2000.0)
    assert scores(question)["ssim coronal"].n == 12


def test_the_range_is_the_peak_alone():
    wide, narrow = (scores(asked(5.0), window=(-1024, high)) for high in (3071, 2048))
    change = wide["psnr_db coronal"].value - narrow["psnr_db coronal"].value
    assert change == pytest.approx(20 * math.log10(4095 / 3072), abs=1e-9)


def test_what_it_cannot_score_has_no_row_and_it_is_said(capsys):
    assert scores(asked(modality="MR")) == {}
    assert "not MR of 20" in capsys.readouterr().err
    assert scores(asked(thin=np.full(GRID.zyx, -1000, np.float32))) == {}
    few = body()
    few[:, 14:] = -1000  # six rows of body are left
    assert scores(asked(thin=few)) == {}
    assert capsys.readouterr().err.count("protocol sr4zct scores CT with a body") == 2


def test_settings_and_grids_that_mean_nothing_are_refused():
    for central in (0.0, 1.5):
        with pytest.raises(ValueError, match="share of the body"):
            sr4zct.build(central=central)
    with pytest.raises(ValueError, match="high > low"):
        sr4zct.build(window=(10, 10))
    moved = Volume(body(), replace(GRID, start_mm=0.5))
    with pytest.raises(ValueError, match="do not coincide"):
        scores(replace(asked(), restored=moved))
