"""Methods that learn from the scan itself: where slices end up, what is learned, and resuming.

Networks are small; laws of positions are tested with one that changes nothing.
"""

import functools
import logging
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from thinslice.degradations import overlap
from thinslice.families import self_supervised
from thinslice.inference import planes
from thinslice.interfaces import Run
from thinslice.methods import smore, sr4zct, sr4zct_released
from thinslice.nets.msd import MSD
from thinslice.operators import projection
from thinslice.operators.interpolation import resample_z
from thinslice.operators.slice_means import slice_mean_matrix
from thinslice.training.plan import Plan
from thinslice.training.samplers.axial_pairs import AxialPairs
from thinslice.volume import Grid, Volume

QUIET = Run(device="cpu", threads=1, progress=False)
METHODS = [sr4zct, sr4zct_released, smore]
PIXEL_MM = (0.8, 0.6)  # (y, x): not square
THICK = Grid(9, 2.0, 3.0, (34, 40), PIXEL_MM, start_mm=5.0)
EXACT = sr4zct.Exact(None, None)
TINY = {"depth": 4, "steps": 12, "crop": 16, "batch": 2}


@pytest.fixture
def unchanged(monkeypatch):
    """Every network answers what it sees, untrained."""

    def learn(*_) -> MSD:
        net = MSD(2)
        nn.init.zeros_(net.last)
        net.last.data[0] = 1
        return net

    monkeypatch.setattr(self_supervised, "_learn", learn)


def ramp(grid: Grid) -> Volume:
    """HU that are the slice's position in mm, a hundredfold."""
    voxels = 100 * np.broadcast_to(grid.centres_mm()[:, None, None], grid.zyx)
    return Volume(voxels.astype(np.float32), grid)


