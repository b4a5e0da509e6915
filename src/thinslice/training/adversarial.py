"""Adversarial training: a discriminator learns to tell answers from truths, a network to pass.

Both are losses of the loop, which lets the two take turns (``learner.Rival``): the discriminator
takes a step on the network's answers, then the network takes one against the discriminator as it
then is. Least squares: truths are to score 1 and answers 0. Features of the discriminator may be
matched too.

A discriminator gives a list of maps, the last of which is scores (``nets.discriminator``).

Source: Mao et al., "Least squares generative adversarial networks", ICCV 2017; feature matching as
in Wang et al. (pix2pixHD), CVPR 2018.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import l1_loss, mse_loss


def told_apart(discriminator: nn.Module, truth: Tensor, answer: Tensor, seen: Tensor) -> Tensor:
    """Loss of a discriminator: truths are to score 1, answers 0, each given what was ``seen``.

    The answer's network is not changed by it.
    """
    real = discriminator(truth, seen)[-1]
    fake = discriminator(answer.detach(), seen)[-1]
    return (mse_loss(real, torch.ones_like(real)) + mse_loss(fake, torch.zeros_like(fake))) / 2


def judged(discriminator: nn.Module, *inputs: Tensor) -> list[Tensor]:
    """What a discriminator says of inputs that learn by it, while it learns nothing."""
    fixed = {name: p.detach() for name, p in discriminator.named_parameters()}
    return functional_call(discriminator, fixed, inputs)


def passed(maps: Sequence[Tensor]) -> Tensor:
    """Loss of a network by what is said of its answers: they are to score 1."""
    return mse_loss(maps[-1], torch.ones_like(maps[-1]))


def features_apart(maps: Sequence[Tensor], of_truth: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of a discriminator's features, over its layers but the scores."""
    pairs = list(zip(maps[:-1], of_truth[:-1], strict=True))
    return torch.stack([l1_loss(made, true.detach()) for made, true in pairs]).mean()
