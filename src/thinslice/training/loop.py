"""The training loop of all networks: steps, validation, checkpoints, learning curve, resume.

The random numbers of a step depend on (seed, step) alone, the learning rate on the step and the
validations so far, and a checkpoint holds the rest (weights, optimiser, best weights). So on CPU,
with the same number of threads, a training that was killed and run again ends with the same
weights, bit for bit, as an uninterrupted one. Several processes may train one network
(``distributed``): the first writes checkpoints and curve. A second network may learn in turn with
the first, e.g. a discriminator (``learner.Rival``).
"""

import logging
import math
import time
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from thinslice.errors import ThinsliceError
from thinslice.interfaces import Run
from thinslice.nets.kept import Room
from thinslice.runtime import signals
from thinslice.runtime.progress import Progress
from thinslice.training import activations, checkpoint, precision, seeds
from thinslice.training.batches import Batch, Sample, Waited, ahead, to_device
from thinslice.training.curve import Curve, Manner
from thinslice.training.distributed import Loss, ProcessGroup
from thinslice.training.learner import Learner, Rival
from thinslice.training.plan import Plan, learning_rate

LOG = logging.getLogger(__name__)

Validate = Callable[[], float]


class Trained(NamedTuple):
    """Result of a training; the network itself holds the best weights."""

    curve: Path
    steps: int
    best_step: int
    best_val: float | None  # None without validation: the last weights are kept
    resumed_at: int  # 0 where it started from the beginning


def train(
    net: nn.Module,
    sample: Sample,
    loss: Loss,
    plan: Plan,
    *,
    work: Path,
    validate: Validate | None = None,
    run: Run | None = None,
    key: str = "",
    whole: Collection[int] = (),
    rival: Rival | None = None,
) -> Trained:
    """Train ``net`` in place; it ends on the device of ``run``, in eval mode, at its best weights.

    sample     draws the batch of a step from the generator it is handed; CPU tensors, numpy inside
    loss       scalar of network and batch, the batch on the network's device: a mean over it
    validate   lower is better; called with the network in eval mode and no gradients
    work       folder of checkpoints and curve.csv; resumes from a checkpoint of this same training,
               logs and ignores any other
    key        what else decides the result: settings of the network and digest of the data
    whole      by number, the tensors of a batch that are no lists of samples; every process of
               ``run`` has these, and its share of the others
    rival      another network that learns in turn; it ends at its last weights

    DivergedError when the loss stops being finite; Refused (a ValueError) for a batch that cannot
    be shared out equally among the processes of ``run``.
    """
    run = run or Run()
    work.mkdir(parents=True, exist_ok=True)
    group = ProcessGroup.of(run)
    training = _Training(net, loss, validate, plan, work, group, key, rival)
    resumed_at = training.resume()
    steps = range(resumed_at, plan.steps)
    with (
        seeds.seeded(plan.seed),
        precision.matmuls(training.learner.precision),
        activations.kept(net, run, group.device) as training.room,
        Curve(work / "curve.csv", after=resumed_at) if group.leads else nullcontext() as curve,
        Progress(plan.steps, "training", "step", shown=run.progress, done=resumed_at) as progress,
        signals.deferred(wait=group.size == 1) as stopping,
        closing(ahead(sample, plan.seed, steps, run.threads or 1)) as batches,
    ):
        training.batches = Waited(batches)
        for batch in training.batches:
            training.advance(group.share(batch, whole), curve, progress)
            if stopping() and curve is not None:
                training.save(curve)
                break  # the signal's handler runs next
    return training.finish(resumed_at)


class DivergedError(ThinsliceError, FloatingPointError):
    """The loss or the validation is no longer a finite number."""


