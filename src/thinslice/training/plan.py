"""Training plan: optimiser, learning rate, validation and precision, as plain numbers.

The learning rate is a pure function of the plan, the step and the validations so far: no scheduler
has a state that could be lost, and a resumed training computes the rate it would have had.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import cos, pi
from typing import Any, Literal

import torch
from torch import nn

from thinslice.training.optimisers import Adam, AdamW

Precision = Literal["fp32", "tf32", "bf16"]

# How often a training logs and saves does not change its result.
WITHOUT_EFFECT = ("checkpoint_every_s", "log_every")


@dataclass(frozen=True)
class Plan:
    """One training, as numbers; the same plan, data and seed give the same weights on CPU."""

    steps: int
    lr: float = 1e-3
    optimiser: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine", "step", "plateau"] = "constant"
    warmup: int = 0  # steps of linear rise at the start
    decay: float = 0.1  # factor of the rate, for "step" and "plateau"
    decay_every: int = 0  # steps, for "step"
    patience: int = 10  # validations without a new best, for "plateau"
    clip_norm: float | None = None  # of the gradient
    validate_every: int = 100  # steps; the last step always validates
    checkpoint_every_s: float = 60.0
    log_every: int = 10  # steps per row of the curve
    seed: int = 0
    precision: Precision = "fp32"  # tf32 on a GPU only, bf16 where there are units for it

    def __post_init__(self) -> None:
        if min(self.steps, self.validate_every, self.log_every) < 1:
            raise ValueError(f"steps, validate_every and log_every start at 1, found {self}")
        if not self.lr > 0:
            raise ValueError(f"the learning rate must be positive, found {self.lr}")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} {getattr(self, name)!r} is none of {', '.join(allowed)}")
        if self.schedule == "step" and self.decay_every < 1:
            raise ValueError("schedule 'step' needs decay_every, the steps between two decays")

    def effective(self) -> dict[str, Any]:
        """The numbers that the trained weights depend on."""
        return {k: v for k, v in asdict(self).items() if k not in WITHOUT_EFFECT}


CHOICES = {
    "optimiser": ("adam", "adamw"),
    "schedule": ("constant", "cosine", "step", "plateau"),
    "precision": ("fp32", "tf32", "bf16"),
}


def optimiser(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """Adam or AdamW over the weights of ``net`` that learn."""
    kinds = {"adam": Adam, "adamw": AdamW}
    weights = [p for p in net.parameters() if p.requires_grad]
    return kinds[plan.optimiser](weights, lr=plan.lr, weight_decay=plan.weight_decay)


def learning_rate(plan: Plan, step: int, vals: Sequence[float] = ()) -> float:
    """Rate of step 0, 1, ...; ``vals`` are the validations made before it, lower is better."""
    rise = min(1.0, (step + 1) / (plan.warmup + 1))
    if plan.schedule == "cosine":
        return plan.lr * rise * (1 + cos(pi * step / plan.steps)) / 2
    if plan.schedule == "step":
        return plan.lr * rise * plan.decay ** (step // plan.decay_every)
    if plan.schedule == "plateau":
        return plan.lr * rise * plan.decay ** plateaus(vals, plan.patience)
    return plan.lr * rise


def plateaus(vals: Sequence[float], patience: int) -> int:
    """How often more than ``patience`` validations in a row were no new best."""
    found, waited, best = 0, 0, float("inf")
    for val in vals:
        if val < best:
            best, waited = val, 0
            continue
        waited += 1
        if waited > patience:
            found, waited = found + 1, 0
    return found
