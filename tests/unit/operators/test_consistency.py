"""Laws of the step that makes restored slices consistent with thick ones."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from thinslice.operators import consistency, profiles, projection
from thinslice.operators.grids import thin_grid
from thinslice.volume import Grid

THICK = Grid(8, 5.0, 5.0, (10, 12), (1.0, 1.0), 2.0)
THIN = thin_grid(THICK, 1.0, 1.0)
RNG = np.random.default_rng(4)


def operators():
    """Of a regular grid, box and bell, and one of slice planes that lie anywhere."""
    planes = RNG.random((6, THIN.n)) * (RNG.random((6, THIN.n)) < 0.2)
    yield projection.profile_matrix(profiles.box(5.0), THIN, THICK)
    yield projection.profile_matrix(profiles.gaussian(5.0), THIN, THICK)
    yield csr_array(planes / planes.sum(1, keepdims=True))


MATRICES = list(operators())


def scans(matrix):
    """A restored scan and thick slices that do not agree with it."""
    thin = (300 * RNG.standard_normal(THIN.zyx)).astype(np.float32)
    thick = projection.apply(matrix, (300 * RNG.standard_normal(THIN.zyx)).astype(np.float32))
    return thin, thick


def left(matrix, thin, thick):
    return thick.reshape(len(thick), -1) - matrix @ thin.reshape(len(thin), -1).astype(float)


@pytest.mark.parametrize("damping", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("matrix", MATRICES)
def test_what_is_left_is_what_the_damping_leaves(matrix, damping):
    thin, thick = scans(matrix)
    before = left(matrix, thin, thick)
    after = left(matrix, consistency.step(thin, thick, matrix, damping=damping), thick)
    gram = (matrix @ matrix.T).toarray()
    added = damping * gram.trace() / len(gram)
    expected = added * np.linalg.solve(gram + added * np.eye(len(gram)), before)
    np.testing.assert_allclose(after, expected, atol=1e-2)
    assert np.linalg.norm(after) <= np.linalg.norm(before) * (damping > 0) + 1


@pytest.mark.parametrize("matrix", MATRICES)
def test_a_consistent_scan_stays_as_it_is(matrix):
    thin, _ = scans(matrix)
    same = consistency.step(thin, projection.apply(matrix, thin), matrix)
    np.testing.assert_allclose(same, thin, atol=1e-3)


@pytest.mark.parametrize("matrix", MATRICES)
def test_what_the_slices_do_not_see_is_left_alone(matrix):
    thin, thick = scans(matrix)
    change = (consistency.step(thin, thick, matrix) - thin).reshape(len(thin), -1)
    unseen = np.linalg.svd(matrix.toarray())[2][matrix.shape[0] :]
    np.testing.assert_allclose(unseen @ change, 0, atol=1e-2)


def test_a_ramp_along_z_is_consistent_with_its_thick_slices():
    matrix = MATRICES[0]
    ramp = np.broadcast_to(np.arange(THIN.n, dtype=np.float32)[:, None, None] * 7, THIN.zyx)
    thick = np.broadcast_to((7 * (THICK.centres_mm() - THIN.start_mm))[:, None, None], THICK.zyx)
    np.testing.assert_allclose(consistency.step(ramp, thick, matrix), ramp, atol=1e-3)


@pytest.mark.parametrize("slab", [1, 3, 64])
def test_slabs_change_nothing_and_the_result_may_replace_the_scan(slab):
    thin, thick = scans(MATRICES[1])
    whole = consistency.step(thin, thick, MATRICES[1])
    np.testing.assert_array_equal(consistency.step(thin, thick, MATRICES[1], slab=slab), whole)
    again = thin.copy()
    assert consistency.step(again, thick, MATRICES[1], slab=slab, out=again) is again
    np.testing.assert_array_equal(again, whole)


@pytest.mark.parametrize("number", [-1024.0, -3024.0, 31000.0])
def test_padding_is_neither_seen_nor_changed(number):
    thin, thick = scans(MATRICES[1])
    empty_thin, empty_thick = np.zeros(thin.shape, bool), np.zeros(thick.shape, bool)
    empty_thin[:, :2], empty_thick[:, :2] = True, True
    empty_thick[3, 5, 5], empty_thin[20, 6, 6] = True, True
    masks = {"padded_restored": empty_thin, "padded_thick": empty_thick}
    expected = consistency.step(thin, thick, MATRICES[1], **masks)
    thin[empty_thin], thick[empty_thick] = number, number
    other = consistency.step(thin, thick, MATRICES[1], **masks)
    np.testing.assert_array_equal(other[~empty_thin], expected[~empty_thin])
    assert (other[empty_thin] == number).all()


def test_bounds_cut_and_misfits_are_refused():
    thin, thick = scans(MATRICES[0])
    cut = consistency.step(thin, thick, MATRICES[0], low=-50, high=60)
    assert (cut.min(), cut.max()) == (-50, 60)
    with pytest.raises(ValueError, match="cannot take"):
        consistency.step(thin[1:], thick, MATRICES[0])
    with pytest.raises(ValueError, match="damping"):
        consistency.step(thin, thick, MATRICES[0], damping=-1)
