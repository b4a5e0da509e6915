"""Contrastive features: what losses ask for; frozen extractors are the learned ones."""

import pytest
import torch

from thinslice.nets.contrastive import (
    Extractors,
    Frozen,
    correlation,
    distillation,
    margin_loss,
)

SIDE = 8  # of a map
NUMBERS = torch.arange(SIDE**2).view(1, SIDE, SIDE)


def one_hot(numbers: torch.Tensor) -> torch.Tensor:
    """Features that tell every place from every other, [1, N, H, W]."""
    return torch.eye(SIDE**2)[numbers.flatten()].T.view(1, -1, SIDE, SIDE)


def test_features_that_tell_places_apart_cost_nothing_and_alike_ones_the_margin():
    places = NUMBERS.roll(4, 1)  # every pixel's like lies four rows away
    right = correlation(one_hot(places), one_hot(NUMBERS))
    assert margin_loss(right, places) == 0
    assert margin_loss(torch.ones_like(right), places) == 1  # all distances are zero
    assert margin_loss(right, NUMBERS) == 3  # right ones 2 away, others at none


def test_pixels_without_a_place_do_not_count():
    places = NUMBERS.clone()
    places[:, :, 0] = -1
    products = correlation(one_hot(NUMBERS), one_hot(NUMBERS))
    products[:, ::SIDE] = 0  # pixels of the first column are like none
    assert margin_loss(products, NUMBERS) == 1 / SIDE
    assert margin_loss(products, places) == 0
    assert margin_loss(products, torch.full_like(places, -1)) == 0


def test_a_place_next_to_the_right_one_is_no_other_place():
    counted = torch.full_like(NUMBERS, -1)
    counted[0, 0, :4] = NUMBERS[0, 0, :4]
    for away, expected in ((3, 0), (4, 1)):
        products = correlation(one_hot(NUMBERS), one_hot(NUMBERS))
        products[:, range(4), range(away, away + 4)] = 1  # as like as the right one
        assert margin_loss(products, counted) == expected


def test_a_student_that_sees_as_its_teacher_has_no_more_to_learn():
    torch.manual_seed(0)
    teacher, other = torch.rand(2, 2, 16, 16)
    assert distillation(teacher, teacher) == pytest.approx(0, abs=1e-6)
    assert distillation(other, teacher) > 0.1


def test_frozen_extractors_are_the_learned_ones_and_learn_no_more():
    torch.manual_seed(0)
    frozen, learned = Frozen(Extractors((2, 3, 4))), Extractors((2, 3, 4))
    x = torch.rand(2, 1, 16, 12)
    before = frozen("plane", x)
    frozen.use(learned)
    expected = learned(x, x)
    for which, features in zip(("plane", "reference"), expected):
        assert torch.equal(frozen(which, x), features)
        assert features.shape == (2, 4, 4, 3)
    assert not torch.equal(before, expected[0])
    assert not list(frozen.parameters())
    again = Frozen(Extractors((2, 3, 4)))
    again.load_state_dict(frozen.state_dict())
    assert torch.equal(again("reference", x), expected[1])
