"""Protocol acvtt equals its authors' function, on fixtures made with it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from support.paths import FIXTURES
from support.scores import by_name
from thinslice.interfaces import ScoringInput
from thinslice.protocols import acvtt
from thinslice.volume import Grid, Volume

METRICS = FIXTURES / "metrics"
GOLDEN = json.loads((METRICS / "acvtt.json").read_text())
ATOL, FLOAT64_ATOL = (GOLDEN["tolerance"][k] for k in ("psnr_atol", "float64_atol"))
CASES = ("smooth_pair", "outside_unit_range")
VIEWS = {"axial": 0, "coronal": 1, "sagittal": 2}


def unit_pair(case):
    """Restored and thin of one fixture, float32 in about [0, 1]."""
    with np.load(METRICS / "pair.npz") as z:
        thin, restored = (z[k].astype(np.float32) / 4096 for k in ("gt", "pred"))
    if case == "smooth_pair":
        return restored, thin
    f = np.float32
    return restored * f(1.4) - f(0.2), thin * f(1.3) - f(0.15)


def asked(restored, thin, modality="CT", factor=5, window=(-1024, 3071)):
    """A question about volumes in the authors' unit; every ``factor``-th slice was shown."""
    grid = Grid(n=len(thin), increment_mm=1, thickness_mm=1, shape=thin.shape[1:], pixel_mm=(1, 1))
    span = np.float32(window[1] - window[0])
    r, t = (v * span + np.float32(window[0]) for v in (restored, thin))
    shown = grid.with_slices(n=len(t[::factor]), increment_mm=factor, thickness_mm=1, start_mm=0.0)
    thick = Volume(t[::factor], shown, modality)
    return ScoringInput(Volume(r, grid, modality), Volume(t, grid, modality), thick)


def scores(question, **settings):
    return by_name(acvtt.build(**settings).score(question))


@pytest.mark.parametrize("case", CASES)
def test_functions_equal_the_authors_in_float64(case):
    expected = GOLDEN["values"][f"{case};border_cut=True;skip_observed=False"]["float64"]
    restored, thin = (v.astype(float).clip(0, 1)[5:-5] for v in unit_pair(case))
    psnr, ssim = acvtt.volume_scores(restored, thin)
    assert psnr.value == pytest.approx(expected["psnr"], abs=FLOAT64_ATOL)
    assert ssim.value == pytest.approx(expected["ssim"], abs=FLOAT64_ATOL)


@pytest.mark.parametrize("case", CASES)
def test_the_protocol_equals_the_authors(case):
    found = scores(asked(*unit_pair(case)), skip_observed=True)
    for skipped, which in ((False, ""), (True, "_unobserved")):
        key = f"{case};border_cut=True;skip_observed={skipped}"
        expected = GOLDEN["values"][key]["float32"]
        assert found[f"psnr{which}_db"].value == pytest.approx(expected["psnr"], abs=ATOL)
        assert found[f"ssim{which}"].value == pytest.approx(expected["ssim"], abs=ATOL)
    assert found["psnr_db"].n == 14 * 48 * 48
    assert found["psnr_unobserved_db"].n == 11 * 48 * 48


def test_equal_volumes_are_infinite_as_with_the_authors():
    _, thin = unit_pair("smooth_pair")
    found = scores(asked(thin, thin))
    assert found["psnr_db"].value == math.inf
    assert found["ssim"].value == found["ssim coronal"].value == 1.0


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_the_mean_of_scikit_images_planes(view):
    question = asked(*unit_pair("outside_unit_range"))
    r, t = (
        np.moveaxis(v.clip(0, 1)[5:-5], VIEWS[view], 0) for v in unit_pair("outside_unit_range")
    )
    expected = np.mean([structural_similarity(a, b, data_range=1.0) for a, b in zip(r, t)])
    found = scores(question)[f"ssim {view}"]
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert found.n == len(r)


def test_the_same_error_in_hu_counts_less_in_the_wider_range():
    """3072 HU for RPLHR-CT, 4095 for the others: 2.5 dB."""
    restored, thin = (0.7 * v for v in unit_pair("smooth_pair"))
    question = asked(restored, thin)
    wide, narrow = (scores(question, ct=(-1024, high))["psnr_db"].value for high in (3071, 2048))
    assert wide - narrow == pytest.approx(20 * math.log10(4095 / 3072), abs=1e-4)


def test_mr_has_a_range_of_its_own():
    restored, thin = unit_pair("smooth_pair")
    mr = scores(asked(restored, thin, "MR", window=(0, 4095)))
    ct = scores(asked(restored, thin))
    assert mr.keys() == ct.keys()
    assert mr["psnr_db"].value == pytest.approx(ct["psnr_db"].value, abs=1e-4)


def test_where_other_slices_were_shown_nothing_is_called_unobserved(capsys):
    question = asked(*unit_pair("smooth_pair"), factor=4)
    assert "ssim_unobserved" not in scores(question, skip_observed=True)
    assert "every 5th" in capsys.readouterr().err
    assert "ssim" in scores(question, skip_observed=True)


def test_small_scans_have_no_score_and_it_is_said(capsys):
    restored, thin = unit_pair("smooth_pair")
    assert scores(asked(restored[:16], thin[:16])) == {}
    assert "more than 16 slices" in capsys.readouterr().err
    assert scores(asked(restored[:, :6], thin[:, :6])) == {}
    assert "24 slices of 6 x 48 pixels" in capsys.readouterr().err
    assert scores(asked(restored[:17, :7, :7], thin[:17, :7, :7]))


def test_a_grid_beside_the_thin_grid_is_refused_and_coarser_thick_pixels_are_not():
    question = asked(*unit_pair("smooth_pair"))
    moved = Volume(question.restored.voxels, replace(question.thin.grid, start_mm=0.5))
    with pytest.raises(ValueError, match="do not coincide"):
        scores(replace(question, restored=moved))
    coarse = replace(question.thick.grid, shape=(24, 24), pixel_mm=(2.0, 2.0))
    thick = Volume(np.ascontiguousarray(question.thick.voxels[:, ::2, ::2]), coarse)
    assert scores(replace(question, thick=thick)) == scores(question)
