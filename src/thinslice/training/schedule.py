"""The learning rate of a step, from the plan, the step and the validations so far.

A pure function: there is no scheduler whose state could be lost, and a resumed training finds the
rate it would have had.
"""

from collections.abc import Sequence
from math import cos, pi

from thinslice.training.plan import Plan


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
    """How often more than ``patience`` validations in a row brought no new best."""
    found, waited, best = 0, 0, float("inf")
    for val in vals:
        if val < best:
            best, waited = val, 0
            continue
        waited += 1
        if waited > patience:
            found, waited = found + 1, 0
    return found
