"""The EDSR-like planes keep the method's contract and learn what interpolation cannot know."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.wave_pairs import pairs, rmse
from thinslice.interfaces import Run
from thinslice.methods import edsr_planes
from thinslice.operators.interpolation import resample_z
from thinslice.volume import Volume

RUN = Run(device="cpu", progress=False)
TINY = {
    "blocks": 1,
    "channels": 8,
    "patch": [16, 12],
    "batch": 8,
    "steps": 60,
    "warmup": 3,
    "lr": 5e-3,
    "validate_every": 20,
    "validation_batches": 2,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    method = edsr_planes.build(**TINY)
    work = tmp_path_factory.mktemp("work")
    return method, method.fit(pairs(0, 1, 2), pairs(3), work=work, run=RUN)


def test_it_beats_the_interpolation_it_starts_from_on_a_patient_it_never_saw(trained):
    method, curve = trained
    [unseen] = pairs(4)
    restored = method.restore(unseen.thick, unseen.thin.grid, run=RUN)
    start = resample_z(unseen.thick, unseen.thin.grid, "cubic")
    assert rmse(restored, unseen.thin) < 0.9 * rmse(start, unseen.thin)
    assert len(curve.read_text().splitlines()) > 5


@pytest.mark.parametrize(("increment_mm", "start_mm"), [(1.0, 3.0), (0.7, 2.1), (2.3, 8.0)])
def test_any_grid_is_restored_exactly_and_the_input_left_alone(trained, increment_mm, start_mm):
    [pair] = pairs(5)
    grid = pair.thin.grid.with_slices(
        n=11, increment_mm=increment_mm, thickness_mm=1.0, start_mm=start_mm
    )
    before = pair.thick.voxels.copy()
    restored = trained[0].restore(pair.thick, grid, run=RUN)
    assert restored.grid == grid
    assert restored.voxels.dtype == np.float32
    assert np.isfinite(restored.voxels).all()
    np.testing.assert_array_equal(pair.thick.voxels, before)


def test_untrained_it_is_the_interpolation_and_keeps_what_lies_outside_the_window():
    [pair] = pairs(6)
    thick = pair.thick.with_voxels(pair.thick.voxels + 3000)
    restored = edsr_planes.build(**TINY).restore(thick, pair.thin.grid, run=RUN)
    start = resample_z(thick, pair.thin.grid, "cubic")
    assert start.voxels.max() > 3071
    np.testing.assert_array_equal(restored.voxels, start.voxels)


def test_a_grid_with_other_pixels_is_refused(trained):
    [pair] = pairs(5)
    with pytest.raises(ValueError, match="mm"):
        trained[0].restore(pair.thick, replace(pair.thin.grid, pixel_mm=(0.35, 0.35)), run=RUN)


def test_saved_and_loaded_it_restores_the_same_bits(trained, tmp_path):
    method, [pair] = trained[0], pairs(7)
    method.save(tmp_path / "weights", {"seed": 0})
    other = edsr_planes.build(**{**TINY, "seed": 9, "steps": 1})
    other.load(tmp_path / "weights")
    a, b = (m.restore(pair.thick, pair.thin.grid, run=RUN) for m in (method, other))
    np.testing.assert_array_equal(a.voxels, b.voxels)
    for wrong in ({"channels": 4}, {"blocks": 2}, {"ct": [-1000.0, 1000.0]}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            edsr_planes.build(**{**TINY, **wrong}).load(tmp_path / "weights")


def test_mr_is_seen_through_a_window_of_the_thick_scan_whatever_its_unit(trained):
    [pair] = pairs(8)
    answers = []
    for gain in (1.0, 37.0):
        voxels = pair.thick.voxels * np.float32(gain)
        thick = Volume(voxels, pair.thick.grid, "MR")
        answers.append(trained[0].restore(thick, pair.thin.grid, run=RUN).voxels / gain)
    np.testing.assert_allclose(answers[0], answers[1], atol=0.05)


def test_other_data_do_not_go_on_from_the_same_folder(tmp_path):
    short = {**TINY, "steps": 3}
    first = edsr_planes.build(**short)
    first.fit(pairs(0), [], work=tmp_path, run=RUN)
    second, fresh = edsr_planes.build(**short), edsr_planes.build(**short)
    second.fit(pairs(1), [], work=tmp_path, run=RUN)
    fresh.fit(pairs(1), [], work=tmp_path / "fresh", run=RUN)
    assert torch.equal(second.net.head.weight, fresh.net.head.weight)
    assert not torch.equal(second.net.head.weight, first.net.head.weight)


def test_an_empty_training_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="train split is empty"):
        edsr_planes.build().fit([], pairs(0), work=tmp_path, run=RUN)


def test_its_parameters_are_those_of_its_layers():
    convolutions = (1 * 9 + 1) * 8, 2 * (8 * 9 + 1) * 8, 8 * 9 + 1
    assert edsr_planes.build(**TINY).parameters() == sum(convolutions)
