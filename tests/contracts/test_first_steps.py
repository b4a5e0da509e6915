"""From the first weights that a method really has, two steps of its training move all that learns.

Every method is trained as it trains itself: its draws, its loss, its rates. A tensor that stands
still after two steps is behind something that passes no gradient: a first weight of zero behind
another, a function that is flat there, or a part that nothing calls.
"""

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from support.cards import with_settings
from support.tiny_methods import ALL, FITS, RUN, THIN, pair, thick, tiny
from thinslice import plugins
from thinslice.nets.fang import NextRound
from thinslice.nets.references import ReferenceAttention
from thinslice.training import loop

LEARNING = [name for name, fit in FITS.items() if fit != "none"]
STEPS = ("steps", "in_plane_steps", "through_plane_steps", "steps_fusion")
LEAST = 8  # channels: with two, a ReLU may be shut for every pixel
Trainings = list[tuple[nn.Module, nn.Module]]


@pytest.fixture
def trainings(monkeypatch) -> Trainings:
    """Of every training that a method runs, its network before and after."""
    seen: Trainings = []
    resume = loop._Training.resume

    def watched(training: loop._Training) -> int:
        seen.append((copy.deepcopy(training.net), training.net))
        return resume(training)

    monkeypatch.setattr(loop._Training, "resume", watched)
    return seen


def train_for(steps: int, name: str, work: Path) -> None:
    """Each training of the method so long, with no validation to choose earlier weights."""
    card = tiny(ALL[name])
    known = {key: steps for key in card["settings"] if key in STEPS}
    assert known
    if card["settings"].get("channels", LEAST) < LEAST:
        known["channels"] = LEAST
    method = plugins.build("methods", with_settings(card, **known))
    if FITS[name] == "population":
        method.fit([pair(0), pair(1)], [], work=work, run=RUN)
    else:
        method.restore(thick(), THIN, run=RUN)


def still(before: nn.Module, after: nn.Module) -> set[str]:
    """Names of parameters that are what they were."""
    start = dict(before.named_parameters())
    return {name for name, p in after.named_parameters() if torch.equal(p, start[name])}


def of_references(net: nn.Module) -> set[str]:
    """Names of what attention to references learns, one step later (``test_first_weights``).

    It rests behind a last layer that does too.
    """
    return {
        f"{block}.{name}"
        for block, part in net.named_modules()
        if isinstance(part, ReferenceAttention)
        for name, _ in part.named_parameters()
    }


def of_earlier_rounds(net: nn.Module) -> set[str]:
    """Names of what has learned in a training of its own, before this one."""
    if not isinstance(net, NextRound):
        return set()
    return {f"before.{name}" for name, _ in net.before.named_parameters()}


@pytest.mark.parametrize("name", LEARNING)
def test_by_the_second_step_every_parameter_has_moved(name, trainings, tmp_path):
    train_for(2, name, tmp_path)
    assert trainings
    for before, after in trainings:
        assert still(before, after) <= of_references(after) | of_earlier_rounds(after)
