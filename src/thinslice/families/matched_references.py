"""A method with references that first learns where in a reference the like of a pixel is.

Three trainings, each in a subfolder of ``work``: a teacher sees axial slices and the same turned,
both fine (``samplers.warped_slices``); a student starts from it and sees the turned ones coarse,
as planes are along z; then the network that restores learns with the student's weights, which it
no longer changes. The first two have nothing to be validated on: their last weights count.

What is restored, and how, is ``referenced``'s.
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from thinslice.families.base import Shape, TrainingData, learn
from thinslice.families.referenced import ReferencedMethod, ReferencedSettings
from thinslice.interfaces import Run
from thinslice.nets.contrastive import (
    DISTILLED,
    WIDTHS,
    Extractors,
    correlation,
    distillation,
    margin_loss,
)
from thinslice.runtime.device import choose
from thinslice.training import seeds
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.training.samplers.warped_slices import WarpedSlices, refuse_side


@dataclass(frozen=True)
class MatchedSettings(ReferencedSettings):
    """Hyperparameters of all three trainings; the defaults are C2-Matching's."""

    references: int = 1
    extractor_widths: tuple[int, int, int] = WIDTHS  # of teacher and student, by size
    steps_teacher: int = 5000
    steps_student: int = 75_000
    lr_extractors: float = 1e-3  # of both

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_side(self.side)
        for steps in (self.steps_teacher, self.steps_student):
            self.extractors_plan(steps)  # refused before anything is trained

    def extractors_plan(self, steps: int) -> Plan:
        """The training of a teacher or a student."""
        given = replace(self.plan(), steps=steps, lr=self.lr_extractors)
        return replace(given, validate_every=min(given.validate_every, steps))


class MatchedMethod(ReferencedMethod):
    """A fitted method; see the module docstring. Its networks have a ``find``."""

    def _fit(self, net: Any, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        s = self.recipe.settings
        assert isinstance(s, MatchedSettings)
        key = json.dumps([self.recipe.method, self.identity, asdict(s)]) + data.key
        draw = WarpedSlices(data.train, s.side, s.batch, s.ct)
        train = partial(learn, draws=(draw, None), val_batches=0, run=run, key=key)
        with seeds.seeded(s.seed):
            teacher, student = (Extractors(s.extractor_widths) for _ in range(2))
        curves = {
            "teacher": train(
                teacher,
                loss=_as_teacher,
                plan=s.extractors_plan(s.steps_teacher),
                work=work / "teacher",
            )
        }
        student.load_state_dict(teacher.state_dict())
        teacher.to(choose(run)).eval()
        curves["student"] = train(
            student,
            loss=partial(_as_student, teacher),
            plan=s.extractors_plan(s.steps_student),
            work=work / "student",
            key=key + weights_key(teacher),
        )
        net.find.use(student)
        curves["restoration"] = super()._fit(net, shape, data, work / "restoration", run)
        return join_stages(curves, work / "curve.csv")


def _as_teacher(net: nn.Module, batch: Batch) -> Tensor:
    """Fine images find their places in fine references."""
    fine_B1YX, _, reference_B1YX, numbers_BHW = batch
    return margin_loss(correlation(*net(fine_B1YX, reference_B1YX)), numbers_BHW)


def _as_student(teacher: nn.Module, net: nn.Module, batch: Batch) -> Tensor:
    """Coarse images find them too, and see likeness as the teacher does in fine ones."""
    fine_B1YX, coarse_B1YX, reference_B1YX, numbers_BHW = batch
    with torch.no_grad():
        taught_BNN = correlation(*teacher(fine_B1YX, reference_B1YX))
    products_BNN = correlation(*net(coarse_B1YX, reference_B1YX))
    learned = margin_loss(products_BNN, numbers_BHW)
    return learned + DISTILLED * distillation(products_BNN, taught_BNN)
