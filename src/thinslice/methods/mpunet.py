"""MPU-Net: a 3-D U-Net makes slices finer step by step, and each step is compared with the truth.

The loss is the error of every step's image, weighted by the truth's local contrast
(``contrast``): where the grey values around a voxel vary as the average does, it counts
1 + ``contrast`` times as much as in a uniform region. ``steps_adversarial`` adds a training against
a discriminator (``families.adversarial_cube``), and only then are its features matched, as the
paper does (``matching``).

Source: Liu et al., MICCAI 2020, known here by its abstract: progressive up-sampling, a
contrast-aware loss, feature matching. Its streams for the inside and outside of the lung are left
out, as TVSRN's authors did when they compared with it: they ask for a mask of the lung. Ours: the
network (``nets.mpunet``), what contrast is, all weights, crops, rate and windows; TVSRN's where its
authors say that they used theirs.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, pad

from thinslice.families import losses
from thinslice.families.adversarial_cube import AdversarialCubeMethod, AdversarialSettings
from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeRecipe
from thinslice.interfaces import About
from thinslice.nets.mpunet import MPUNet, Sizes
from thinslice.training.batches import Batch

ABOUT = About(
    title="MPU-Net",
    fidelity="from-abstract",
    paper="Liu et al., MICCAI 2020",
    idea="A 3-D U-Net makes slices finer step by step; each step is compared with the truth.",
    fixed_factor=True,
)
AROUND = 3  # voxels along each axis whose grey values make local contrast
FAINT = 1e-3  # grey values, below which a crop has no contrast worth weighing


@dataclass(frozen=True)
class Settings(AdversarialSettings):
    """Hyperparameters; a config line may set any of them."""

    channels: int = 32  # features of the finest pixels
    levels: int = 3
    contrast: float = 1.0  # weight of local contrast in the loss
    early: float = 0.5  # weight of the steps before the last, together
    matching: float = 1e-3
    depth: int = 4  # thick slices the network sees
    side: int = 64
    halo: int = 32  # no less than the network sees, with three levels


TINY: dict[str, Any] = {
    **CUBE_TINY,
    **{"channels": 4, "levels": 3, "depth": 3},
    **{"steps_adversarial": 2, "discriminator": 4},
}


def local_contrast(y_B1NYX: Tensor) -> Tensor:
    """Standard deviation of the grey values around each voxel, edges continued."""
    y_B1NYX = pad(y_B1NYX, [AROUND // 2] * 6, mode="replicate")
    mean, of_squares = (avg_pool3d(v, AROUND, stride=1) for v in (y_B1NYX, y_B1NYX.square()))
    return (of_squares - mean.square()).clamp(min=0).sqrt()


def weights(y_B1NYX: Tensor, contrast: float) -> Tensor:
    """What each voxel of the truth counts; one on average, and everywhere without ``contrast``."""
    spread = local_contrast(y_B1NYX)
    relative = spread / spread.mean((1, 2, 3, 4), keepdim=True).clamp(min=FAINT)
    weight = 1 + contrast * relative
    return weight / weight.mean((1, 2, 3, 4), keepdim=True)


def build(**settings: Any) -> AdversarialCubeMethod:
    s = settings_of(Settings, settings)
    each = losses.of_each(s.loss)

    def scored(net: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
        x_B1ZYX, y_B1NYX = batch
        assert isinstance(net, MPUNet)
        images = net.images(x_B1ZYX)
        errors = [
            (weights(true, s.contrast) * each(made, true)).mean()
            for made, true in zip(images, net.as_images(y_B1NYX), strict=True)
        ]
        loss = errors[-1]
        if errors[:-1]:
            loss = loss + s.early * torch.stack(errors[:-1]).mean()
        y, x = y_B1NYX.shape[-2:]
        return images[-1][..., :y, :x], loss

    align = 2 ** (s.levels - 1)
    recipe = CubeRecipe("mpunet", ABOUT, s, MPUNet, s.sizes(Sizes), s.depth, align=align)
    return AdversarialCubeMethod(recipe, scored)
