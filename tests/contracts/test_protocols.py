"""The contract of every protocol: a perfect volume is best, rows are whole, nothing is touched."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from support.cards import cards
from support.scores import by_name
from thinslice import plugins
from thinslice.columns import metric_name, metric_of
from thinslice.degradations import profile
from thinslice.interfaces import Score, ScoringInput
from thinslice.report.tables import wording
from thinslice.volume import Grid, Volume

CARDS = cards("protocols")
GRID = Grid(40, 1.0, 1.0, (32, 34), (2.0, 2.0))
MEANS = profile.build(shape="box", thickness_mm=5.0, increment_mm=5.0)
BODY = np.hypot(*(np.mgrid[:32, :34] - np.array([15.5, 16.5])[:, None, None])) < 12
WRONG = {  # what a method may do to a volume; enough of it for a protocol that calls 40 dB perfect
    "nothing": lambda thin: thin,
    "noise": lambda thin: thin + np.random.default_rng(1).normal(0, 60, thin.shape),
    "an offset": lambda thin: thin - 60,
    "blur along z": lambda thin: uniform_filter1d(thin, 9, axis=0),
    "another place": lambda thin: np.roll(thin, 3, axis=0),
}


def thin_hu() -> np.ndarray:
    """A cylinder of noisy tissue in air that waves along z."""
    wave = 80 * np.sin(np.arange(40) / 2)[:, None, None]
    noise = np.random.default_rng(0).normal(0, 25, GRID.zyx)
    return np.clip(np.where(BODY, 40 + wave, -1000) + noise, -1024, 2000)


def asked(wrong: str = "nothing") -> ScoringInput:
    thin = thin_hu().astype(np.float32)
    thick_grid = MEANS.thick_grid(GRID)
    matrix = MEANS.matrix(GRID, thick_grid)
    thick = (matrix @ thin.reshape(40, -1)).reshape(thick_grid.zyx).astype(np.float32)
    restored = np.asarray(WRONG[wrong](thin), np.float32)
    return ScoringInput(
        Volume(restored, GRID), Volume(thin, GRID), Volume(thick, thick_grid), matrix
    )


def scores(name: str, question: ScoringInput) -> dict[str, Score]:
    return by_name(plugins.build("protocols", CARDS[name]).score(question))


@pytest.fixture(scope="module", params=CARDS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def perfect(name) -> dict[str, Score]:
    return scores(name, asked())


def test_every_row_is_whole(perfect):
    assert any(score.better for score in perfect.values())
    for score in perfect.values():
        assert isinstance(score, Score)
        assert score.metric
        assert metric_of(metric_name(score._asdict()))["metric"] == score.metric
        assert score.metric == score.metric.lower()
        assert score.unit
        assert score.better in ("lower", "higher", "")
        assert isinstance(score.value, float)
        assert not math.isnan(score.value)
        assert score.n >= 1


def test_it_declares_its_metrics(name, perfect):
    """Planning refuses settings that name none of them."""
    declared = plugins.module("protocols", CARDS[name]).METRICS
    assert {score.metric for score in perfect.values()} <= set(declared)


def test_tables_print_every_ranked_metric_in_words(perfect):
    for score in perfect.values():
        if score.better:
            assert "_" not in wording.metric_name(score._asdict()), score


def test_a_perfect_volume_has_no_error_and_full_likeness(perfect):
    for score in perfect.values():
        if score.better == "lower":
            assert score.value == pytest.approx(0, abs=1e-4), score
        if score.better == "higher" and score.unit == "1":
            assert score.value == pytest.approx(1, abs=1e-6), score


@pytest.mark.parametrize("wrong", [wrong for wrong in WRONG if wrong != "nothing"])
def test_no_wrong_volume_is_better_than_the_perfect_one(name, perfect, wrong):
    found = scores(name, asked(wrong))
    assert set(found) == set(perfect)
    beaten = 0
    for metric, score in found.items():
        best = perfect[metric].value
        if score.better == "lower":
            assert score.value >= best
        if score.better == "higher":
            assert score.value <= best
        beaten += bool(score.better) and score.value != best
    assert beaten >= sum(bool(score.better) for score in found.values()) / 2


def test_asked_twice_it_answers_the_same_and_leaves_the_volumes_alone(name):
    question = asked("noise")
    assert list(scores(name, question).values()) == list(scores(name, question).values())
    for part in ("restored", "thin", "thick"):
        same = getattr(asked("noise"), part)
        np.testing.assert_array_equal(getattr(question, part).voxels, same.voxels)


def test_a_case_it_cannot_score_gives_no_rows_and_no_failure(name):
    """Own scans may be MR or short: what one protocol cannot score costs no other its rows."""
    question = asked("noise")
    mr = {k: replace(getattr(question, k), modality="MR") for k in ("restored", "thin", "thick")}
    assert all(score.unit != "HU" for score in scores(name, replace(question, **mr)).values())
