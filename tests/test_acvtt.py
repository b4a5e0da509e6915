"""ACVTT as a method: two stages that go on where they were killed, references, tiles, ablations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from waves import pairs, rmse

from thinslice.drivers import memory, referenced_views
from thinslice.methods import acvtt, acvtt_released
from thinslice.resampling import resample_z
from thinslice.seams import Pair, Run
from thinslice.training import loop, referenced_planes, seeds, two_view_method
from thinslice.training.two_view_method import TwoViewMethod, TwoViewSettings
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", threads=1, progress=False)
TINY = {
    "channels": 8,
    "levels": 2,
    "references": 2,
    "side": 16,
    "batch": 4,
    "steps": 60,
    "steps_fusion": 20,
    "lr": 2e-3,
    "schedule": "cosine",
    "validate_every": 20,
    "val_batches": 4,
}
SHORT = {**TINY, "channels": 4, "batch": 2, "steps": 6, "steps_fusion": 4, "validate_every": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    method = acvtt.build(**TINY)
    work = tmp_path_factory.mktemp("work")
    return method, method.fit(pairs(0, 1, 2), pairs(3), work=work, run=RUN)


def random(settings: dict, seed: int = 0) -> TwoViewMethod:
    """With weights large enough that every part of the networks counts."""
    method = acvtt.build(**settings)
    with seeds.seeded(seed):
        for p in method.net.parameters():
            if p.ndim > 1:
                torch.nn.init.normal_(p, std=1.2 * p[0].numel() ** -0.5)
    return method


def still(method: TwoViewMethod) -> TwoViewMethod:
    """The method with networks that correct nothing."""
    for unet in (method.net.transfer.unet, method.net.fusion):
        if unet is not None:
            torch.nn.init.zeros_(unet.tail.weight)
            torch.nn.init.zeros_(unet.tail.bias)
    return method


def bits(method: TwoViewMethod) -> dict[str, np.ndarray]:
    return {name: t.numpy().copy() for name, t in method.net.state_dict().items()}


def noise(grid: Grid, seed: int = 0) -> Volume:
    voxels = np.random.default_rng(seed).uniform(-900, 900, grid.zyx)
    return Volume(voxels.astype(np.float32), grid)


def test_it_beats_the_interpolation_it_starts_from_on_a_patient_it_never_saw(trained):
    method, curve = trained
    [unseen] = pairs(4)
    restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    start = resample_z(unseen.thick, unseen.thin.grid, "linear")
    assert rmse(restored, unseen.thin) < 0.85 * rmse(start, unseen.thin)
    stages = [line.split(",")[0] for line in curve.read_text().splitlines()]
    assert stages == ["stage"] + ["transfer"] * 6 + ["fusion"] * 2


def test_networks_that_correct_nothing_leave_the_interpolation_beyond_the_window_too():
    [pair] = pairs(6)
    thick = pair.thick.with_voxels(pair.thick.voxels + 3000)
    start = resample_z(thick, pair.thin.grid, "linear")
    assert start.voxels.max() > 3071
    kept = still(acvtt.build(**TINY)).restore(thick, pair.thin.grid, run=RUN)
    np.testing.assert_allclose(kept.voxels, start.voxels, atol=1e-3)
    cut = still(acvtt_released.build(**TINY)).restore(thick, pair.thin.grid, run=RUN)
    np.testing.assert_allclose(cut.voxels, start.voxels.clip(-1024, 3071), atol=1e-3)


@pytest.mark.parametrize("change", [{}, {"references": 0}, {"fuse": False}])
def test_tiles_change_nothing(change):
    thick = noise(Grid(5, 5.0, 5.0, (30, 150), (0.7, 0.7)))
    grid = thick.grid.with_slices(n=21, increment_mm=1.1, thickness_mm=1.0, start_mm=-0.4)
    settings = {**TINY, **change, "channels": 2}
    whole = random(settings)
    side = 2 * whole.net.transfer.reach + 2 * whole.net.transfer.align
    tiled = random({**settings, "tile": side, "planes_at_a_time": 3})
    assert side < 100
    a, b = (method.restore(thick, grid, run=RUN).voxels for method in (whole, tiled))
    assert np.abs(a - resample_z(thick, grid, "linear").voxels).max() > 100
    np.testing.assert_allclose(a, b, atol=4095 * 1e-5)


def test_little_memory_makes_smaller_tiles_and_the_same_answer(monkeypatch, caplog):
    thick = noise(Grid(5, 5.0, 5.0, (30, 150), (0.7, 0.7)))
    grid = thick.grid.with_slices(n=21, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    method = random({**TINY, "channels": 2})
    want = method.restore(thick, grid, run=RUN).voxels
    monkeypatch.setattr(memory, "room_bytes", lambda run, device, reserved: 4e5)
    got = method.restore(thick, grid, run=replace(RUN, max_memory_gib=1.0)).voxels
    assert "tiles shrink" in caplog.text
    np.testing.assert_allclose(got, want, atol=4095 * 1e-5)


@pytest.mark.parametrize("have", [1, 2, 3, 4, 7, 60])
@pytest.mark.parametrize("n", range(6))
def test_references_are_spread_over_the_scan(have, n):
    for places in (acvtt.spread, acvtt_released.every_part):
        taken = places(have, n)
        assert len(taken) == n
        assert all(0 <= k < have for k in taken)
        assert list(taken) == sorted(taken)
        assert len(set(taken)) == n or have < n + 2
    assert acvtt_released.every_part(60, 3) == [15, 30, 45]
    assert acvtt.spread(61, 3) == [15, 30, 45]


def test_references_are_whole_or_the_middle_of_their_slices():
    slices_ZYX = noise(Grid(8, 5.0, 5.0, (20, 31), (0.7, 0.7))).voxels
    whole = referenced_views.references_of(slices_ZYX, acvtt.spread, 2, None)
    np.testing.assert_array_equal(whole, slices_ZYX[[2, 5]])
    middle = referenced_views.references_of(slices_ZYX, acvtt.spread, 2, 21)
    np.testing.assert_array_equal(middle, slices_ZYX[[2, 5], :, 5:26])


def drawn(references, n: int = 3, side: int = 12) -> list:
    [pair] = pairs(0)
    draw = referenced_planes.ReferencedPlanes([pair], side, 2, n, references, (-1024.0, 3071.0))
    return [draw(seeds.rng(0, step)) for step in range(20)]


def test_training_shows_interpolated_planes_beside_thin_ones_of_both_views():
    [pair] = pairs(0)
    shown = {}
    for name, volume in (
        ("thin", pair.thin),
        ("x", resample_z(pair.thick, pair.thin.grid, "linear")),
    ):
        unit_ZYX = (volume.voxels + 1024) / 4095
        planes = [*np.moveaxis(unit_ZYX, 1, 0), *np.moveaxis(unit_ZYX, 2, 0)]
        windows = [np.lib.stride_tricks.sliding_window_view(p, (12, 12)) for p in planes]
        shown[name] = [np.ascontiguousarray(w).reshape(-1, 144) for w in windows]
    views = set()
    for x, _, y in drawn(referenced_planes.inside):
        for x_ZW, y_ZW in zip(x[:, 0].numpy(), y[:, 0].numpy()):
            worst = [
                np.abs(thin - y_ZW.ravel()).max(1) + np.abs(start - x_ZW.ravel()).max(1)
                for thin, start in zip(shown["thin"], shown["x"])
            ]
            found = [k for k, off in enumerate(worst) if off.min() < 1e-5]
            assert found
            views |= {"coronal" if k < pair.thin.grid.shape[0] else "sagittal" for k in found}
    assert views == {"coronal", "sagittal"}


def test_training_references_are_thick_slices_within_the_patch_s_cube_or_anywhere():
    [pair] = pairs(0)
    cube = referenced_planes.Cube(
        slice(8, 20), slice(1, 13), slice(3, 15), np.flatnonzero(
            np.abs(pair.thick.grid.centres_mm() - 16.5) <= 5.5
        )
    )  # fmt: skip
    for step in range(20):
        patches = referenced_planes.inside(cube, pair, 3, 12, seeds.rng(step))
        assert len({p.number for p in patches}) == 3
        assert {p.number for p in patches} <= set(cube.thick)
        assert all((p.y, p.x) == (cube.y, cube.x) for p in patches)
    free = [referenced_planes.anywhere(cube, pair, 3, 12, seeds.rng(s)) for s in range(40)]
    patches = [p for some in free for p in some]
    assert {p.number for p in patches} == set(range(pair.thick.grid.n))
    assert {p.y.start for p in patches} == {0, 1, 2}
    units = (pair.thick.voxels + 1024) / 4095
    for _, refs, _ in drawn(referenced_planes.anywhere):
        for ref_YX in refs[:, 0].numpy():
            first = np.abs(units[:, :3, :5] - ref_YX[0, 0]).argmin()
            k, y, x = np.unravel_index(first, (len(units), 3, 5))
            np.testing.assert_allclose(ref_YX, units[k, y : y + 12, x : x + 12], atol=1e-6)


def test_without_references_training_shows_none():
    assert all(len(batch) == 2 for batch in drawn(referenced_planes.inside, n=0))


ABLATIONS = [*({"references": n} for n in range(6)), {"fusion": "average"}, {"fuse": False}]


@pytest.mark.parametrize("line", ABLATIONS, ids=str)
def test_every_ablation_is_one_line(line, tmp_path):
    [unseen] = pairs(4)
    method = acvtt.build(**{**SHORT, "steps": 1, "steps_fusion": 1, **line})
    method.fit(pairs(0), [], work=tmp_path, run=RUN)
    restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    assert np.isfinite(restored.voxels).all()
    method.save(tmp_path / "weights", {})
    with pytest.raises(ValueError, match="trained with"):
        acvtt.build(**{**SHORT, "channels": 2}).load(tmp_path / "weights")
    if line != {"references": 2}:  # the tiny setting itself
        with pytest.raises(ValueError, match=next(iter(line))):
            acvtt.build(**SHORT).load(tmp_path / "weights")


def test_parameters_are_those_of_both_networks():
    assert acvtt.build().parameters() == 9_246_401 + 7_819_777
    assert acvtt_released.build(fuse=False).parameters() == 9_246_401
    assert acvtt.build(references=0, fuse=False).parameters() == 7_819_201


class KilledError(Exception):
    pass


def killing(monkeypatch, place: str, at: int) -> None:
    """Lets the ``at``-th draw of a stage, or the ``at``-th answer, end the job."""
    owner, name = {
        "transfer": (two_view_method.ReferencedPlanes, "__call__"),
        "answers": (two_view_method.referenced_views, "views"),
        "fusion": (two_view_method.ViewPatches, "__call__"),
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
        TwoViewSettings, "plan", lambda s, steps: replace(plan(s, steps), checkpoint_every_s=0.0)
    )
    whole = acvtt.build(**SHORT)
    curve = whole.fit(train, val, work=tmp_path / "whole", run=RUN)
    with monkeypatch.context() as patch:
        killing(patch, place, at)
        with pytest.raises(KilledError):
            acvtt.build(**SHORT).fit(train, val, work=tmp_path / "killed", run=RUN)
    went_on, answered = [], []
    real_train, real_views = loop.train, referenced_views.views
    with monkeypatch.context() as patch:
        patch.setattr(
            loop, "train", lambda *a, **k: went_on.append(real_train(*a, **k)) or went_on[-1]
        )
        patch.setattr(
            referenced_views, "views", lambda *a, **k: answered.append(1) or real_views(*a, **k)
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


def test_answers_of_other_weights_are_made_anew(tmp_path):
    for seed in (0, 1):
        acvtt.build(**SHORT, seed=seed).fit(pairs(0), [], work=tmp_path, run=RUN)
    assert len(list((tmp_path / "answers").glob("case0-*.npy"))) == 2


def test_the_second_stage_learns_from_what_the_first_restores(trained, tmp_path):
    """The stored answers are those that restoring gives, to half precision."""
    [pair] = pairs(0)
    method = acvtt.build(**SHORT)
    method.fit([pair], [], work=tmp_path, run=RUN)
    [path] = (tmp_path / "answers").iterdir()
    views_VZYX = np.load(path, mmap_mode="r").astype(np.float32)
    method.net.fusion = None
    mean = method.restore(pair.thick, pair.thin.grid, run=RUN)
    np.testing.assert_allclose(views_VZYX.mean(0) * 4095 - 1024, mean.voxels, atol=1.1)


def test_scans_read_from_disk_and_of_another_frame_are_matched_by_millimetres(tmp_path):
    [pair] = pairs(0)
    moved = pair.thick.grid
    moved = replace(moved, origin_mm=(0.0, 0.0, 100.0), start_mm=moved.start_mm - 100.0)
    other = Pair(pair.case, Volume(pair.thick.voxels, moved), pair.thin)
    methods = [acvtt.build(**SHORT) for _ in range(2)]
    for i, (method, p) in enumerate(zip(methods, (pair, other))):
        method.fit([p], [], work=tmp_path / str(i), run=RUN)
    for (name, a), b in zip(bits(methods[0]).items(), bits(methods[1]).values()):
        np.testing.assert_allclose(a, b, atol=1e-4, err_msg=name)
