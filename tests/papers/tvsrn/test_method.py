"""TVSRN as a method: from thick volumes to exactly the slices asked for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from support.textured_pairs import rmse_of_the_best_filter_along_z, textured
from thinslice.inference import cubes
from thinslice.interfaces import Pair, Run
from thinslice.methods import tvsrn, tvsrn_encoder, tvsrn_no_tab, tvsrn_released, tvsrn_vit
from thinslice.nets.swin import SwinBlock
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
FIT = {"side": 16, "steps": 12, "lr": 3e-3, "validate_every": 6, "val_batches": 2, "tile": 32}
TINY = {"channels": 4, "heads": 2, "window": 4, "fold": 4}
CARDS = {
    "tvsrn": (tvsrn, {**TINY, "encoder_blocks": 2, "tab_blocks": 2, "plane_blocks": 2}),
    "no_tab": (tvsrn_no_tab, {**TINY, "encoder_blocks": 2, "plane_blocks": 2}),
    "encoder": (tvsrn_encoder, {"channels": 4, "heads": 2, "encoder_blocks": 2, "window": 4}),
    "vit": (tvsrn_vit, {"patch": 4, "channels": 24, "heads": 2, "blocks": 1}),
    "released": (tvsrn_released, {"steps": 1}),
}


def grid(n: int, increment_mm: float, start_mm: float, shape=(18, 22)) -> Grid:
    return Grid(n, increment_mm, increment_mm, shape, (0.7, 0.7), start_mm)


def pair(seed: int, increment_mm: float = 5.0, n: int = 6, modality="CT") -> Pair:
    """Thin slices that wave along z, and their means over the thick increment."""
    rng = np.random.default_rng(seed)
    factor = int(increment_mm)
    thin = grid((n - 1) * factor + 1, 1.0, 2.0)
    z = thin.centres_mm()[:, None, None]
    wave = np.sin(2 * np.pi * z / 13 + rng.uniform(0, 6, (1, *thin.shape)).round())
    voxels = (300 * wave).astype(np.float32)
    edge = factor // 2
    padded = np.pad(voxels, ((edge, factor - edge), (0, 0), (0, 0)), mode="edge")
    means = np.stack([padded[i * factor : (i + 1) * factor].mean(0) for i in range(n)])
    thick = Volume(means.astype(np.float32), grid(n, increment_mm, 2.0), modality)
    return Pair(f"case{seed}", thick, Volume(voxels, thin, modality))


def fitted(name: str, tmp_path, pairs=None, **settings):
    module, small = CARDS[name]
    method = module.build(**{**FIT, **small, **settings})
    pairs = pairs or [pair(0), pair(1)]
    method.fit(pairs[:1], pairs[1:], work=tmp_path / name, run=RUN)
    return method


def without_blocks(build):
    """The network, its transformer blocks left at their start, where they do nothing."""

    def build_frozen(shape):
        net = build(shape)
        for block in net.modules():
            if isinstance(block, SwinBlock):
                block.requires_grad_(False)
        return net

    return build_frozen


@pytest.fixture(scope="module", params=CARDS)
def method(request, tmp_path_factory):
    return fitted(request.param, tmp_path_factory.mktemp("fit"))


ASKED = {
    "the thin slices": grid(26, 1.0, 2.0),
    "beyond both ends": grid(36, 1.0, -3.0),
    "between the native slices": grid(20, 1.1, 3.3),
    "a few inside": grid(3, 1.0, 11.0),
}


@pytest.mark.parametrize("asked", ASKED)
def test_restored_is_exactly_on_the_grid_asked_for(method, asked):
    thick = pair(3).thick
    before = thick.voxels.copy()
    restored = method.restore(thick, ASKED[asked], run=RUN)
    assert restored.grid == ASKED[asked]
    assert restored.modality == "CT"
    assert restored.voxels.dtype == np.float32
    assert np.isfinite(restored.voxels).all()
    assert restored.voxels.std() > 1
    np.testing.assert_array_equal(thick.voxels, before)


def test_slices_common_to_two_grids_are_the_same(method):
    thick = pair(3).thick
    wide = method.restore(thick, ASKED["the thin slices"], run=RUN)
    few = method.restore(thick, ASKED["a few inside"], run=RUN)
    np.testing.assert_array_equal(wide.voxels[9:12], few.voxels)


def test_saved_weights_restore_the_same(method, tmp_path):
    name = method.recipe.method.removeprefix("tvsrn_")
    module, small = CARDS[name]
    method.save(tmp_path / "w", {"fitted_on": "waves"})
    other = module.build(**{**FIT, **small})
    other.load(tmp_path / "w")
    asked = ASKED["the thin slices"]
    want = method.restore(pair(3).thick, asked, run=RUN)
    np.testing.assert_array_equal(other.restore(pair(3).thick, asked, run=RUN).voxels, want.voxels)
    assert other.parameters() == method.parameters() > 0


@pytest.mark.slow  # that TVSRN beats the best linear filter, every run checks
def test_fitting_learns_what_no_filter_along_z_can(tmp_path):
    """What the slices between hold is told by the texture in-plane; without its blocks TVSRN is
    one affine filter along z for all pixels, and the best of these is of no use."""
    cases, unseen = [textured(seed) for seed in (0, 1, 3, 4)], textured(2)
    settings = {"steps": 60, "validate_every": 60, "batch": 2, "lr": 3e-3, "drop_path": 0.0}

    def rmse(freeze: bool) -> float:
        method = tvsrn.build(**{**FIT, **CARDS["tvsrn"][1], **settings})
        if freeze:
            method._build = without_blocks(method._build)
        method.fit(cases, [], work=tmp_path / str(freeze), run=RUN)
        restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
        return float(np.sqrt(np.square(restored.voxels - unseen.thin.voxels).mean()))

    best_filter = rmse_of_the_best_filter_along_z(unseen)
    assert rmse(freeze=True) > best_filter
    assert rmse(freeze=False) < 0.75 * best_filter


def test_losses_and_steps_that_cannot_be_are_refused_before_training():
    with pytest.raises(ValueError, match="'l2' is none of l1, mse"):
        tvsrn.build(**FIT, loss="l2")
    with pytest.raises(ValueError, match="leave gaps"):
        tvsrn.build(**FIT, step=4)
    with pytest.raises(ValueError, match="2 slices apart, found step 1"):
        tvsrn_released.build(step=1)


def test_windows_start_at_every_step_th_slice(tmp_path, monkeypatch):
    method = fitted("tvsrn", tmp_path, steps=1)
    thick, starts = pair(3).thick, []
    real = cubes.default_starts
    monkeypatch.setattr(
        cubes, "default_starts", lambda *a: starts.append(list(real(*a))) or real(*a)
    )
    for step in (None, 2, 1):
        settings = replace(method.recipe.settings, step=step)
        method.recipe = replace(method.recipe, settings=settings)
        method.restore(thick, ASKED["the thin slices"], run=RUN)
    assert starts == [[0, 2], [0, 2], [0, 1, 2]]


def test_an_untrained_tvsrn_keeps_a_ramp(tmp_path):
    """Linear interpolation at the start: native positions are where they are said to be."""
    method = fitted("tvsrn", tmp_path, steps=1, lr=1e-12)
    thick_grid, asked = grid(7, 5.0, -4.0), grid(29, 1.0, -3.0)
    thick = Volume(np.empty(thick_grid.zyx, np.float32), thick_grid)
    thick.voxels[:] = 10 * thick_grid.centres_mm()[:, None, None]
    restored = method.restore(thick, asked, run=RUN)
    want = np.broadcast_to(10 * asked.centres_mm()[:, None, None], asked.zyx)
    np.testing.assert_allclose(restored.voxels, want, atol=0.01)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    one, two = fitted("tvsrn", tmp_path / "a"), fitted("tvsrn", tmp_path / "b")
    other = fitted("tvsrn", tmp_path / "c", seed=1)
    for p, q, r in zip(*(m.net.parameters() for m in (one, two, other))):
        assert torch.equal(p, q)
        assert not torch.equal(p, r)


def test_another_factor_is_refused_with_its_numbers(tmp_path):
    method = fitted("tvsrn", tmp_path)
    with pytest.raises(ValueError, match=r"every 2\.5 mm .* 5 mm are a factor of 2, .* for 5"):
        method.restore(pair(3).thick, grid(11, 2.5, 2.0), run=RUN)
    with pytest.raises(ValueError, match=r"case4 has a factor of 3, tvsrn is for 5 \(1 of 2"):
        tvsrn.build(**FIT).fit([pair(0), pair(4, 3.0)], [], work=tmp_path / "x", run=RUN)


def test_the_factor_is_that_of_the_pairs(tmp_path):
    cases = [pair(0, 3.0, 8), pair(1, 3.0, 8)]
    method = fitted("tvsrn", tmp_path, cases)
    assert method.factors == [3]
    restored = method.restore(cases[0].thick, cases[0].thin.grid, run=RUN)
    assert restored.grid.n == 22


def test_without_weights_nothing_is_restored():
    for module, small in CARDS.values():
        with pytest.raises(RuntimeError, match="no weights yet"):
            module.build(**small).restore(pair(0).thick, ASKED["a few inside"], run=RUN)


def test_weights_of_another_method_or_other_settings_are_refused(tmp_path):
    method = fitted("tvsrn", tmp_path)
    method.save(tmp_path / "w", {})
    with pytest.raises(ValueError, match="weights of 'tvsrn', not of 'tvsrn_no_tab'"):
        tvsrn_no_tab.build().load(tmp_path / "w")
    with pytest.raises(ValueError, match="channels 4 where 8 was expected"):
        tvsrn.build(**{**FIT, **CARDS["tvsrn"][1], "channels": 8}).load(tmp_path / "w")
    with pytest.raises(ValueError, match="factor 5 where 4 was expected"):
        tvsrn.build(**FIT, **CARDS["tvsrn"][1], factor=4).load(tmp_path / "w")


def test_other_pixels_are_refused(tmp_path):
    asked = replace(ASKED["the thin slices"], shape=(36, 44), pixel_mm=(0.35, 0.35))
    with pytest.raises(ValueError, match=r"\(36, 44\)"):
        fitted("tvsrn", tmp_path).restore(pair(3).thick, asked, run=RUN)


def test_mr_is_scaled_by_the_thick_scan(tmp_path):
    method = fitted("tvsrn", tmp_path, steps=1, lr=1e-12)
    scan = pair(3, modality="MR").thick
    asked = ASKED["the thin slices"]
    bright = scan.with_voxels(scan.voxels * 40 + 7000)
    once, more = (method.restore(v, asked, run=RUN).voxels for v in (scan, bright))
    np.testing.assert_allclose(more, once * 40 + 7000, atol=1)


@pytest.mark.parametrize(("modality", "peak"), [("CT", 3000.0), ("MR", 9000.0)])
def test_an_untrained_tvsrn_gives_metal_and_bright_vessels_back(tmp_path, modality, peak):
    method = fitted("tvsrn", tmp_path, steps=1, lr=1e-12)
    thick = pair(3, modality=modality).thick
    thick.voxels[:, 4, 7] = peak
    for asked in ASKED.values():
        restored = method.restore(thick, asked, run=RUN).voxels
        np.testing.assert_allclose(restored[:, 4, 7], peak, atol=0.05)
        around = np.delete(restored.reshape(asked.n, -1), 4 * asked.shape[1] + 7, axis=1)
        assert around.max() < 400


def test_tiles_leave_no_seam(tmp_path):
    """With a halo as wide as the network sees, tiled equals untiled."""
    method = fitted("tvsrn", tmp_path, steps=30)
    rng = np.random.default_rng(5)
    big = grid(6, 5.0, 2.0, (72, 72))
    thick = Volume(rng.uniform(-500, 500, big.zyx).astype(np.float32), big)
    asked = grid(26, 1.0, 2.0, (72, 72))
    answers = {}
    for tile, halo in ((72, 0), (64, 24), (16, 0)):
        settings = replace(method.recipe.settings, tile=tile, halo=halo, blend=min(4, halo))
        method.recipe = replace(method.recipe, settings=settings)
        answers[tile] = method.restore(thick, asked, run=RUN).voxels
    np.testing.assert_allclose(answers[64], answers[72], atol=0.02)
    assert np.abs(answers[16] - answers[72]).max() > 1  # without a halo there are seams


def in_order(n: int) -> list[int]:
    return cubes.starts_in_order(n, 4, tvsrn_released.STRIDE)


def test_released_windows_start_where_the_authors_do():
    meta, _ = fixture("tvsrn", "released")
    for row in meta["tiling"]:
        assert in_order(row["n_thick"]) == row["z_starts"]


@pytest.mark.parametrize("n", [1, 3, 4, 7, 12])
@pytest.mark.parametrize("ends", [0, 1, 3])
def test_released_windows_reach_every_slice_and_keep_the_authors(n, ends):
    starts = tvsrn_released.z_starts(n, ends)
    kept = in_order(n)
    at = starts.index(kept[0])
    assert starts[at : at + len(kept)] == kept
    given = {k for s in starts for k in range(5 * s + 3, 5 * s + 13)}
    assert given >= set(range(-5 * ends, 5 * (n - 1 + ends) + 1))
    theirs = {k for s in kept for k in range(5 * s + 3, 5 * s + 13)}
    added = [s for s in starts if s not in kept]
    assert not theirs & {k for s in added for k in range(5 * s + 3, 5 * s + 13)}


def test_released_restores_what_the_authors_write(tmp_path):
    """Their loop, written out: ten slices per window, later windows overwrite, cut to [0, 1]."""
    meta, _ = fixture("tvsrn", "released")
    method = tvsrn_released.build()
    method.use({name: torch.from_numpy(w) for name, w in weights(meta).items()})
    place = grid(7, 5.0, 0.0, (16, 24))
    unit = np.random.default_rng(0).uniform(0, 1, place.zyx).astype(np.float32)
    thick = Volume(unit * 3072 - 1024, place)
    want = np.full((31, 16, 24), np.nan, np.float32)
    with torch.no_grad():
        for s in (0, 2, 3):
            answer = method.net.eval()(torch.from_numpy(unit[None, None, s : s + 4]))
            want[5 * s + 3 : 5 * s + 13] = answer[0, 0].clamp(0, 1)
    got = method.restore(thick, grid(31, 1.0, 0.0, (16, 24)), run=RUN).voxels
    np.testing.assert_allclose(got[3:-3], want[3:-3] * 3072 - 1024, atol=0.2)
    assert np.isnan(want[[0, 1, 2, -3, -2, -1]]).all()
    assert np.isfinite(got).all()
