"""ACVTT's two stages: killed and gone on with, what lies between them, what is refused before."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.two_view_scene import RUN, SHORT, bits
from support.wave_pairs import pairs
from thinslice.families import two_view
from thinslice.families.two_view import TwoViewMethod, TwoViewSettings
from thinslice.inference import reference_views
from thinslice.interfaces import Pair
from thinslice.methods import acvtt
from thinslice.training import loop, seeds
from thinslice.training.samplers import crops
from thinslice.training.samplers.two_view_patches import ViewPatches, first_stage_files
from thinslice.volume import Volume

CT = (-1024.0, 3071.0)


class KilledError(Exception):
    pass


def killing(monkeypatch, place: str, at: int) -> None:
    """Lets the ``at``-th draw of a stage, or the ``at``-th answer, end the job."""
    owner, name = {
        "transfer": (two_view.ReferencedPlanes, "__call__"),
        "answers": (two_view.reference_views, "restore_views"),
        "fusion": (two_view.ViewPatches, "__call__"),
    }[place]
    real, count = getattr(owner, name), 0

    def killed(*args, **kwargs):
        nonlocal count
        count += 1
        if count == at:
            raise KilledError
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, killed)


@pytest.mark.parametrize(("place", "at"), [("transfer", 9), ("answers", 2), ("fusion", 7)])
def test_killed_and_run_again_it_ends_with_the_same_bits(monkeypatch, tmp_path, place, at):
    train, val = pairs(0, 1), pairs(3)
    plan = TwoViewSettings.plan
    monkeypatch.setattr(
        TwoViewSettings,
        "plan",
        lambda s, steps, scans: replace(plan(s, steps, scans), checkpoint_every_s=0.0),
    )
    whole = acvtt.build(**SHORT)
    curve = whole.fit(train, val, work=tmp_path / "whole", run=RUN)
    with monkeypatch.context() as patch:
        killing(patch, place, at)
        with pytest.raises(KilledError):
            acvtt.build(**SHORT).fit(train, val, work=tmp_path / "killed", run=RUN)
    went_on, answered = [], []
    real_train, real_views = loop.train, reference_views.restore_views
    with monkeypatch.context() as patch:
        patch.setattr(
            loop, "train", lambda *a, **k: went_on.append(real_train(*a, **k)) or went_on[-1]
        )
        patch.setattr(
            reference_views,
            "restore_views",
            lambda *a, **k: answered.append(1) or real_views(*a, **k),
        )
        again = acvtt.build(**SHORT)
        curve_again = again.fit(train, val, work=tmp_path / "killed", run=RUN)
    np.testing.assert_equal(bits(again), bits(whole))
    resumed_at = {"transfer": (4, 0), "answers": (6, 0), "fusion": (6, 2)}[place]
    assert tuple(stage.resumed_at for stage in went_on) == resumed_at
    assert len(answered) == {"transfer": 3, "answers": 2, "fusion": 0}[place]
    without_times = [
        [line.split(",")[:5] for line in c.read_text().splitlines()] for c in (curve, curve_again)
    ]
    assert without_times[0] == without_times[1]


def kill_in_the_second_stage(
    method: TwoViewMethod, train: list[Pair], work: Path, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        killing(patch, "fusion", 1)
        with pytest.raises(KilledError):
            method.fit(train, [], work=work, run=RUN)


@pytest.mark.parametrize("other", [{"seed": 1}, {"reference_side": 8}], ids=str)
def test_answers_of_other_weights_or_references_are_made_anew(other, tmp_path, monkeypatch):
    for settings in (SHORT, {**SHORT, **other}):
        kill_in_the_second_stage(acvtt.build(**settings), pairs(0), tmp_path, monkeypatch)
    assert len(list((tmp_path / "answers").glob("case0-*.npy"))) == 2


def test_a_second_stage_of_other_references_is_not_gone_on_from(tmp_path):
    """Its weights rest on answers that saw less of the references, in the same folder."""
    fitted = []
    for folder, side in (("one", None), ("one", 8), ("other", 8)):
        method = acvtt.build(**SHORT, reference_side=side)
        method.fit(pairs(0), [], work=tmp_path / folder, run=RUN)
        fitted.append(bits(method))
    np.testing.assert_equal(fitted[1], fitted[2])
    assert any((fitted[0][name] != fitted[1][name]).any() for name in fitted[0])


def test_when_both_stages_are_done_no_answers_are_left_on_the_disk(tmp_path):
    method = acvtt.build(**SHORT)
    for _ in range(2):  # the second time all is done already
        curve = method.fit(pairs(0), pairs(3), work=tmp_path, run=RUN)
        assert curve.exists()
        assert {path.name for path in tmp_path.iterdir()} == {"transfer", "fusion", "curve.csv"}


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_the_second_stage_is_shown_answers_and_thin_pixels_of_the_same_places(modality, tmp_path):
    """Were the first stage perfect, what it is shown would be what it should give."""
    train = [
        Pair(p.case, *(Volume(v.read() * (i + 1), v.grid, modality) for v in (p.thick, p.thin)))
        for i, p in enumerate(pairs(0, 1))
    ]

    def perfect(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        unit_ZYX = crops.window(pair, CT).to_unit(pair.thin.read())
        return unit_ZYX, unit_ZYX[::-1]

    paths = first_stage_files(train, perfect, "key", tmp_path, RUN)
    x_BVYX, y_B1YX = ViewPatches(train, paths, 8, 20, CT)(seeds.rng(0))
    assert (x_BVYX.shape, y_B1YX.shape) == ((20, 2, 8, 8), (20, 1, 8, 8))
    assert (x_BVYX[:, :1] - y_B1YX).abs().max() < 3e-4  # half precision
    assert (x_BVYX[:, 1:] - y_B1YX).abs().max() > 1e-2


def test_an_epoch_is_a_patch_of_every_scan():
    """So 20,000 of the 100 training scans of RPLHR-CT are the paper's two million steps."""
    settings = TwoViewSettings()
    assert settings.plan(settings.steps, scans=100).steps == 2_000_000
    assert settings.plan(settings.steps_fusion, scans=80).steps == 1_600_000
    assert TwoViewSettings(batch=4, epochs=3).plan(None, scans=5).steps == 4
    assert settings.plan(7, scans=100).steps == 7


