"""ResVox: 3-D convolutions of two sizes make slices finer, steps between neighbours included.

The loss is the error of the voxels and that of the steps from each voxel to its 26 neighbours
(``gradient``). ``steps_adversarial`` adds a training against a discriminator that knows the thick
slices (``families.adversarial_cube``).

Source: the generator of ResVoxGAN, Ge et al., MICCAI 2019, known here by its abstract; TVSRN's
authors compare with it without the part that removes noise, and so does this. Left out with that
part: the discriminator of noise, one of two. Left out, too: the distance in features of an
auto-encoder, which the paper names and does not describe. Ours: sizes (``nets.resvox``), weights of
the terms, crops, rate and windows; TVSRN's where its authors say that they used theirs.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from thinslice.families import losses
from thinslice.families.adversarial_cube import AdversarialCubeMethod, AdversarialSettings
from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeRecipe
from thinslice.interfaces import About
from thinslice.nets.resvox import ResVox, Sizes
from thinslice.training.batches import Batch

ABOUT = About(
    title="ResVox",
    fidelity="from-abstract",
    paper="Ge et al., MICCAI 2019",
    idea="3-D convolutions of two sizes side by side; steps to all neighbours count in the loss.",
    fixed_factor=True,
)
# Half of the 26 neighbours of a voxel along z, y and x: a step and the step back are one.
NEIGHBOURS = [step for step in product((-1, 0, 1), (-1, 0, 1), (-1, 0, 1)) if step > (0, 0, 0)]


@dataclass(frozen=True)
class Settings(AdversarialSettings):
    """Hyperparameters; a config line may set any of them."""

    blocks: int = 6
    channels: int = 32
    gradient: float = 0.1  # weight of the steps to the 26 neighbours
    depth: int = 4  # thick slices the network sees
    side: int = 64
    halo: int = 27  # what the network sees, with six blocks


TINY: dict[str, Any] = {
    **CUBE_TINY,
    **{"blocks": 1, "channels": 4, "depth": 3},
    **{"steps_adversarial": 2, "discriminator": 4},
}


def stepped(x_B1NYX: Tensor, step: tuple[int, int, int]) -> Tensor:
    """Differences of voxels ``step`` apart, per voxel of distance; fewer along each axis by it."""
    here, there = x_B1NYX, x_B1NYX
    for axis, by in zip((2, 3, 4), step):
        n = x_B1NYX.shape[axis] - abs(by)
        here = here.narrow(axis, max(-by, 0), n)
        there = there.narrow(axis, max(by, 0), n)
    return (there - here) / sum(by * by for by in step) ** 0.5


def stereo_correlation(made_B1NYX: Tensor, true_B1NYX: Tensor, loss: losses.Name) -> Tensor:
    """Error of the steps to the 26 neighbours, mean over voxels and directions."""
    each = losses.of_each(loss)
    errors = [each(stepped(made_B1NYX, d), stepped(true_B1NYX, d)).mean() for d in NEIGHBOURS]
    return torch.stack(errors).mean()


def build(**settings: Any) -> AdversarialCubeMethod:
    s = settings_of(Settings, settings)

    def scored(net: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        x_B1ZYX, y_B1NYX = batch
        made_B1NYX = net(x_B1ZYX)
        loss = losses.of_each(s.loss)(made_B1NYX, y_B1NYX).mean()
        if s.gradient:
            loss = loss + s.gradient * stereo_correlation(made_B1NYX, y_B1NYX, s.loss)
        return made_B1NYX, loss

    recipe = CubeRecipe("resvox", ABOUT, s, ResVox, s.sizes(Sizes), s.depth, align=1)
    return AdversarialCubeMethod(recipe, scored)
