"""ACVTT as a method: what it learns and leaves alone, references, tiles, ablations."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.two_view_scene import RUN, SHORT, TINY, bits
from support.wave_pairs import pairs, rmse
from thinslice.families.two_view import TwoViewMethod
from thinslice.inference import memory, reference_views
from thinslice.interfaces import Pair
from thinslice.methods import acvtt, acvtt_released
from thinslice.nets.grey import AS_STORED, STRETCHED
from thinslice.operators.interpolation import resample_z
from thinslice.training import seeds
from thinslice.training.samplers import referenced_planes
from thinslice.volume import Grid, Volume


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
    whole = reference_views.references_of(slices_ZYX, acvtt.spread, 2, None)
    np.testing.assert_array_equal(whole, slices_ZYX[[2, 5]])
    middle = reference_views.references_of(slices_ZYX, acvtt.spread, 2, 21)
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


def test_grey_values_are_stretched_but_never_as_released(tmp_path):
    ours, theirs = acvtt.build(**SHORT), acvtt_released.build(**SHORT)
    for method, grey in ((ours, STRETCHED), (theirs, AS_STORED)):
        assert method.net.transfer.unet.grey == method.net.fusion.grey == grey
    ours.identity.pop("grey")
    ours.save(tmp_path / "before", {})
    with pytest.raises(ValueError, match="grey None where"):
        acvtt.build(**SHORT).load(tmp_path / "before")


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


def as_mr(volume: Volume, times: float, plus: float) -> Volume:
    """Whole numbers, so that another unit rounds nothing: a training would amplify it."""
    voxels = np.rint(volume.voxels) * times + plus
    return Volume(voxels.astype(np.float32), volume.grid, "MR")


@pytest.mark.parametrize("module", [acvtt, acvtt_released])
def test_mr_is_learned_and_restored_alike_in_whatever_unit_it_comes(module, tmp_path):
    [pair], [unseen] = pairs(0), pairs(4)
    learned, restored = [], []
    for times, plus in ((1.0, 0.0), (8.0, 5000.0)):
        thick, thin = (as_mr(v, times, plus) for v in (pair.thick, pair.thin))
        method = module.build(**SHORT)
        method.fit([Pair(pair.case, thick, thin)], [], work=tmp_path / f"{times}", run=RUN)
        learned.append(bits(method))
        shown = as_mr(unseen.thick, times, plus)
        answer = method.restore(shown, unseen.thin.grid, run=RUN)
        restored.append((answer.voxels - plus) / times)
    for name, weight in learned[0].items():
        np.testing.assert_allclose(weight, learned[1][name], atol=1e-3, err_msg=name)
    np.testing.assert_allclose(restored[0], restored[1], atol=0.5)
