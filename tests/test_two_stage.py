"""Two-stage methods: where voxels come to lie, what is learned from, and the same bits again."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_weights import fixture

from thinslice.degradations import box, imresize, sparse
from thinslice.degrading import thick_of
from thinslice.drivers import finer
from thinslice.methods import georgescu, georgescu_released
from thinslice.seams import Degradation, Pair, Run
from thinslice.training.native_patches import NativePatches, covered, native_mm
from thinslice.training.shrunk_patches import Blur, PatchShape, ShrunkPatches
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False, threads=1)
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(40, 1.0, 1.0, (28, 24), (0.7, 0.9), -3.0, (9.0, -4.0, 70.5), TILTED)
TINY = {"channels": 4, "patch": 5, "batch": 6, "validate_every": 2, "val_batches": 1}
SHORT = {**TINY, "in_plane_steps": 4, "through_plane_steps": 4}
CT = (-1024.0, 3071.0)
BOTH = imresize.build(through_plane=2, in_plane=2)
BOX5 = box.build(thickness_mm=5.0, increment_mm=5.0)


def volume(values: np.ndarray, grid: Grid = THIN) -> Volume:
    return Volume(np.ascontiguousarray(np.broadcast_to(values, grid.zyx), np.float32), grid)


def waves(seed: int) -> Volume:
    """Slanted waves of 9 to 14 voxels and a little noise, HU."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(THIN.zyx)
    made = rng.normal(-200, 5, THIN.zyx)
    for _ in range(3):
        a, b, c = 2 * np.pi / rng.uniform(9, 14, 3) * rng.choice([-1, 1], 3)
        made += 150 * np.sin(a * z + b * y + c * x + rng.uniform(0, 6))
    return volume(made)


def pair(degradation: Degradation, seed: int = 0) -> Pair:
    thin = waves(seed)
    return Pair(f"case{seed}", thick_of(degradation, thin), thin)


