"""The segmenter's loss counts small structures as much as large, and no structure not there."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from thinslice.segmentation.segmenter import loss


def labels(*structures: int) -> torch.Tensor:
    """A box of hundreds of voxels is 1, a lone voxel 2."""
    found = np.zeros((1, 8, 16, 16), np.int64)
    found[:, 2:6, 4:12, 4:12] = 1 if 1 in structures else 0
    found[0, 7, 15, 15] = 2 if 2 in structures else 0
    return torch.from_numpy(found)


def of(answer: torch.Tensor, truth: torch.Tensor) -> float:
    """Of an answer that is sure."""
    scores = one_hot(answer, 3).movedim(-1, 1).float() * 40 - 20
    return float(loss(torch.nn.Identity(), (scores, truth)))


@pytest.mark.parametrize("there", [(), (1,), (1, 2)])
def test_a_perfect_answer_costs_nothing(there):
    assert of(labels(*there), labels(*there)) < 1e-3


def test_a_lone_voxel_missed_costs_a_quarter_of_the_dice_and_hundreds_a_half():
    small, large = (of(labels(*kept), labels(1, 2)) for kept in ((1,), (2,)))
    assert small > 0.25  # 1 - (0 + 1) / (1 + 1), of two structures
    assert large > 0.45


def test_without_a_structure_it_is_cross_entropy_alone():
    scores = torch.randn(1, 3, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    assert loss(torch.nn.Identity(), (scores, labels())) == cross_entropy(scores, labels())
