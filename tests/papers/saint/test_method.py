"""SAINT on scans: where slices lie, what is between the stages, what the authors' weights give."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from support import authors_names
from support.wave_pairs import pairs
from thinslice.errors import Refused
from thinslice.families import spaced_views
from thinslice.interfaces import Pair, Run
from thinslice.methods import saint
from thinslice.nets.saint import FUSION, VIEWS, Fusion, SpacedPlanes, distances_mm, from_authors
from thinslice.operators.grids import offsets_mm
from thinslice.operators.interpolation import resample_z
from thinslice.training import seeds
from thinslice.training.samplers.thick_planes import Answered, ThickPlanes
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
THICK = Grid(6, 5.0, 5.0, (10, 8), (0.7, 0.9), 2.0)
THIN = THICK.with_slices(n=26, increment_mm=1.0, thickness_mm=1.0, start_mm=2.0)
LAST = ("GW.meta_block.8", "UPNet")  # made smaller, so that not all answers are cut to the window
UNTRAINED = {**saint.TINY, "start": "linear"}


def waves(grid: Grid, hu: float = 500.0) -> Volume:
    """Smooth along z, other values in every pixel."""
    z, y, x = (np.arange(n, dtype=float) for n in grid.zyx)
    voxels = hu * np.sin(grid.centres_mm() / 6)[:, None, None] + 10 * y[:, None] - 5 * x
    return Volume((voxels + 0 * z[:, None, None]).astype(np.float32), grid)


@pytest.mark.parametrize(
    ("increment_mm", "start_mm", "expected"),
    [
        (1.0, 2.0, [0, 1, 2, 3, 4]),
        (1.0, -1.0, [0, 1, 2, 3, 4]),
        (1.0, 4.3, [0.3, 1.3, 2.3, 3.3, 4.3]),
        (1.0, 1.99995, [0, 1, 2, 3, 4]),
        (2.5, 3.0, [1, 3.5]),
        (1.2, 2.0, [0, 1.25, 2.5, 3.75]),
        (5.0, 2.0, [0]),
        (9.0, 3.0, [1]),
    ],
)
def test_the_slices_from_every_thick_one_on(increment_mm, start_mm, expected):
    thin = THIN.with_slices(n=5, increment_mm=increment_mm, thickness_mm=1.0, start_mm=start_mm)
    np.testing.assert_allclose(offsets_mm(THICK, thin), expected, atol=1e-9)


@pytest.mark.parametrize("start_mm", [2.0, 2.4, -3.0])
def test_untrained_it_is_linear_interpolation_at_any_phase(start_mm):
    grid = replace(THIN, start_mm=start_mm, n=24)
    thick = waves(THICK)
    restored = saint.build(**UNTRAINED).restore(thick, grid, run=RUN)
    want = resample_z(thick, grid, "linear").voxels
    assert np.abs(restored.voxels - want).max() <= 0.51  # rounded to whole HU between the stages


def test_an_origin_of_its_own_does_not_move_the_slices():
    thick = waves(THICK)
    origin_mm = tuple(float(mm) for mm in 10.3 * np.array(THIN.direction)[0])
    moved = replace(THIN, origin_mm=origin_mm, start_mm=2.0 - 10.3)
    a, b = (saint.build(**UNTRAINED).restore(thick, g, run=RUN).voxels for g in (THIN, moved))
    np.testing.assert_allclose(a, b, atol=0.02)


@torch.inference_mode()
def test_the_authors_weights_restore_a_scan_as_their_networks_do():
    nets = (SpacedPlanes().eval(), Fusion().eval())
    views, fusion = (
        {name: w * (0.1 if name.startswith(LAST) else 1.0) for name, w in given.items()}
        for given in (
            authors_names.made_up(nets[0], authors_names.saint(VIEWS, False), from_authors),
            authors_names.made_up(
                nets[1], authors_names.saint(FUSION, True), partial(from_authors, fusion=True)
            ),
        )
    )
    method = saint.build()
    method.use(views, fusion)
    thick = waves(THICK)
    restored = method.restore(thick, THIN, run=RUN).voxels

    for net, given, fused in zip(nets, (views, fusion), (False, True)):
        net.load_state_dict(from_authors(given, fusion=fused))
    unit = torch.from_numpy((thick.voxels + 1024) / 4000).clip(0, 1)
    answers = []
    for axis, pixel_mm in ((2, 0.7), (1, 0.9)):  # sagittal first
        planes = unit.movedim(axis, 0)  # [N, Z, W]
        n = len(planes)
        at = (torch.arange(n)[:, None] + torch.tensor([-1, 0, 1])).clip(0, n - 1)
        maps = torch.from_numpy(distances_mm(np.arange(5.0), 5.0, pixel_mm))[None].float()
        made = nets[0](planes[at], maps).clip(0, 1).transpose(1, 2).flatten(1, 2)
        answers.append((made * 4000).round().movedim(0, axis)[:26] / 4000)
    want = nets[1](torch.stack(answers, 1)).clip(0, 1)[:, 0].numpy() * 4000 - 1024
    assert np.mean((want > -1024) & (want < 2976)) > 0.3
    assert np.percentile(np.abs(restored - want), 99) <= 0.1  # few round the other way
    assert np.abs(restored - want).max() <= 2
    assert method.parameters() == 2_787_712 + 371_105
    method.use(views)
    assert method.parameters() == 2_787_712


def test_a_training_batch_shows_planes_and_the_thin_slices_of_the_middle_one():
    """Were the answer the middle plane's own slices, phase 0 would be what is shown."""
    thin = waves(THIN)
    pair = Pair("a", Volume(thin.voxels[::5].copy(), THICK), thin)
    x, distances, y = ThickPlanes([pair], (4, 6), 8, 1, distances_mm, (-1024, 3071))(seeds.rng(0))
    assert (x.shape, distances.shape, y.shape) == ((8, 3, 4, 6), (8, 5, 3, 3), (8, 5, 4, 6))
    torch.testing.assert_close(y[:, 0], x[:, 1])
    for k, pixel_mm in enumerate(THICK.pixel_mm[::-1]):  # coronal planes have columns
        want = distances_mm(np.arange(5.0), 5.0, pixel_mm)
        np.testing.assert_allclose(distances[k], want, atol=1e-6)


