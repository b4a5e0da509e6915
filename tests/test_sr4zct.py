"""Methods that learn from the scan itself: what they are shown, where slices end up, and resuming.

Networks are small; laws of positions are tested with one that changes nothing.
"""

import functools
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from golden_weights import fixture
from torch import nn

from thinslice import overlapping, slice_means, ssp
from thinslice.degradations import overlap
from thinslice.drivers import planes
from thinslice.methods import smore, sr4zct, sr4zct_released
from thinslice.nets.msd import MSD
from thinslice.resampling import resample_z
from thinslice.seams import Run
from thinslice.training import self_supervised
from thinslice.training.axial_pairs import AxialPairs, spread_over, upright
from thinslice.training.plan import Plan
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
    return thin.with_voxels(ssp.apply(made.matrix(thin.grid, grid), thin.voxels), grid), thin


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


def test_beyond_the_ends_the_end_is_held(unchanged):
    asked = THICK.with_slices(n=60, increment_mm=1.0, thickness_mm=1.0, start_mm=-15.0)
    restored = sr4zct.build().restore(ramp(THICK), asked, run=QUIET).voxels
    first, last = 100 * THICK.centres_mm()[[0, -1]]
    assert np.abs(restored[:15] - first).max() < 0.02
    assert np.abs(restored[-10:] - last).max() < 0.02


@pytest.mark.parametrize(("n", "pixel_mm"), [(64, 0.7421875), (57, 1.0), (90, 0.6)])
def test_a_degraded_ramp_is_the_ramp_held_at_the_outermost_rows(n, pixel_mm):
    at_mm = pixel_mm * np.arange(n)
    degraded = EXACT.degraded(THICK, n, pixel_mm) @ at_mm
    length = n * pixel_mm
    rows = 1 + int((length - 3.0) / 2.0 + 1e-6)
    first = 3.0 / 2 - pixel_mm / 2
    assert np.abs(degraded - at_mm.clip(first, first + 2.0 * (rows - 1))).max() < 1e-9


def test_a_degraded_line_is_the_mean_over_rows_then_linear_between_them():
    fine, pixel_mm = 0.01, 0.5
    x = pixel_mm * np.arange(80)
    line = np.sin(x)
    degraded = EXACT.degraded(THICK, 80, pixel_mm) @ line
    means = [
        np.interp(np.arange(c - 1.5 + fine / 2, c + 1.5, fine), x, line).mean()
        for c in 1.25 + 2.0 * np.arange(19)  # 3 mm every 2 mm from the first pixel's edge
    ]
    expected = np.interp(x, 1.25 + 2.0 * np.arange(19), means)
    assert np.abs(degraded - expected).max() < 0.01  # nine points for an integral


def test_the_scan_s_planes_are_interpolated_as_the_training_images_are():
    """A line seen by thick slices and interpolated is the same along z as along an image's rows."""
    n, pixel_mm = 60, 0.8
    fine = Grid(n, pixel_mm, pixel_mm, (3, 3), PIXEL_MM)
    coarse = overlapping.exact(fine, 3.0, 1.0)
    native = EXACT.native(coarse, pixel_mm)
    down = overlapping.means_of_points(fine, coarse).toarray()
    along_z = EXACT.interpolated(coarse, native) @ down
    along_rows = EXACT.degraded(coarse, n, pixel_mm)
    assert np.abs(native.centres_mm() - fine.centres_mm()[: native.n]).max() < 1e-9
    np.testing.assert_allclose(along_z, along_rows.toarray()[: native.n], atol=1e-9)


def test_another_thickness_overlap_or_pixel_gives_other_training_images():
    right = EXACT.degraded(THICK, 64, 0.8).toarray()
    for wrong in (sr4zct.Exact(3.25, None), sr4zct.Exact(None, 1.25), sr4zct.Exact(2.75, 0.75)):
        assert np.abs(wrong.degraded(THICK, 64, 0.8).toarray() - right).max() > 0.02
    said = sr4zct.Exact(3.0, 1.0).degraded(replace(THICK, thickness_mm=9.0), 64, 0.8).toarray()
    np.testing.assert_array_equal(said, right)


