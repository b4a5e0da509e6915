"""The largest part of a mask is the one that labels of the whole volume give."""

import numpy as np
import pytest
from scipy import ndimage

from thinslice.metrics import largest_component as module
from thinslice.metrics.largest_component import largest_component


def by_labels(mask):
    """The definition: of equal parts the first that scipy numbers."""
    labels, n = ndimage.label(mask)
    return mask if n < 2 else labels == 1 + np.bincount(labels.ravel())[1:].argmax()


def random_masks(n):
    rng = np.random.default_rng(0)
    for _ in range(n):
        shape = rng.integers(1, (9, 14, 14))
        noise = rng.random(shape)
        yield noise < rng.choice([0, 0.05, 0.2, 0.4, 0.6, 1])
        yield ndimage.uniform_filter(noise, 3) > 0.5


def test_equal_to_labels_on_random_masks():
    for mask in random_masks(150):
        np.testing.assert_array_equal(largest_component(mask), by_labels(mask))


@pytest.mark.parametrize("axes", [(2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_axes_in_any_order_of_memory(axes):
    for mask in random_masks(5):
        turned = mask.transpose(axes)
        np.testing.assert_array_equal(largest_component(turned), by_labels(turned))


def test_of_equal_parts_the_first_is_kept():
    mask = np.zeros((4, 5, 5), bool)
    mask[2:, 0, 0] = mask[:2, 4, 4] = mask[1:3, 2, 2] = True
    np.testing.assert_array_equal(np.argwhere(largest_component(mask)), [[0, 4, 4], [1, 4, 4]])


def test_pieces_of_a_slice_that_join_in_another_are_one_part():
    mask = np.zeros((3, 9, 9), bool)
    mask[0, 1, 1] = mask[0, 1, 7] = mask[0, 7, 1] = True
    mask[1, 1, 1:8] = True
    mask[2, 3:6, 3:7] = True  # larger than any slice of the part above, and apart from it
    assert np.array_equal(largest_component(mask), by_labels(mask))
    assert largest_component(mask)[2].sum() == 12
    mask[2, 3:6, 3:7] = False
    assert np.array_equal(largest_component(mask), by_labels(mask))
    assert largest_component(mask)[0, 1, 7]


@pytest.mark.parametrize("spacing", [2, 6])
def test_slices_of_many_pieces(spacing, monkeypatch):
    """Beyond the most that are painted the volume is labelled, at once."""
    mask = np.zeros((3, 40, 40), bool)
    mask[:, ::spacing, ::spacing] = True
    mask[1, 20, :9] = True
    labelled = []
    labels_of = module._by_labels
    monkeypatch.setattr(module, "_by_labels", lambda m: labelled.append(1) or labels_of(m))
    np.testing.assert_array_equal(largest_component(mask), by_labels(mask))
    assert bool(labelled) == (spacing == 2)
