"""Protocol saint equals its authors' function, where its outputs lie, and its formula."""

import math

import numpy as np
import pytest

from support.goldens import golden
from thinslice.interfaces import ScoringInput
from thinslice.protocols import saint
from thinslice.volume import Grid, Padding, Volume


def asked(restored, thin, factor=5, modality="CT", phase=0, padding=None) -> ScoringInput:
    """A question about volumes [Z, Y, X] in the authors' unit; every ``factor``-th was shown."""
    grid = Grid(len(thin), 1.0, 1.0, thin.shape[1:], (1.0, 1.0))
    shown = np.arange(phase, len(thin), factor)
    thick = grid.with_slices(
        n=len(shown), increment_mm=float(factor), thickness_mm=1.0, start_mm=float(phase)
    )
    r, t = (v.astype(np.float32) - 1024 for v in (restored, thin))
    return ScoringInput(
        Volume(r, grid, modality),
        Volume(t, grid, modality, padding),
        Volume(t[shown], thick, modality),
    )


@pytest.mark.parametrize("factor", [4, 5, 6])
@pytest.mark.parametrize("name", ["sag", "cor", "ref"])
def test_it_equals_the_authors(factor, name):
    meta, arrays = golden("metrics", "saint")
    volumes = {key: np.moveaxis(array, 2, 0) for key, array in arrays.items()}
    values = meta["values"][f"factor {factor}"]
    k = values["order"].index(name)
    protocol = saint.build(crop=[128, 384])
    [score] = protocol.score(asked(volumes[name], volumes["hr"], factor))
    assert score.value == pytest.approx(values["psnr_unrounded_recomputed"][k], abs=1e-4)
    assert round(score.value, 2) == values["psnr_rounded"][k]
    assert score.n == (24 - len(range(0, 24, factor))) * 32 * 24


@pytest.mark.parametrize("factor", [2, 5])
def test_it_is_the_error_of_slices_not_shown_in_a_window_of_4000(factor):
    rng = np.random.default_rng(1)
    thin = rng.uniform(-300, 4300, (11, 16, 20))
    restored = thin + rng.normal(0, 400, thin.shape)
    [score] = saint.build(crop=[3, 12]).score(asked(restored, thin, factor))
    left = [k for k in range(11) if k % factor]
    r, t = (v[left, 3:12, 3:12].clip(0, 4000) / 4000 for v in (restored, thin))
    assert score.value == pytest.approx(-10 * math.log10(np.mean((r - t) ** 2)), abs=1e-5)
    assert score.n == len(left) * 9 * 9


def scene(seed: int = 0, shape=(11, 16, 20)) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 4000, shape)


def test_by_default_the_middle_half_counts_which_is_theirs_of_512():
    thin = scene()
    restored = thin.copy()
    restored[:, 4:12, 5:15] += 100
    [score] = saint.build().score(asked(restored.clip(0, 4000), thin))
    restored += 777
    restored[:, 4:12, 5:15] -= 777
    [same] = saint.build().score(asked(restored.clip(0, 4000), thin))
    assert same == score
    assert score.n == 8 * 8 * 10
    assert (512 // 4, 512 - 512 // 4) == (128, 384)


def test_slices_at_the_places_of_thick_ones_do_not_count_at_any_phase():
    thin = scene()
    for phase in (0, 2):
        restored = thin.copy()
        restored[phase::5] = 0
        [score] = saint.build().score(asked(restored, thin, phase=phase))
        assert score.value == math.inf


def test_padding_mr_and_scans_without_a_slice_left_are_passed_over(capsys):
    thin = scene()
    padding = Padding(np.ones(thin.shape, np.uint8), (-2000.0,))
    for question in (
        asked(thin, thin, modality="MR"),
        asked(thin, thin, factor=1),
        asked(thin, thin, padding=padding),
    ):
        assert saint.build().score(question) == []
        assert "protocol saint scores" in capsys.readouterr().err