class _Training:
    """State of a training, and how it is saved and restored."""

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        validate: Validate | None,
        plan: Plan,
        work: Path,
        group: ProcessGroup,
        key: str,
        rival: Rival | None,
    ):
        self.group, self.device = group, group.device
        self.learner = Learner(net, loss, plan, group)
        self.net, self.validate = self.learner.net, validate
        self.plan, self.work = plan, work
        self.rival = rival and Learner(rival.net, rival.loss, plan, group)
        self.rival_rate = rival.lr / plan.lr if rival else 0.0  # of the network's
        key += f"{checkpoint.identity(rival.net, plan, '')} {rival.lr!r}" if rival else ""
        self.identity = checkpoint.identity(net, plan, key)
        self.step = 0
        self.vals: list[float] = []
        self.best: dict[str, Tensor] | None = None
        self.best_step = 0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=group.device)
        self.loss_n = 0
        self.wall_s = 0.0
        self.room: Room | None = None
        self.batches = Waited(iter(()))
        self._mark = self._saved = self._row_began = time.monotonic()

    def resume(self) -> int:
        """Go back to the newest usable checkpoint; the step it was taken after, else 0."""
        state = checkpoint.newest(self.work, self.identity)
        if state is not None:
            self._go_back_to(state)
        # Also waits until all have read what the first will write over.
        agreed = int(self.group.broadcast(lambda: self.step))
        if agreed != self.step:
            raise RuntimeError(
                f"process {self.group.rank} found step {self.step} in {self.work}, the first found "
                f"step {agreed}: the folder must look the same to both"
            )
        for learner in self._learners():
            learner.meet()
        return self.step

    def _learners(self) -> list[Learner]:
        """Those that take turns, in the order in which they do."""
        return [self.rival, self.learner] if self.rival else [self.learner]

    def _go_back_to(self, state: dict[str, Any]) -> None:
        self.learner.go_back_to(state)
        if self.rival:
            self.rival.go_back_to(state["rival"])
        self.step, self.vals, self.wall_s = state["step"], state["vals"], state["wall_s"]
        self.best, self.best_step = state["best"], state["best_step"]
        self.loss_sum += state["loss_sum"]
        self.loss_n = state["loss_n"]
        LOG.info("resuming from step %d in %s", self.step, self.work)

    def save(self, curve: Curve) -> None:
        """Write a checkpoint; the curve's rows up to it reach the disk first."""
        curve.sync()
        self.wall_s += time.monotonic() - self._mark
        self._mark = self._saved = time.monotonic()
        state: dict[str, Any] = {
            **self.learner.state(),
            **({"rival": self.rival.state()} if self.rival else {}),
            "step": self.step,
            "vals": self.vals,
            "wall_s": self.wall_s,
            "best": self.best,
            "best_step": self.best_step,
            "loss_sum": float(self.loss_sum),
            "loss_n": self.loss_n,
        }
        checkpoint.write(self.work, state, self.identity)
        self._mark = time.monotonic()

    def advance(self, batch: Batch, curve: Curve | None, progress: Progress) -> None:
        """One step, and what falls due after it; the process without a curve writes nothing."""
        rate = learning_rate(self.plan, self.step, self.vals)
        seeds.reseed(self.plan.seed, self.step, *self.group.seed_offset)
        self._descend(to_device(batch, self.device), rate)
        self.step += 1
        last = self.step == self.plan.steps
        due = last or self.step % self.plan.validate_every == 0
        val = self._judge() if self.validate is not None and due else None
        note = ""
        if val is not None or last or self.step % self.plan.log_every == 0:
            note = self._log(curve, val, rate)
        overdue = time.monotonic() - self._saved >= self.plan.checkpoint_every_s
        if curve is not None and (last or overdue):
            self.save(curve)
        progress.advance(note=note)

    def _descend(self, batch: Batch, rate: float) -> None:
        if self.rival:
            self.rival.descend(batch, rate * self.rival_rate)
        value = self.learner.descend(batch, rate)
        self.loss_sum += self.group.mean(value.double())
        self.loss_n += 1

    def _judge(self) -> float:
        assert self.validate is not None
        self.net.eval()
        with torch.no_grad(), precision.forward(self.learner.precision, self.device):
            val = self.group.broadcast(self.validate)
        if not math.isfinite(val):
            raise DivergedError(
                f"validation gave {val} after step {self.step}: lower lr, or set clip_norm"
            )
        if val < min(self.vals, default=math.inf):
            self.best_step = self.step
            state = self.net.state_dict()
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
        self.vals.append(val)
        return val

    def _log(self, curve: Curve | None, val: float | None, rate: float) -> str:
        mean = float(self.loss_sum) / self.loss_n
        if not math.isfinite(mean):
            raise DivergedError(
                f"the loss became {mean} by step {self.step} at learning rate {rate:g}: "
                "lower lr, or set clip_norm"
            )
        now = time.monotonic()
        seconds = max(now - self._row_began, 1e-9)
        waiting, self.batches.seconds = self.batches.seconds / seconds, 0.0
        self.wall_s += now - self._mark
        self._mark = self._row_began = now
        if curve is not None:
            speed = self.loss_n / seconds
            curve.add(self.step, mean, val, rate, self.wall_s, speed, waiting, self._manner())
        self.loss_sum.zero_()
        self.loss_n = 0
        return f"loss {mean:.4g}" + (f", val {self.vals[-1]:.4g}" if self.vals else "")

    def _manner(self) -> Manner:
        """How this process computed its steps until now."""
        if self.room is None:
            return Manner(self.learner.precision)
        room_mib = self.room.nbytes >> 20
        return Manner(self.learner.precision, activations.choice(self.room), room_mib)

    def finish(self, resumed_at: int) -> Trained:
        """Leave the best weights in the network, the same in all processes."""
        if self.best is not None:
            self.net.load_state_dict(self.best)
        self.group.sync_weights(self.net)
        self.net.eval()
        best_val = min(self.vals) if self.vals else None
        best_step = self.best_step if self.vals else self.step
        return Trained(self.work / "curve.csv", self.step, best_step, best_val, resumed_at)
