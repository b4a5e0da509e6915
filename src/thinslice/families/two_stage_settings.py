"""What two-stage methods are set by, and what they differ in."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torch import nn

from thinslice.families.base import Recipe
from thinslice.inference.self_ensemble import Merge, refuse_unknown
from thinslice.nets.georgescu import Sizes
from thinslice.training.plan import Plan, Precision
from thinslice.training.samplers.shrunk_patches import Blur, Finish

Stage = Literal["in_plane", "through_plane"]


@dataclass(frozen=True)
class TwoStageSettings:
    """Hyperparameters of both networks; the defaults are the paper's."""

    channels: int = 32
    second_block: bool = True  # the four convolutions after the sub-pixel layer
    short_skip: bool = True
    long_skip: bool = True
    intermediate_loss: bool = True  # the loss looks at the intermediate plane too
    patch: int = 7  # coarse pixels of a training patch, along both sides
    batch: int = 128  # patches per step
    blur: str = "random"  # of what the network sees in training: random, fixed or none
    blur_sigma: float = 0.5  # pixels: the largest, or the fixed one
    in_plane_epochs: int = 40  # of as many patches as cover the training planes side by side
    through_plane_epochs: int = 40
    in_plane_steps: int | None = None  # instead of epochs
    through_plane_steps: int | None = None
    in_plane_lr: float = 1e-3
    through_plane_lr: float = 1e-3
    schedule: str = "step"  # a tenth of the rate from half way on; or constant, cosine
    validate_every: int = 1000  # steps
    val_batches: int = 16  # fixed batches of validation patches
    precision: Precision = "fp32"
    seed: int = 0
    ensemble: Merge = "median"  # of turned and flipped planes, when restoring; mean, none
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that are grey levels 0 and 255
    tile: int = 512  # pixels of a tile, when restoring
    planes_at_a_time: int = 4

    def __post_init__(self) -> None:
        refuse_unknown(self.ensemble)
        Blur(self.blur, self.blur_sigma)  # type: ignore[arg-type]
        for stage in get_args(Stage):
            self.plan(stage, patches=1)

    def sizes(self) -> Sizes:
        """What shapes the networks."""
        return Sizes(self.channels, self.second_block, self.short_skip, self.long_skip)

    def plan(self, stage: Stage, patches: int) -> Plan:
        """The training of one network on that many patches an epoch, as the loop takes it."""
        in_plane = stage == "in_plane"
        steps = self.in_plane_steps if in_plane else self.through_plane_steps
        epochs = self.in_plane_epochs if in_plane else self.through_plane_epochs
        if steps is None:
            steps = math.ceil(epochs * patches / self.batch)
        return Plan(
            steps=steps,
            lr=self.in_plane_lr if in_plane else self.through_plane_lr,
            schedule=self.schedule,  # type: ignore[arg-type]
            decay_every=(steps + 1) // 2,
            validate_every=self.validate_every,
            seed=self.seed,
            precision=self.precision,
        )


TWO_STAGE_TINY: dict[str, Any] = {  # what makes any two-stage method train in a moment
    **{"in_plane_steps": 2, "through_plane_steps": 2, "validate_every": 1, "val_batches": 1},
    **{"channels": 4, "patch": 4, "batch": 4},
}


@dataclass(frozen=True)
class TwoStageRecipe(Recipe):
    """What one two-stage method is made of."""

    settings: TwoStageSettings
    single_factor: Callable[[int], int] = lambda factor: factor  # of the in-plane network
    answer: Callable[[nn.Module], nn.Module] = lambda net: net  # around either network's ensemble
    blur: Blur = field(default_factory=Blur)  # which patch; the settings: how much
    least: Mapping[str, float] | None = None  # grey level that training patches reach, per stage
    finish: Mapping[str, Finish] | None = None  # of training patches, per stage
