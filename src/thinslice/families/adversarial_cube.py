"""A cube method that may learn to pass a discriminator once it has learned to be close.

The first training is that of every cube method, by the method's own loss. ``steps_adversarial``
adds a second one from its best weights: a discriminator of patches, given the thick slices
interpolated linearly, learns in turn with the network, whose loss is its own, the discriminator's
opinion and, where asked for, the discriminator's features matched (``training.adversarial``). By
default there is none: tables of errors ask for closeness, not for looks. The last weights count;
the closest might be those it began with.

The discriminator is not saved: it is no part of the method.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from thinslice.families.base import Shape, TrainingData, learn
from thinslice.families.cube import CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import Run
from thinslice.nets.discriminator import Discriminator
from thinslice.runtime.device import choose
from thinslice.training import adversarial, seeds
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.learner import Rival
from thinslice.training.plan import Plan
from thinslice.training.samplers.two_view_patches import weights_key

Scored = Callable[[nn.Module, Batch], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class AdversarialSettings(CubeSettings):
    """Settings of a cube network that may have a discriminator."""

    steps_adversarial: int = 0  # after the others; 0: no discriminator
    lr_adversarial: float = 1e-4  # then, of both networks
    adversarial: float = 1e-3  # weight of the discriminator's opinion in the loss
    matching: float = 0.0  # weight of its features' distance
    discriminator: int = 32  # features of its first layer

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.discriminator < 1:
            raise ValueError(f"discriminator has at least one feature, found {self.discriminator}")
        if self.steps_adversarial:
            self.adversarial_plan()  # refused before anything is trained

    def adversarial_plan(self) -> Plan:
        """The second training as the loop takes it."""
        n = self.steps_adversarial
        every = min(self.validate_every, n)
        return replace(self.plan(), steps=n, lr=self.lr_adversarial, validate_every=every)


class AdversarialCubeMethod(CubeMethod):
    """A fitted method; see the module docstring.

    scored   from network and batch the answer and the loss of it; the loss of both trainings
    """

    def __init__(self, recipe: CubeRecipe, scored: Scored):
        super().__init__(replace(recipe, loss=lambda net, batch: scored(net, batch)[1]))
        self.scored = scored

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        s = self.recipe.settings
        assert isinstance(s, AdversarialSettings)
        if not s.steps_adversarial:
            return super()._fit(net, shape, data, work, run)
        curves = {"restoration": super()._fit(net, shape, data, work / "restoration", run)}
        with seeds.seeded(s.seed):
            discriminator = Discriminator(3, s.discriminator).to(choose(run))
        curves["adversarial"] = learn(
            net,
            (self._draw(data.train, shape), None),
            partial(self._to_pass, discriminator),
            s.adversarial_plan(),
            val_batches=0,
            work=work / "adversarial",
            run=run,
            key=json.dumps(asdict(s)) + self._key(shape) + data.key + weights_key(net),
            rival=Rival(discriminator, partial(_to_tell, net), s.lr_adversarial),
        )
        return join_stages(curves, work / "curve.csv")

    def _to_pass(self, discriminator: nn.Module, net: nn.Module, batch: Batch) -> Tensor:
        """The network's loss: its own, and what the discriminator says."""
        s = self.recipe.settings
        assert isinstance(s, AdversarialSettings)
        answer_B1NYX, loss = self.scored(net, batch)
        seen_B1NYX = _interpolated(batch)
        maps = adversarial.judged(discriminator, answer_B1NYX, seen_B1NYX)
        loss = loss + s.adversarial * adversarial.passed(maps)
        if s.matching:
            with torch.no_grad():
                of_truth = discriminator(batch[1], seen_B1NYX)
            loss = loss + s.matching * adversarial.features_apart(maps, of_truth)
        return loss


def _to_tell(net: nn.Module, discriminator: nn.Module, batch: Batch) -> Tensor:
    """The discriminator's loss."""
    with torch.no_grad():
        answer_B1NYX = net(batch[0])
    return adversarial.told_apart(discriminator, batch[1], answer_B1NYX, _interpolated(batch))


def _interpolated(batch: Batch) -> Tensor:
    """Thick slices, linear to native ones."""
    x_B1ZYX, y_B1NYX = batch
    return interpolate(x_B1ZYX, y_B1NYX.shape[2:], mode="trilinear", align_corners=True)
