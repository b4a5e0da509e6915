"""A discriminator and a network take turns: who learns from what, and a killed training goes on."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from support import toy_training as toy
from thinslice.nets.discriminator import Discriminator
from thinslice.training import adversarial, loop, seeds
from thinslice.training.learner import Rival

LR = 2e-2


def to_tell(net: nn.Module, discriminator: nn.Module, batch) -> torch.Tensor:
    with torch.no_grad():
        answer = net(batch[0])
    return adversarial.told_apart(discriminator, batch[1], answer, batch[0])


def to_pass(discriminator: nn.Module, net: nn.Module, batch) -> torch.Tensor:
    answer = net(batch[0])
    maps = adversarial.judged(discriminator, answer, batch[0])
    return toy.loss(net, batch) + 0.1 * adversarial.passed(maps)


def train(work: Path, *, at_step=None, lr: float = LR):
    """The network and its discriminator after the toy's plan, a checkpoint after every step."""
    net = toy.network()
    with seeds.seeded(1):
        discriminator = Discriminator(2, 4, 2)
    rival = Rival(discriminator, partial(to_tell, net), lr)
    loss = partial(to_pass, discriminator)

    def drawn(rng: np.random.Generator):
        if at_step is not None:
            at_step()
        return toy.sample(rng)

    plan = replace(toy.PLAN, steps=24)
    trained = loop.train(net, drawn, loss, plan, work=work, run=toy.QUIET, rival=rival)
    return net, discriminator, trained


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


class KilledError(Exception):
    pass


@pytest.mark.parametrize("killed_at", [3, 17])
def test_killed_and_run_again_both_end_with_the_same_bits(killed_at, undisturbed, tmp_path):
    steps = iter(range(killed_at))

    def at_step() -> None:
        if next(steps, None) is None:
            raise KilledError

    with pytest.raises(KilledError):
        train(tmp_path, at_step=at_step)
    net, discriminator, trained = train(tmp_path)
    assert trained.resumed_at in (killed_at - 1, killed_at)
    assert toy.same(net, undisturbed[0])
    assert toy.same(discriminator, undisturbed[1])
    assert toy.curve_numbers(trained) == toy.curve_numbers(undisturbed[2])


def test_a_training_with_another_rival_or_none_is_another(undisturbed, tmp_path):
    train(tmp_path)
    assert train(tmp_path, lr=3e-2)[2].resumed_at == 0
    plan = replace(toy.PLAN, steps=24)
    alone = loop.train(toy.network(), toy.sample, toy.loss, plan, work=tmp_path, run=toy.QUIET)
    assert alone.resumed_at == 0


def test_a_network_learns_otherwise_against_a_discriminator_that_learns_faster(
    undisturbed, tmp_path
):
    net, discriminator, _ = train(tmp_path, lr=10 * LR)
    assert not toy.same(net, undisturbed[0])
    assert not toy.same(discriminator, undisturbed[1])


def scene():
    torch.manual_seed(0)
    discriminator, net = Discriminator(2, 4, 2), nn.Conv2d(1, 1, 1)
    return discriminator, net, torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8)


def test_judging_teaches_the_answer_and_not_the_judge():
    discriminator, net, x, truth = scene()
    maps = adversarial.judged(discriminator, net(x), x)
    of_truth = discriminator(truth, x)
    (adversarial.passed(maps) + adversarial.features_apart(maps, of_truth)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    assert all(p.grad is None for p in discriminator.parameters())


def test_telling_apart_teaches_the_judge_and_not_the_network():
    discriminator, net, x, truth = scene()
    adversarial.told_apart(discriminator, truth, net(x), x).backward()
    assert all(p.grad is None for p in net.parameters())
    assert all(p.grad is not None for p in discriminator.parameters())


def test_it_learns_to_tell_apart_by_what_was_seen():
    """Truths and answers alike, but for whether they fit what they were made from."""
    discriminator = scene()[0]
    optimiser = torch.optim.Adam(discriminator.parameters(), 1e-2)
    for step in range(150):
        truth, other = torch.rand(2, 8, 1, 8, 8, generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss = adversarial.told_apart(discriminator, truth, other, truth)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.1  # 0.25 for one that cannot tell
