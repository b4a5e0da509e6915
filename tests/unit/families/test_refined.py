"""A coarse answer refined by sampling: tiles, memory, resuming, and what settings refuse."""

from dataclasses import replace

import numpy as np
import pytest

from support.tiny_methods import RUN, THIN, pair, thick
from thinslice.families.refined import phases_of
from thinslice.methods import slice_diffusion

TINY = slice_diffusion.TINY


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    method = slice_diffusion.build(**TINY)
    work = tmp_path_factory.mktemp("refined")
    method.fit([pair(0)], [pair(1)], work=work, run=RUN)
    method.save(work / "weights", {})
    return work


def loaded(work, **settings):
    method = slice_diffusion.build(**{**TINY, **settings})
    method.load(work / "weights")
    return method


def test_a_training_that_ended_is_not_repeated_and_one_that_was_killed_goes_on(fitted):
    """The answers of the first stage are made again: they are deleted at the end."""
    again = slice_diffusion.build(**TINY)
    curve = again.fit([pair(0)], [pair(1)], work=fitted, run=RUN)
    assert not (fitted / "answers").exists()
    assert curve.read_text().count("\ncoarse,") == curve.read_text().count("\nscore,") >= 1
    np.testing.assert_array_equal(
        again.restore(thick(), THIN, run=RUN).voxels,
        loaded(fitted).restore(thick(), THIN, run=RUN).voxels,
    )


def test_restoring_settings_change_the_answer_and_no_training(fitted):
    plain = loaded(fitted).restore(thick(), THIN, run=RUN).voxels
    for change in ({"samples": 2}, {"total_variation": 0.1}, {"damping": 0.0}, {"seed": 5}):
        other = loaded(fitted, **change).restore(thick(), THIN, run=RUN).voxels
        assert np.abs(other - plain).max() > 0.1, change
        assert set(change) - {"seed"} <= set(slice_diffusion.RESTORING)


def test_tiles_and_a_memory_cap_leave_no_trace_or_are_refused(fitted):
    wide = replace(THIN, shape=(12, 80))
    scan = thick(replace(thick().grid, shape=(12, 80)))
    whole = loaded(fitted).restore(scan, wide, run=RUN).voxels
    tiled = loaded(fitted, tile=48).restore(scan, wide, run=RUN).voxels
    np.testing.assert_allclose(tiled, whole, atol=0.05)
    with pytest.raises(MemoryError, match="memory cap"):
        loaded(fitted).restore(scan, wide, run=replace(RUN, max_memory_gib=0.01))


def test_the_coarse_answer_is_a_method_of_its_own(fitted):
    method = loaded(fitted)
    coarse = method.coarse().restore(thick(), THIN, run=RUN)
    assert coarse.grid == THIN
    assert np.abs(coarse.voxels - method.restore(thick(), THIN, run=RUN).voxels).max() > 0.1


@pytest.mark.parametrize(
    "wrong",
    [{"samples": 0}, {"stop_noise": 9.0}, {"start_noise": 50.0}, {"damping": -1.0}, {"steps": 0}],
)
def test_settings_are_refused_before_any_training(wrong):
    with pytest.raises(ValueError, match=r"noise|start"):
        slice_diffusion.build(**{**TINY, **wrong})


def test_phases_tell_where_slices_lie_between_thick_ones():
    """0 at a thick slice, 1/8 an eighth of the way to the next."""
    grid = thick().grid
    np.testing.assert_allclose(phases_of(grid, grid), 0, atol=1e-6)
    finer = grid.with_slices(
        n=8,
        increment_mm=grid.increment_mm / 4,
        thickness_mm=grid.thickness_mm,
        start_mm=grid.start_mm + grid.increment_mm / 8,
    )
    np.testing.assert_allclose(phases_of(grid, finer), np.tile([1, 3, 5, 7], 2) / 8, atol=1e-6)
