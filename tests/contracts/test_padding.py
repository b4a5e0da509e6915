"""The contract of padding: no method, protocol or measurement depends on the number in it.

A new module in ``thinslice/methods`` or ``thinslice/protocols`` is under it as it is.
"""

from dataclasses import replace

import numpy as np
import pytest

from support.cards import cards, with_settings
from support.padded_scans import NUMBERS, THICK, THIN, as_in_file, outside
from support.tiny_methods import A_FAMILY_EACH, ALL, FITTED, RUN, tiny
from thinslice import plugins
from thinslice.interfaces import Pair, ScoringInput
from thinslice.io.padding import with_padding
from thinslice.metrics.noise import noise
from thinslice.metrics.slice_pairs import slice_pairs
from thinslice.operators.degradation import thick_of
from thinslice.operators.padding import carried
from thinslice.restoration import quality
from thinslice.training import fitted_on
from thinslice.volume import Volume

BOX = plugins.build("degradations", cards("degradations")["box5"])
OTHER = Volume(np.random.default_rng(9).normal(50, 9, THIN.zyx).astype(np.float32), THIN, "MR")
PROTOCOLS = {name: plugins.build("protocols", card) for name, card in cards("protocols").items()}


def scan(grid, number, step_px=0.0, seed=0):
    padded = with_padding(Volume(as_in_file(grid, number, step_px, seed), grid))
    return replace(padded, second=OTHER)


def pair(seed, number, step_px=0.0):
    return Pair(
        f"case{seed}", scan(THICK, number, step_px, seed), scan(THIN, number, step_px, seed)
    )


def fitted(name, number, work):
    method = plugins.build("methods", with_settings(tiny(ALL[name])))
    if name in FITTED:
        method.fit([pair(0, number), pair(1, number)], [pair(2, number)], work=work, run=RUN)
    return method


def restored(method, number, work=None, step_px=0.0):
    thick = scan(THICK, number, step_px, seed=7)
    run = replace(RUN, work=work / f"{number}") if work else RUN
    return carried(method.restore(thick, THIN, run=run), thick)


@pytest.mark.parametrize("name", A_FAMILY_EACH)
def test_inside_the_field_of_view_no_answer_depends_on_the_number(name, tmp_path):
    """Fitted on one number and on another, and restoring any."""
    first = fitted(name, NUMBERS[0], tmp_path / "first")
    other = fitted(name, NUMBERS[2], tmp_path / "other")
    answer = restored(first, NUMBERS[0]).voxels
    for number in NUMBERS[1:]:
        again = restored(other, number)
        assert np.array_equal(again.voxels[~outside(THIN)], answer[~outside(THIN)])
        assert (again.as_in_file()[outside(THIN)] == number).all()


@pytest.mark.parametrize("name", A_FAMILY_EACH)
def test_nor_where_the_field_of_view_moves(name, tmp_path):
    method = fitted(name, NUMBERS[1], tmp_path / "fitted")
    answers = [restored(method, number, step_px=0.15) for number in NUMBERS[1:]]
    for answer, number in zip(answers, NUMBERS[1:]):
        assert np.array_equal(answer.voxels, answers[0].voxels)
        assert (answer.as_in_file()[answer.padded()] == number).all()


def spoilt(volume, seed):
    """Noise where there is padding, as if no one had filled it."""
    noise = np.random.default_rng(seed).normal(0, 1500, volume.grid.zyx).astype(np.float32)
    return replace(volume, voxels=np.where(volume.padded(), noise, volume.voxels))


def scored(protocol, number, step_px, seeds=None):
    thin = scan(THIN, number, step_px)
    thick = thick_of(BOX, thin)
    noisy = thin.with_voxels(thin.voxels + np.random.default_rng(1).normal(0, 9, THIN.zyx))
    volumes = [carried(noisy, thick), thin, thick]
    if seeds:
        volumes = [spoilt(volume, seed) for volume, seed in zip(volumes, seeds)]
    matrix = BOX.matrix(THIN, thick.grid)
    return protocol.score(ScoringInput(*volumes, matrix))


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.parametrize("step_px", [0.0, 0.15])
def test_no_score_sees_padding(name, step_px):
    protocol = PROTOCOLS[name]
    scores = scored(protocol, -2000.0, step_px)
    assert scores
    for number in NUMBERS[2:]:
        assert scored(protocol, number, step_px) == scores
    spoilt_scores = scored(protocol, -2000.0, step_px, seeds=(3, 4, 5))
    for score, again in zip(scores, spoilt_scores, strict=True):
        rounded = pytest.approx(score.value, rel=1e-9)  # of sums that run over the whole slice
        assert again == score._replace(value=again.value)
        assert again.value == rounded


@pytest.mark.parametrize("step_px", [0.0, 0.15])
def test_no_measurement_of_a_scan_sees_padding(step_px):
    thin = scan(THIN, -2000.0, step_px)
    thick = thick_of(BOX, thin)
    bad_thin, bad_thick = spoilt(thin, 3), spoilt(thick, 4)
    assert fitted_on.fine_noise(bad_thick) == fitted_on.fine_noise(thick)
    assert noise(bad_thick) == noise(thick)
    assert repr(slice_pairs(bad_thin, bad_thick)) == repr(slice_pairs(thin, thick))
    answer = carried(thin, thick)
    trust = quality.report(answer, thick)
    assert quality.report(spoilt(answer, 3), bad_thick) == trust
