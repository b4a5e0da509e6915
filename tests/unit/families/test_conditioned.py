"""The conditioned family: starts as interpolation, learns any slices, looks at thin scans alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, rmse
from thinslice.families import conditioned
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run
from thinslice.methods import conditioned_unet
from thinslice.operators.interpolation import resample_z
from thinslice.training.samplers.drawn_slices import FineRows

RUN = Run(device="cpu", progress=False)
SMALL = {"channels": 6, "levels": 2, "neighbours": 1, "side": 16, "batch": 4, "lr": 5e-3}


def test_one_network_beats_interpolation_on_slices_it_was_never_fitted_to(tmp_path) -> None:
    method, [unseen] = conditioned_unet.build(**SMALL, steps=150, warmup=3), pairs(4)
    start = resample_z(unseen.thick, unseen.thin.grid, "cubic")
    untrained = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    np.testing.assert_allclose(untrained.voxels, start.voxels, atol=1e-3)
    method.fit(pairs(0, 1, 2), pairs(3), work=tmp_path, run=RUN)
    restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    assert rmse(restored, unseen.thin) < 0.85 * rmse(start, unseen.thin)


def test_thick_scans_of_training_pairs_are_never_looked_at(tmp_path) -> None:
    methods = [conditioned_unet.build(**SMALL, steps=2) for _ in range(2)]
    [pair] = pairs(0)
    other = Pair(pair.case, pair.thick.with_voxels(-pair.thick.voxels), pair.thin)
    for method, given in zip(methods, (pair, other)):
        method.fit([given], [], work=tmp_path / str(id(given)), run=RUN)
    first, second = (method.net.state_dict() for method in methods)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_thickness_and_increment_are_set_together() -> None:
    with pytest.raises(ValueError, match="together"):
        conditioned_unet.build(thickness_mm=5.0)
    slices = conditioned_unet.build(thickness_mm=5.0, increment_mm=2.5).recipe.settings.draw
    drawn = slices(FineRows(100, 0.7, 0.7), 16, np.random.default_rng(0))
    assert drawn is not None
    assert (drawn.thickness_mm, drawn.increment_mm) == (5.0, 2.5)


def test_the_header_decides_what_the_network_is_told() -> None:
    """The same voxels, said to be thicker slices, are restored otherwise."""
    [pair] = pairs(5)
    method = conditioned_unet.build(**SMALL)
    torch.manual_seed(0)
    torch.nn.init.normal_(method.net.unet.tail.weight, std=0.3)
    torch.nn.init.normal_(method.net.conditioning[2].weight, std=0.3)
    thicker = replace(pair.thick, grid=replace(pair.thick.grid, thickness_mm=9.0))
    a, b = (method.restore(scan, pair.thin.grid, run=RUN).voxels for scan in (pair.thick, thicker))
    assert np.abs(a - b).max() > 1


def test_refining_goes_on_from_the_weights_and_repeats_bit_for_bit(tmp_path) -> None:
    [pair] = pairs(6)
    states = []
    for name in ("a", "b"):
        method = conditioned_unet.build(**SMALL)
        before = {key: value.clone() for key, value in method.net.state_dict().items()}
        method.refine(pair.thick, 3, 1e-3, work=tmp_path / name, run=RUN)
        states.append(method.net.state_dict())
        assert any(not torch.equal(before[key], states[-1][key]) for key in before)
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_slices_closer_than_it_knows_are_those_of_slices_that_it_knows() -> None:
    """Every third of slices 0.25 mm apart is what a grid of slices 0.75 mm apart would hold."""
    [pair] = pairs(7)
    method = conditioned_unet.build(**SMALL, restore_precision="fp32")
    torch.manual_seed(0)
    torch.nn.init.normal_(method.net.unet.tail.weight, std=0.3)
    thin = pair.thin.grid
    start_mm = float(pair.thick.grid.centres_mm()[2])
    fine = thin.with_slices(n=20, increment_mm=0.25, thickness_mm=1.0, start_mm=start_mm)
    apart = thin.with_slices(n=7, increment_mm=0.75, thickness_mm=1.0, start_mm=start_mm)
    a, b = (method.restore(pair.thick, grid, run=RUN).voxels for grid in (fine, apart))
    np.testing.assert_array_equal(a[::3], b)


def test_mr_is_not_learned_from(tmp_path) -> None:
    [pair] = pairs(8)
    mr = Pair(pair.case, pair.thick, replace(pair.thin, modality="MR"))
    with pytest.raises(ValueError, match="case8: MR"):
        conditioned_unet.build(**SMALL).fit([mr], [], work=tmp_path, run=RUN)
    with pytest.raises(ValueError, match="MR cannot be refined on"):
        conditioned_unet.build(**SMALL).refuse_unfit(replace(pair.thick, modality="MR"))


def test_a_scan_too_small_for_its_slices_is_refused_before_it_is_refined_on() -> None:
    [pair] = pairs(8)
    with pytest.raises(ValueError, match="too small for slices of 6 mm"):
        conditioned_unet.build(**SMALL).refuse_unfit(pair.thick)


def test_a_coronal_plane_s_pixel_is_the_one_along_x(monkeypatch) -> None:
    [pair] = pairs(5)
    method = conditioned_unet.build(**SMALL)
    torch.manual_seed(0)
    torch.nn.init.normal_(method.net.unet.tail.weight, std=0.3)
    torch.nn.init.normal_(method.net.conditioning[2].weight, std=0.3)
    monkeypatch.setattr(conditioned, "VIEWS", (planes.CORONAL,))

    def restored(pixel_mm: tuple[float, float]) -> np.ndarray:
        thick = replace(pair.thick, grid=replace(pair.thick.grid, pixel_mm=pixel_mm))
        return method.restore(thick, replace(pair.thin.grid, pixel_mm=pixel_mm), run=RUN).voxels

    square = restored((0.7, 0.7))
    np.testing.assert_array_equal(restored((1.4, 0.7)), square)
    assert np.abs(restored((0.7, 1.4)) - square).max() > 1