class Linear(torch.nn.Module):
    """Ideal on ramps: fine pixels on the line through their coarse neighbours, tiled half-way."""

    def __init__(self, scale: tuple[int, int]):
        super().__init__()
        self.scale = tuple(float(s) for s in scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(
            x, scale_factor=self.scale, mode="bilinear", align_corners=False
        )


def with_stubs(method, **factors: int):
    """The method with networks that are exact on ramps in the place of learned ones."""
    scales = {"in_plane": lambda f: (f, f), "through_plane": lambda f: (f, 1)}
    method._factors = dict(factors)
    method._nets = torch.nn.ModuleDict({s: Linear(scales[s](f)) for s, f in factors.items()})
    return method


def slant_hu() -> np.ndarray:
    """A plane that rises along z, y and x, within the window."""
    z, y, x = np.indices(THIN.zyx)
    return 11.0 * z + 7.0 * y - 5.0 * x - 300


@pytest.mark.parametrize(
    ("degradation", "factors"),
    [
        (imresize.build(through_plane=1, in_plane=2), {"in_plane": 2}),
        (imresize.build(through_plane=1, in_plane=4), {"in_plane": 4}),
        (imresize.build(through_plane=1, in_plane=4), {"in_plane": 2}),  # used twice
        (imresize.build(through_plane=2), {"through_plane": 2}),
        (imresize.build(through_plane=3), {"through_plane": 3}),
        (imresize.build(through_plane=4), {"through_plane": 4}),
        (BOX5, {"through_plane": 5}),
        (sparse.build(increment_mm=5.0), {"through_plane": 5}),
        (sparse.build(increment_mm=2.0), {"through_plane": 2}),
        (box.build(thickness_mm=3.0, increment_mm=3.0, phase_mm=2.4), {"through_plane": 3}),
        (BOTH, {"in_plane": 2, "through_plane": 2}),
    ],
)
def test_a_slanted_plane_comes_back_where_it_was(degradation, factors):
    thin = volume(slant_hu())
    thick = thick_of(degradation, thin)
    method = with_stubs(georgescu.build(ensemble="mean"), **factors)
    restored = method.restore(thick, THIN, run=RUN)
    assert restored.grid == THIN
    margin = 10  # voxels: beyond thick centres ramps cannot go on, and splines ring a little
    inner = (slice(margin, -margin), slice(margin, -margin), slice(margin, -margin))
    assert np.abs(restored.voxels - thin.voxels)[inner].max() < 0.15


def test_odd_sizes_come_back_to_the_thin_grid():
    grid = replace(THIN, n=39, shape=(27, 23))
    thick = thick_of(BOTH, volume(slant_hu()[:39, :27, :23], grid))
    restored = with_stubs(georgescu.build(), in_plane=2, through_plane=2).restore(
        thick, grid, run=RUN
    )
    assert restored.grid == grid
    assert np.abs(restored.voxels[38] - restored.voxels[37]).max() < 1e-3  # the end is held


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_native_voxels_tile_the_thick_ones_in_millimetres(factor):
    native = finer.slices(finer.pixels(THIN, factor), factor)
    for corner in ((-0.5, -0.5, -0.5), np.array(THIN.zyx) - 0.5):
        coarse = THIN.affine() @ [*corner, 1]
        fine = native.affine() @ [*((np.array(corner) + 0.5) * factor - 0.5), 1]
        assert np.abs(coarse - fine).max() < 1e-9
    on_it = [np.abs(native.centres_mm() - z).min() < 1e-9 for z in THIN.centres_mm()]
    assert all(on_it) if factor % 2 else not any(on_it)


def test_voxels_that_lie_where_they_are_asked_for_are_given_unchanged():
    native = waves(0)
    asked = finer.placed(native, replace(THIN, n=7, start_mm=1.0))
    assert np.array_equal(asked.voxels, native.voxels[4:11])
    y = np.array(THIN.direction[1])
    origin = tuple(float(v) for v in np.array(THIN.origin_mm) + 3 * 0.7 * y)
    asked = finer.placed(native, replace(THIN, shape=(9, 24), origin_mm=origin))
    assert np.array_equal(asked.voxels, native.voxels[:, 3:12])
    between = finer.placed(volume(slant_hu()), replace(THIN, n=20, start_mm=5.5))
    assert np.abs(between.voxels - 11 * 8.5 - (slant_hu()[0] + 11 * np.arange(20)[:, None, None]))[
        :, 8:-8, 8:-8
    ].max() < 0.05  # fmt: skip


def test_the_released_method_works_in_whole_grey_levels():
    thick = thick_of(imresize.build(through_plane=1, in_plane=2), waves(1))
    restored = with_stubs(georgescu_released.build(), in_plane=2).restore(thick, THIN, run=RUN)
    levels = (restored.voxels + 1024) / 4095 * 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-3


def test_what_lies_beyond_the_window_is_kept():
    thin = volume(np.where(np.indices(THIN.zyx)[0] > 20, 5000.0, -2000.0))
    thick = thick_of(BOX5, thin)
    restored = with_stubs(georgescu.build(), through_plane=5).restore(thick, THIN, run=RUN)
    assert restored.voxels.max() == pytest.approx(5000, abs=0.1)
    assert restored.voxels.min() == pytest.approx(-2000, abs=0.1)


@pytest.mark.parametrize("stage", ["in_plane", "through_plane"])
def test_tiled_equals_untiled(stage):
    scan = waves(2)
    scan = Volume(scan.voxels[:26, :14, :12], replace(THIN, n=26, shape=(14, 12)))
    finest = finer.slices(scan.grid, 2)
    if stage == "in_plane":
        scan = Volume(waves(2).voxels[:3], replace(THIN, n=3))
        finest = finer.pixels(scan.grid, 2)
    answers = []
    for side in (512, 23):
        method = georgescu.build(tile=side, channels=4)
        method._factors = {stage: 2}
        method._nets = method._build()
        answers.append(method.restore(scan, finest, run=RUN).voxels)
    assert np.abs(answers[0] - answers[1]).max() < 1e-2
    assert answers[0].std() > 1


# What the networks are taught on


def test_native_patches_are_thick_voxels_and_the_thin_ones_that_tile_them():
    ramp = volume(slant_hu())
    for degradation, factor in ((BOX5, 5), (sparse.build(increment_mm=2.0), 2)):
        thick = thick_of(degradation, ramp)
        draw = NativePatches([Pair("a", thick, ramp)], PatchShape(5, (factor, 1), (1, 2)), 8, CT)
        x, y = draw(np.random.default_rng(0))
        assert (x.shape, y.shape) == ((8, 1, 5, 5), (8, 1, 5 * factor, 5))
        means = y.unflatten(2, (5, factor)).mean(3)
        assert (means - x)[:, :, 1:-1].abs().max() < 0.01
        slope = 255 / 4095 * np.array([-5.0, 7.0])  # coronal rows run along x, sagittal along y
        found = (x[:2, 0, 0, 1] - x[:2, 0, 0, 0]).numpy()
        assert np.abs(found - slope).max() < 1e-3


def test_only_thick_slices_that_thin_ones_cover_are_taught_on():
    short = Volume(waves(0).voxels[7:31], replace(THIN, n=24, start_mm=4.0))
    made = Pair("a", pair(BOX5).thick, short)
    first, last = covered(made, 5)
    at = native_mm(made, 5).reshape(-1, 5)
    assert at[first, 0] >= 4.0 > at[first - 1, 0]
    assert at[last, -1] <= 27.0 < at[last + 1, -1]
    far = replace(short.grid, start_mm=400.0)
    with pytest.raises(ValueError, match="no thick slice lies"):
        covered(Pair("a", made.thick, Volume(short.voxels, far)), 5)


@pytest.mark.parametrize(("scale", "views"), [((2, 2), (0,)), ((4, 1), (1, 2))])
def test_shrunk_patches_are_the_thin_planes_made_coarse(scale, views):
    ramp = volume(slant_hu())
    shape = PatchShape(4, scale, views)
    draw = ShrunkPatches([Pair("a", ramp, ramp)], shape, 6, CT, Blur("none"))
    x, y = draw(np.random.default_rng(0))
    assert (x.shape, y.shape) == ((6, 1, 4, 4), (6, 1, *shape.fine))
    means = y[:, 0].unflatten(1, (4, scale[0])).mean(2).unflatten(2, (4, scale[1])).mean(3)
    assert (means - x[:, 0]).abs().mean() < 0.3  # each is shrunk alone: mirrored at its own ends


@pytest.mark.parametrize("i", range(3))
def test_the_released_blur_is_theirs_dark_border_and_all(i):
    meta, arrays = fixture("georgescu", "functions")
    patch = arrays[f"patch_{i}"].astype(float)[None]
    blurred = Blur(border="constant")(patch, np.array([meta["sigma"][i]]))
    assert np.array_equal(np.floor(blurred[0] + 0.5), arrays[f"blurred_{i}"])


def test_half_of_the_patches_are_blurred_and_as_much_as_was_said():
    rng = np.random.default_rng(0)
    widths = Blur("random", 0.5).sigmas(4000, rng)
    assert 0.45 < (widths > 0).mean() < 0.55
    assert 0.2 < widths[widths > 0].mean() < 0.3
    assert widths.max() <= 0.5
    assert set(Blur("fixed", 0.4).sigmas(100, rng)) == {0.0, 0.4}
    assert not Blur("none").sigmas(100, rng).any()
    noise = rng.uniform(0, 255, (2, 9, 9))
    soft = Blur()(noise, np.array([0.0, 0.5]))
    assert np.array_equal(soft[0], noise[0])
    assert soft[1].std() < noise[1].std()
    assert np.abs(Blur()(np.full((1, 5, 5), 80.0), np.array([0.5])) - 80).max() < 1e-9
    with pytest.raises(ValueError, match="blur"):
        Blur("soft")  # type: ignore[arg-type]


def test_dark_patches_are_left_out_of_the_released_training():
    z, _, _ = np.indices(THIN.zyx)
    half_dark = volume(np.where(z < 30, -1024.0, 500.0))
    shape = PatchShape(4, (2, 2), (0,))
    pairs = [Pair("a", half_dark, half_dark)]
    for least, dark in ((0.0, True), (5.0, False)):
        draw = ShrunkPatches(pairs, shape, 32, CT, Blur(), least)
        assert bool((draw(np.random.default_rng(0))[1].amax((1, 2, 3)) == 0).any()) == dark


def test_released_patches_are_whole_levels_and_turned_a_pixel_aside():
    finish = georgescu_released.as_stored((1,))
    x, y = np.full((3, 4, 4), 80.4), np.full((3, 8, 8), 80.4)
    x, y = finish(x, y, np.random.default_rng(0))
    assert set(np.unique(x)) == set(np.unique(y)) == {0.0, 80.0}
    assert not x[:, 0].any()  # one coarse pixel, two fine ones ...
    assert not y[:, 0].any()
    assert y[:, 1].all()  # ... of which the answer has moved by one


# Fitting


@pytest.mark.parametrize("module", [georgescu, georgescu_released])
@pytest.mark.parametrize(
    ("degradation", "stages"),
    [(BOX5, ["through_plane"]), (imresize.build(through_plane=1, in_plane=2), ["in_plane"]),
     (BOTH, ["in_plane", "through_plane"])],
)  # fmt: skip
def test_only_the_networks_that_the_pairs_need_are_trained(module, degradation, stages, tmp_path):
    method = module.build(**SHORT)
    made = pair(degradation)
    curve = method.fit([made], [pair(degradation, 1)], work=tmp_path, run=RUN)
    rows = [line.split(",") for line in curve.read_text().splitlines()[1:]]
    assert list(dict.fromkeys(row[0] for row in rows)) == stages
    restored = method.restore(made.thick, THIN, run=RUN)
    assert restored.grid == THIN
    method.save(tmp_path / "weights", {})
    other = module.build(**SHORT)
    other.load(tmp_path / "weights")
    assert np.array_equal(other.restore(made.thick, THIN, run=RUN).voxels, restored.voxels)


def test_released_quarters_are_made_by_the_network_for_halves(tmp_path):
    made = pair(imresize.build(through_plane=1, in_plane=4))
    released, published = georgescu_released.build(**SHORT), georgescu.build(**SHORT)
    for method in (released, published):
        method.fit([made], [], work=tmp_path / method.recipe.method, run=RUN)
    assert (released._factors, published._factors) == ({"in_plane": 2}, {"in_plane": 4})
    assert released.restore(made.thick, THIN, run=RUN).grid == THIN


def test_factors_it_was_not_fitted_for_are_refused(tmp_path):
    method = georgescu.build(**SHORT)
    made = pair(BOX5)
    with pytest.raises(RuntimeError, match="fit or load"):
        method.restore(made.thick, THIN, run=RUN)
    method.fit([made], [], work=tmp_path, run=RUN)
    finer_pixels = finer.pixels(THIN, 2)
    for grid in (finer_pixels, finer.slices(THIN, 2), made.thick.grid):
        with pytest.raises(ValueError, match="pixels of"):
            method.restore(made.thick, grid, run=RUN)
    odd = replace(THIN, pixel_mm=(0.5, 0.9))
    with pytest.raises(ValueError, match="whole number"):
        method.restore(made.thick, odd, run=RUN)
    with pytest.raises(ValueError, match="one method per factor"):
        method.fit([made, pair(BOTH, 1)], [], work=tmp_path, run=RUN)
    with pytest.raises(ValueError, match="nothing can be learned"):
        method.fit([Pair("a", made.thin, made.thin)], [], work=tmp_path, run=RUN)


def test_the_loss_looks_at_the_intermediate_plane_unless_told_not_to(tmp_path):
    fitted = []
    for looks in (True, False):
        method = georgescu.build(**SHORT, intermediate_loss=looks)
        method.fit([pair(BOX5)], [], work=tmp_path / str(looks), run=RUN)
        fitted.append(method._nets["through_plane"].first[0].weight)
    assert not torch.equal(*fitted)


def test_a_few_steps_learn_waves_that_interpolation_flattens(tmp_path):
    settings = {**TINY, "channels": 12, "patch": 10, "batch": 16, "schedule": "cosine"}
    settings |= {"through_plane_lr": 5e-3, "validate_every": 75, "ensemble": "none"}
    method = georgescu.build(**settings, through_plane_steps=300)
    method.fit([pair(BOX5, i) for i in range(4)], [pair(BOX5, 9)], work=tmp_path, run=RUN)
    unseen = pair(BOX5, 5)
    inner = (slice(8, -8), slice(5, -5), slice(5, -5))

    def rmse(restored: Volume) -> float:
        return float(np.sqrt(np.mean((restored.voxels - unseen.thin.voxels)[inner] ** 2)))

    linear = with_stubs(georgescu.build(ensemble="none"), through_plane=5)
    start = rmse(linear.restore(unseen.thick, THIN, run=RUN))
    assert rmse(method.restore(unseen.thick, THIN, run=RUN)) < 0.8 * start


KILLED = """
import sys; sys.path.insert(0, "tests")
import test_two_stage as t
from pathlib import Path
t.long_fit(Path(sys.argv[1]))
"""


def long_fit(work: Path):
    """A training of both networks that takes seconds."""
    method = georgescu.build(**TINY, in_plane_steps=100, through_plane_steps=100)
    method.fit([pair(BOTH)], [pair(BOTH, 1)], work=work, run=RUN)
    return method


def test_killed_in_the_second_stage_it_ends_as_one_left_in_peace(tmp_path):
    root = Path(__file__).resolve().parents[1]
    job = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
        cwd=root,
        stderr=subprocess.DEVNULL,
    )
    try:
        second = tmp_path / "killed" / "through_plane" / "curve.csv"
        until = time.monotonic() + 120
        while not (second.exists() and second.read_text().count("\n") > 4):
            assert job.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        job.kill()
        job.wait()
    first = tmp_path / "killed" / "in_plane" / "checkpoint.pt"
    before = first.stat().st_mtime_ns
    resumed, whole = long_fit(tmp_path / "killed"), long_fit(tmp_path / "whole")
    assert first.stat().st_mtime_ns == before  # the first stage was not made again
    for name, tensor in whole._nets.state_dict().items():
        assert torch.equal(tensor, resumed._nets.state_dict()[name]), name
