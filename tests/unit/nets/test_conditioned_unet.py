"""The conditioned U-Net: starts as interpolation, hears every condition, sees only the distance of
the middle plane."""

import pytest
import torch

from thinslice.nets.conditioned_unet import ConditionedUNet, Conditions

BASE = Conditions(5.0, 5.0, 1.0, 1.0, 0.7, 10.0)
CHANGED = {
    "thickness_mm": 3.0,
    "increment_mm": 2.5,
    "thin_thickness_mm": 1.5,
    "thin_increment_mm": 0.7,
    "pixel_mm": 1.0,
    "noise_hu": 30.0,
    "bell": 1.0,
}


def net(shaken: bool = True) -> ConditionedUNet:
    torch.manual_seed(0)
    built = ConditionedUNet(channels=4, levels=3, neighbours=1)
    if shaken:
        torch.nn.init.normal_(built.unet.tail.weight, std=0.1)
    return built.eval()


def planes() -> torch.Tensor:
    return torch.rand(2, 6, 13, 18, generator=torch.Generator().manual_seed(1))


def numbers(*conditions: Conditions) -> torch.Tensor:
    return torch.tensor([each.numbers() for each in conditions])


def test_untrained_it_gives_the_plane_itself() -> None:
    x = planes()
    assert torch.equal(net(shaken=False)(x, numbers(BASE)), x[:, 1:2])


@pytest.mark.parametrize("name", CHANGED)
def test_every_condition_reaches_the_answer(name: str) -> None:
    built, x = net(), planes()
    changed = BASE._replace(**{name: CHANGED[name]})
    answers = [built(x, numbers(conditions)) for conditions in (BASE, changed)]
    assert not torch.allclose(*answers, atol=1e-7)


def test_conditions_of_a_batch_are_those_of_each_plane() -> None:
    built, x = net(), planes()
    both = [BASE, BASE._replace(thickness_mm=2.0)]
    together = built(x, numbers(*both))
    for i, conditions in enumerate(both):
        assert torch.allclose(built(x, numbers(conditions))[i], together[i], atol=1e-6)


def test_only_the_middle_distance_is_seen() -> None:
    built, x = net(), planes()
    before = built(x, numbers(BASE))
    x[:, [3, 5]] = 9.0
    assert torch.equal(built(x, numbers(BASE)), before)
    x[:, 4] = 0.0
    assert not torch.allclose(built(x, numbers(BASE)), before)


def test_by_step_three_every_parameter_has_moved() -> None:
    """The tail starts at zero: what lies before it moves in the second step, or in the third."""
    torch.manual_seed(0)
    built = ConditionedUNet(channels=4, levels=3, neighbours=1)
    before = {name: p.detach().clone() for name, p in built.named_parameters()}
    optimiser = torch.optim.Adam(built.parameters(), 1e-3)
    conditions = torch.tensor([BASE.numbers(), BASE._replace(thickness_mm=2.0, bell=0.3).numbers()])
    for _ in range(3):
        optimiser.zero_grad()
        (built(planes(), conditions) - 0.5).square().mean().backward()
        optimiser.step()
    still = [n for n, p in built.named_parameters() if torch.equal(p.detach(), before[n])]
    assert still == []


def test_neighbours_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="neighbours"):
        ConditionedUNet(neighbours=-1)