@pytest.mark.parametrize("call", range(7))
def test_released_resampling_equals_the_authors(call):
    meta, golden = fixture("sr4zct", "resample")
    r, o, thickness, shared, back = meta["calls"][call]
    image, model = golden["image"], sr4zct_released.Anchored()
    if back:
        coarse = replace(THICK, thickness_mm=thickness, increment_mm=thickness - shared)
        made = model.degraded(coarse, len(image), r) @ image
    else:
        scan = Grid(len(image), r - o, r, (9, 1), (thickness, 1.0))
        native = model.native(scan, thickness)
        spread = overlapping.NINTHS if shared else overlapping.MIDDLE
        made = overlapping.means_of_points(scan, native, spread) @ image
        if not shared:
            np.testing.assert_array_equal(made, model.interpolated(scan, native) @ image)
    made = made.clip(image.min(), image.max())
    assert np.abs(made - golden[f"out_{call}"]).max() < 1e-11


def test_training_pairs_stand_upright_as_the_authors_do():
    _, golden = fixture("sr4zct", "training_pairs")
    for i, (image, label) in enumerate(zip(golden["images"], golden["labels"])):
        horizontal, z = divmod(i, 3)
        degraded = golden["horizontal" if horizontal else "vertical"][z]
        np.testing.assert_array_equal(upright(degraded, bool(horizontal)), image[0])
        np.testing.assert_array_equal(upright(golden["volume"][z], bool(horizontal)), label[0])


def test_pairs_are_degraded_along_their_rows_whichever_axis_that_was():
    slices = blobs((3, 34, 40))
    along = [EXACT.degraded(THICK, n, mm).toarray() for n, mm in zip((34, 40), PIXEL_MM)]
    pairs = AxialPairs(slices, *along, crop=None, batch=1)
    assert len(pairs) == 6
    vertical, own = pairs.whole(1)
    np.testing.assert_allclose(vertical, along[0] @ slices[1], atol=1e-3)
    np.testing.assert_array_equal(own, slices[1])
    horizontal, own = pairs.whole(4)
    np.testing.assert_allclose(horizontal, np.rot90(slices[1] @ along[1].T), atol=1e-3)
    np.testing.assert_array_equal(own, np.rot90(slices[1]))
    mean, std = pairs.moments()
    assert mean[1] == pytest.approx(slices.mean(dtype=float), abs=1e-3)
    assert std[1] == pytest.approx(slices.std(dtype=float), rel=1e-5)
    assert std[0] < std[1]


def test_crops_are_parts_of_whole_pairs():
    along = [EXACT.degraded(THICK, n, mm).toarray() for n, mm in zip((34, 40), PIXEL_MM)]
    pairs = AxialPairs(blobs((1, 34, 40)), *along, crop=12, batch=3)
    found = 0
    for step in range(8):
        for x, y in zip(*pairs(np.random.default_rng(step))):
            assert x.shape == y.shape == (1, 12, 12)
            for i in range(2):
                degraded, own = pairs.whole(i)
                windows = np.lib.stride_tricks.sliding_window_view(own, (12, 12))
                at = np.argwhere((windows == y[0].numpy()).all((2, 3)))
                for p, q in at:
                    part = degraded[p : p + 12, q : q + 12]
                    np.testing.assert_allclose(x[0], part, atol=1e-3)
                    found += 1
    assert found == 24


def test_at_most_so_many_slices_are_learned_from_the_ends_among_them():
    assert spread_over(140, 5).tolist() == [0, 35, 70, 104, 139]
    assert spread_over(4, 9).tolist() == spread_over(4, None).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("width", "stride"), [(5, 2), (4, 3), (1, 1)])
def test_smore_convolves_whole_pixels(width, stride):
    noise = np.random.default_rng(0).normal(size=31)
    rows = np.convolve(noise, np.ones(width) / width, "valid")[::stride]
    at = stride * np.arange(len(rows)) + (width - 1) / 2
    made = smore.Convolved(width, stride).degraded(THICK, 31, 0.7) @ noise
    np.testing.assert_allclose(made, np.interp(np.arange(31), at, rows), atol=1e-12)
    # 3 mm every 2 mm in pixels of 0.7421875: 4.04 and 2.69, so 4 and 3 as in the paper's figure 7
    asked, rounded = smore.Convolved(4, 3), smore.Convolved(None, None)
    same = [m.degraded(THICK, 64, 0.7421875).toarray() for m in (asked, rounded)]
    np.testing.assert_array_equal(*same)


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
    assert "going on from step 7" in caplog.text
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
    weights = slice_means.weights(native, wanted).toarray()
    assert weights[0] == pytest.approx([0] * 4 + [1 / 3] * 3 + [0] * 5)
    held = wanted.with_slices(n=1, increment_mm=1.0, thickness_mm=1.0, start_mm=16.0)
    assert slice_means.weights(native, held).toarray()[0] == pytest.approx([0] * 11 + [1.0])


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
