"""A network that learns by one loss: its optimiser, its share of a group's gradients, its state.

A training has one learner, or two that take turns: a ``Rival`` learns beside the network.
"""

from typing import Any, NamedTuple

from torch import Tensor, nn

from thinslice.training import precision
from thinslice.training.batches import Batch
from thinslice.training.distributed import Loss, ProcessGroup
from thinslice.training.plan import Plan, Precision, optimiser


class Rival(NamedTuple):
    """A second network that learns in turn: one step of its own before each of the network's.

    net    e.g. a discriminator; the network's loss may use it as it is at that step
    loss   scalar of it and the batch, which may use the network; a mean over the batch
    lr     its rate where the network's is the plan's; it rises and falls alike
    """

    net: nn.Module
    loss: Loss
    lr: float


class Learner:
    """A network and how it takes a step; see the module docstring."""

    def __init__(self, net: nn.Module, loss: Loss, plan: Plan, group: ProcessGroup):
        self.net, self.loss = net.to(group.device), loss
        self.group, self.clip_norm = group, plan.clip_norm
        self.precision: Precision = precision.effective(plan.precision, group.device)
        self.optimiser = optimiser(net, plan)

    def meet(self) -> None:
        """Average gradients over the group from now on, and start from its first's weights."""
        self.loss_of = self.group.averaged(self.net, self.loss)

    def descend(self, batch: Batch, rate: float) -> Tensor:
        """Take one step; the loss before it, without gradients."""
        self.net.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        with precision.forward(self.precision, self.group.device):
            value = self.loss_of(batch)
        value.backward()
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.clip_norm)
        self.optimiser.step()
        return value.detach()

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}

    def go_back_to(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