def test_validation_patients_are_looked_at_and_never_learned_from(tmp_path):
    rows = []
    for seed in (3, 4):
        method = acvtt.build(**{**SHORT, "validate_every": 6, "steps_fusion": 6})
        curve = method.fit(pairs(0), pairs(seed), work=tmp_path / str(seed), run=RUN)
        rows.append([line.split(",") for line in curve.read_text().splitlines()[1:]])
    assert [row[0] for row in rows[0]] == ["transfer", "fusion"]
    for a, b in zip(*rows):
        assert a[:3] == b[:3]  # stage, step, loss
        assert a[3] != b[3]


@pytest.mark.parametrize("wrong", [{"steps_fusion": 0}, {"schedule": "step"}, {"lr": -1.0}])
def test_what_the_second_stage_cannot_be_is_refused_before_the_first(wrong):
    with pytest.raises(ValueError, match=r"start at 1|decay_every|must be positive"):
        acvtt.build(**{**SHORT, **wrong})


def test_steps_without_references_train_the_unet_that_the_first_stage_starts_from(
    tmp_path, monkeypatch
):
    shown = []
    real = two_view.learn

    def watched(net, draws, *args, **kwargs):
        shown.append((type(net).__name__, len(draws[0](seeds.rng(0)))))
        return real(net, draws, *args, **kwargs)

    monkeypatch.setattr(two_view, "learn", watched)
    method = acvtt.build(**SHORT, steps_without_references=4)
    curve = method.fit(pairs(0), pairs(3), work=tmp_path, run=RUN)
    assert shown == [("UNet", 2), ("ACVTT", 3), ("UNet", 2)]
    stages = [line.split(",")[0] for line in curve.read_text().splitlines()[1:]]
    assert list(dict.fromkeys(stages)) == ["alone", "transfer", "fusion"]
    plain = acvtt.build(**SHORT)
    plain.fit(pairs(0), pairs(3), work=tmp_path / "plain", run=RUN)
    assert any((bits(method)[name] != weight).any() for name, weight in bits(plain).items())


def test_without_references_there_is_nothing_to_go_before_them(tmp_path):
    method = acvtt.build(**{**SHORT, "references": 0}, steps_without_references=4)
    method.fit(pairs(0), [], work=tmp_path, run=RUN)
    assert not (tmp_path / "alone").exists()
    with pytest.raises(ValueError, match="-1 steps_without_references"):
        acvtt.build(**SHORT, steps_without_references=-1)


def test_the_second_stage_learns_from_what_the_first_restores(tmp_path, monkeypatch):
    """The stored answers are those that restoring gives, to half precision."""
    [pair] = pairs(0)
    kill_in_the_second_stage(acvtt.build(**SHORT), [pair], tmp_path, monkeypatch)
    [path] = (tmp_path / "answers").iterdir()
    views_VZYX = np.load(path, mmap_mode="r").astype(np.float32)
    method = acvtt.build(**SHORT)
    method.fit([pair], [], work=tmp_path, run=RUN)
    method.net.fusion = None
    mean = method.restore(pair.thick, pair.thin.grid, run=RUN)
    np.testing.assert_allclose(views_VZYX.mean(0) * 4095 - 1024, mean.voxels, atol=1.1)
