"""Restoring by inversion: the start, blocks, memory, resuming, and what settings refuse."""

from dataclasses import replace

import numpy as np
import pytest

from support.tiny_methods import RUN, THIN, pair, thick
from thinslice.methods import inversesr
from thinslice.operators.interpolation import resample_z
from thinslice.operators.measured_slices import Measured
from thinslice.volume import Window

TINY = inversesr.TINY


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    method = inversesr.build(**TINY)
    work = tmp_path_factory.mktemp("inverted")
    method.fit([pair(0)], [pair(1)], work=work, run=RUN)
    method.save(work / "weights", {})
    return work


def loaded(work, **settings):
    method = inversesr.build(**{**TINY, **settings})
    method.load(work / "weights")
    return method


def test_a_training_that_ended_is_not_repeated_and_one_that_was_killed_goes_on(fitted):
    again = inversesr.build(**TINY)
    text = again.fit([pair(0)], [pair(1)], work=fitted, run=RUN).read_text()
    assert text.count("\nautoencoder,") == text.count("\nprior,") >= 1
    np.testing.assert_array_equal(
        again.restore(thick(), THIN, run=RUN).voxels,
        loaded(fitted).restore(thick(), THIN, run=RUN).voxels,
    )


def test_no_thick_scan_is_learned_from(fitted):
    """The same thin scans with other thick ones give the same weights."""
    other = pair(0)._replace(thick=thick(seed=9))
    method = inversesr.build(**TINY)
    method.fit([other], [pair(1)], work=fitted / "other", run=RUN)
    method.save(fitted / "other_weights", {})
    assert (fitted / "other_weights").read_bytes() == (fitted / "weights").read_bytes()


def test_more_iterations_agree_better_with_the_thick_slices(fitted):
    window = Window(-1024.0, 3071.0)
    slices = Measured.of(thick(), THIN, window)
    some = slices.matrix.any(1)

    def off(voxels) -> float:
        made = np.tensordot(slices.matrix, window.to_unit(voxels), 1)
        return float(np.abs(made - slices.unit)[some].mean())

    undone = {"damping": 1e9, "prior_weight": 0.0, "inversion_lr": 0.02}
    long = loaded(fitted, iterations=40, **undone).restore(thick(), THIN, run=RUN)
    assert off(long.voxels) < 0.9 * off(resample_z(thick(), THIN, "cubic").voxels)


def test_blocks_are_as_deep_as_a_thick_slice_and_a_memory_cap_makes_them_small(fitted):
    scan = thick(replace(thick().grid, shape=(40, 40)))
    asked = replace(THIN, shape=(40, 40))
    flat = loaded(fitted, block=(8, 24, 24)).restore(scan, asked, run=RUN)
    assert np.isfinite(flat.voxels).all()
    roomy = replace(RUN, max_memory_gib=64.0)
    np.testing.assert_array_equal(
        loaded(fitted).restore(scan, asked, run=roomy).voxels,
        loaded(fitted).restore(scan, asked, run=RUN).voxels,
    )
    with pytest.raises(MemoryError, match="memory cap"):
        loaded(fitted).restore(scan, asked, run=replace(RUN, max_memory_gib=0.01))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"iterations": 0}, "noise falls"),
        ({"start_noise": 0.01}, "noise falls"),
        ({"prior_weight": -1.0}, "start at 0"),
        ({"steps": 0}, "start at 1"),
    ],
)
def test_settings_are_refused_before_any_training(wrong, words):
    with pytest.raises(ValueError, match=words):
        inversesr.build(**{**TINY, **wrong})


def test_a_patch_that_the_networks_cannot_halve_is_refused(tmp_path):
    method = inversesr.build(**{**TINY, "patch": [8, 9, 8]})
    with pytest.raises(ValueError, match="no multiple of 2"):
        method.fit([pair(0)], [], work=tmp_path, run=RUN)