def blobs(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Round things of all sizes, alike in all directions; HU."""
    rng = np.random.default_rng(seed)
    k = np.sqrt(sum(f**2 for f in np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")))
    smooth = np.fft.ifftn(np.fft.fftn(rng.normal(size=shape)) * np.exp(-((k / 0.12) ** 2))).real
    return (300 * np.tanh(4 * smooth / smooth.std())).astype(np.float32)


def scan(seed: int = 0) -> tuple[Volume, Volume]:
    """Thick (4 mm every 2 mm) and thin slices of the same blobs."""
    thin = Volume(blobs((40, 40, 40), seed), Grid(40, 1.0, 1.0, (40, 40), (1.0, 1.0)))
    made = overlap.build(thickness_mm=4.0, overlap_mm=2.0)
    grid = made.thick_grid(thin.grid)
    return thin.with_voxels(projection.apply(made.matrix(thin.grid, grid), thin.voxels), grid), thin


@pytest.mark.parametrize("module", METHODS)
@pytest.mark.parametrize("view", ["coronal", "sagittal", "both"])
@pytest.mark.parametrize(("thickness_mm", "increment_mm"), [(3, 2), (2.5, 2.5), (1.3, 2.1)])
def test_a_ramp_along_z_stays_a_ramp_in_exact_places(
    unchanged, module, view, thickness_mm, increment_mm
):
    thick = replace(THICK, thickness_mm=thickness_mm, increment_mm=increment_mm, n=12)
    first, last = thick.centres_mm()[[0, -1]]
    for thickness, increment, start in ((0.5, 0.37, first), (1.0, 1.0, 6.13), (2.7, 1.9, 7.7)):
        n = int((last - start) / increment) + 1
        asked = thick.with_slices(
            n=n, increment_mm=increment, thickness_mm=thickness, start_mm=start
        )
        restored = module.build(view=view).restore(ramp(thick), asked, run=QUIET)
        assert restored.grid == asked
        at = asked.centres_mm()
        whole = (at - thickness / 2 - 1 >= first) & (at + thickness / 2 + 1 <= last)
        assert whole.sum() > 3
        assert np.abs(restored.voxels - ramp(asked).voxels)[whole].max() < 0.02  # 0.2 um


@pytest.mark.parametrize("module", [sr4zct, smore])
@pytest.mark.parametrize("start_mm", [6.13, 5.6, 3.9])
def test_slices_as_far_apart_as_pixels_are_interpolated_once(unchanged, module, start_mm):
    """What a network answers is not blurred by a second interpolation, whatever the phase."""
    thick = replace(THICK, pixel_mm=(0.8, 0.8))
    noise = np.random.default_rng(0).normal(0, 100, thick.zyx).astype(np.float32)
    asked = thick.with_slices(n=20, increment_mm=0.8, thickness_mm=0.8, start_mm=start_mm)
    restored = module.build().restore(Volume(noise, thick), asked, run=QUIET)
    once = resample_z(Volume(noise, thick), asked, "linear")
    inside = (asked.centres_mm() >= 4.3) & (asked.centres_mm() <= 21.7)  # where native slices are
    assert inside.sum() > 15
    np.testing.assert_allclose(restored.voxels[inside], once.voxels[inside], atol=2e-3)


def test_mean_and_spread_are_those_of_the_whole_scan_and_no_second_one_is_held():
    voxels = np.random.default_rng(0).normal(-300, 400, (40, 64, 64)).astype(np.float32)
    tracemalloc.start()
    mean, spread = EXACT.scale(voxels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (mean, spread) == pytest.approx((voxels.mean(dtype=float), voxels.std(dtype=float)))
    assert peak < 0.2 * voxels.nbytes
    assert EXACT.scale(np.full((2, 3, 3), 7, np.float32)) == (7.0, 1.0)


def test_beyond_the_ends_the_end_is_held(unchanged):
    asked = THICK.with_slices(n=60, increment_mm=1.0, thickness_mm=1.0, start_mm=-15.0)
    restored = sr4zct.build().restore(ramp(THICK), asked, run=QUIET).voxels
    first, last = 100 * THICK.centres_mm()[[0, -1]]
    assert np.abs(restored[:15] - first).max() < 0.02
    assert np.abs(restored[-10:] - last).max() < 0.02


@pytest.mark.parametrize("module", METHODS)
def test_it_learns_what_interpolation_cannot_know(module):
    thick, thin = scan()
    settings = {**TINY, "depth": 6, "steps": 200, "lr": 5e-3, "view": "both", "start": "input"}
    restored = module.build(**settings).restore(thick, thin.grid, run=QUIET)
    inner = slice(4, -4)

    def rmse(found: Volume) -> float:
        return float(np.sqrt(np.mean((found.voxels - thin.voxels)[inner] ** 2)))

    assert rmse(restored) < 0.8 * rmse(resample_z(thick, thin.grid, "linear"))


def test_the_same_seed_gives_the_same_bits_and_another_others():
    thick, thin = scan()
    first, again, other = (
        sr4zct.build(**TINY, seed=seed).restore(thick, thin.grid, run=QUIET).voxels
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


def test_killed_and_run_again_it_ends_with_the_same_bits(monkeypatch, tmp_path, caplog):
    """Killed in step 8 of 12 with a checkpoint after every step."""
    thick, thin = scan()
    monkeypatch.setattr(self_supervised, "Plan", functools.partial(Plan, checkpoint_every_s=0.0))
    whole = sr4zct.build(**TINY).restore(thick, thin.grid, run=replace(QUIET, work=tmp_path / "a"))
    run, draw, drawn = replace(QUIET, work=tmp_path / "b"), AxialPairs.__call__, []

    def dying(pairs, rng):
        drawn.append(1)
        if len(drawn) == 8:
            raise KeyboardInterrupt
        return draw(pairs, rng)

    monkeypatch.setattr(AxialPairs, "__call__", dying)
    with pytest.raises(KeyboardInterrupt):
        sr4zct.build(**TINY).restore(thick, thin.grid, run=run)
    monkeypatch.setattr(AxialPairs, "__call__", draw)
    with caplog.at_level(logging.INFO):
        resumed = sr4zct.build(**TINY).restore(thick, thin.grid, run=run)
    assert "resuming from step 7" in caplog.text
    np.testing.assert_array_equal(resumed.voxels, whole.voxels)


def test_another_scan_or_model_does_not_go_on_from_the_same_folder(tmp_path, caplog):
    run = replace(QUIET, work=tmp_path)
    (thick, thin), (other, _) = scan(), scan(seed=1)
    sr4zct.build(**TINY).restore(thick, thin.grid, run=run)
    for changed, model in ((other, {}), (thick, {"thickness_mm": 4.25})):
        caplog.clear()
        found = sr4zct.build(**TINY, **model).restore(changed, thin.grid, run=run)
        assert "another network, plan or data" in caplog.text
        fresh = sr4zct.build(**TINY, **model).restore(changed, thin.grid, run=QUIET)
        np.testing.assert_array_equal(found.voxels, fresh.voxels)


def test_tiled_equals_untiled_where_the_halo_covers_what_the_network_sees():
    torch.manual_seed(0)
    net = MSD(6, 1, 4)
    for p in net.parameters():
        nn.init.normal_(p, std=0.3)
    image = [np.random.default_rng(0).normal(size=(70, 2, 90)).astype(np.float32)]
    whole = planes.view(net, image, planes.PlaneTiles((100, 100)), planes.CORONAL, run=QUIET)
    tiles = planes.PlaneTiles((48, 50), halo=net.reach, blend=4)
    tiled = planes.view(net, image, tiles, planes.CORONAL, run=QUIET)
    assert net.reach == 13
    np.testing.assert_allclose(tiled, whole, atol=1e-4)


def test_onto_thicker_slices_a_native_one_weighs_the_part_inside():
    native = Grid(12, 0.5, 0.5, (2, 2), PIXEL_MM, start_mm=10.25)  # from 10 to 16 mm
    wanted = native.with_slices(n=2, increment_mm=2.0, thickness_mm=1.5, start_mm=12.75)
    weights = slice_mean_matrix(native, wanted).toarray()
    assert weights[0] == pytest.approx([0] * 4 + [1 / 3] * 3 + [0] * 5)
    held = wanted.with_slices(n=1, increment_mm=1.0, thickness_mm=1.0, start_mm=16.0)
    assert slice_mean_matrix(native, held).toarray()[0] == pytest.approx([0] * 11 + [1.0])


def test_the_published_network_is_the_default():
    for module in METHODS:
        assert module.build().parameters() == 45_652
    assert sr4zct.build().settings.plan(280).steps == 56_000


def test_what_cannot_be_is_refused():
    thick, thin = scan()
    with pytest.raises(ValueError, match="50 mm slices on an extent of 40 mm"):
        sr4zct.build(**TINY, thickness_mm=50.0).restore(thick, thin.grid, run=QUIET)
    with pytest.raises(ValueError, match=r"overlap 4\.0 must be below"):
        sr4zct.build(**TINY, overlap_mm=4.0).restore(thick, thin.grid, run=QUIET)
    with pytest.raises(ValueError, match="filter of 41 pixels on a slice of 40"):
        smore.build(**TINY, filter_width=41).restore(thick, thin.grid, run=QUIET)
    for wrong in (
        {"view": "axial"},
        {"loss": "rmse"},
        {"precision": "bf16"},
        {"crop": 0},
        {"start": "0"},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            sr4zct.build(**wrong)