def test_scans_of_other_ratios_lie_in_other_batches_and_short_ones_are_taken_whole():
    thin = waves(THIN)
    every5 = Pair("a", Volume(thin.voxels[::5].copy(), THICK), thin)
    three = THICK.with_slices(n=3, increment_mm=10.0, thickness_mm=5.0, start_mm=2.0)
    every10 = Pair("b", Volume(thin.voxels[:21:10].copy(), three), thin)
    draw = ThickPlanes([every5, every10], (4, 6), 2, 1, distances_mm, (-1024, 3071))
    seen = {tuple(y.shape) for _, _, y in (draw(seeds.rng(k)) for k in range(20))}
    assert seen == {(2, 5, 4, 6), (2, 10, 2, 6)}  # from the third slice on, thin ones are too few


def test_the_positions_of_an_odd_phase_are_the_thin_slices_own():
    thin = waves(replace(THIN, start_mm=0.4))
    pair = Pair("a", waves(THICK), thin)
    run = Answered.of(pair)
    at_mm = run.positions_mm(pair, np.array([1]))[0]
    nearest = np.abs(at_mm[:, None] - thin.grid.centres_mm()).min(axis=1)
    np.testing.assert_allclose(nearest, 0, atol=1e-9)
    assert (at_mm[0] >= 7.0) & (at_mm[-1] < 12.0)


def test_a_pair_without_room_is_refused_by_name():
    short = waves(replace(THIN, n=3))
    with pytest.raises(Refused, match="case7: between none of its 6 thick slices"):
        Answered.of(Pair("case7", waves(THICK), short))


def test_other_pixels_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(spaced_views.planes, "view", None)
    finer = replace(THIN, shape=(20, 16), pixel_mm=(0.35, 0.45))
    with pytest.raises(ValueError, match="pixels of"):
        saint.build(**UNTRAINED).restore(waves(THICK), finer, run=RUN)


def test_the_second_stage_is_shown_what_the_first_one_restores(tmp_path, monkeypatch):
    shown = {}
    real = spaced_views.ViewPatches

    def watched(pairs, paths, *rest):
        shown.update({pair.case: np.load(path) for pair, path in zip(pairs, paths)})
        return real(pairs, paths, *rest)

    monkeypatch.setattr(spaced_views, "ViewPatches", watched)
    settings = {**saint.TINY, "fuse": True}
    [pair] = pairs(0)
    method = saint.build(**settings)
    curve = method.fit([pair], [], work=tmp_path, run=RUN)
    assert [line.split(",")[0] for line in curve.read_text().splitlines()[1:]][-1] == "fusion"
    method.net.fusion = None
    mean = method.restore(pair.thick, pair.thin.grid, run=RUN).voxels
    answers = shown[pair.case].astype(np.float32).mean(0)
    np.testing.assert_allclose(answers * 4000 - 1024, mean, atol=2.1)
    assert not (tmp_path / "answers").exists()


def test_a_second_stage_that_two_processes_cannot_share_is_refused_before_the_first(tmp_path):
    method = saint.build(**{**saint.TINY, "batch_fusion": 1})
    with pytest.raises(Refused, match="batch_fusion 1 has no equal shares for 2"):
        method.fit(pairs(0), [], work=tmp_path, run=replace(RUN, processes=2))
    assert not list(tmp_path.iterdir())


def test_what_the_second_stage_cannot_be_is_refused_before_the_first():
    with pytest.raises(ValueError, match="start at 1"):
        saint.build(**{**saint.TINY, "steps_fusion": 0})
    with pytest.raises(ValueError, match="none of l1, mse"):
        saint.build(**{**saint.TINY, "loss": "l3"})
