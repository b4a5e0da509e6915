"""MCSR: planes of the interpolated scan are corrected, another contrast of the patient in sight.

Zeng et al., Computers in Biology and Medicine 2018, of which we know the abstract (``nets.zeng``):
one network corrects the planes alone, as ``zeng_scsr`` does, a second one what that makes, with the
same planes of a fine scan of another contrast beside it. Both learn together; the errors of both
count alike (ours). The second contrast comes with the scan (``Volume.second``), in the same frame,
and is interpolated to the voxels asked for. A scan without one is refused. What else is ours is
what ``zeng_scsr`` says.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from thinslice.families.base import settings_of
from thinslice.families.interpolated_planes import (
    INTERPOLATED_PLANES_TINY,
    InterpolatedPlanesMethod,
    InterpolatedPlanesRecipe,
    InterpolatedPlanesSettings,
)
from thinslice.interfaces import About
from thinslice.nets.grey import STRETCHED
from thinslice.nets.zeng import MCSR
from thinslice.training.batches import Batch

ABOUT = About(
    title="MCSR",
    fidelity="from-abstract",
    paper="Zeng et al., Computers in Biology and Medicine 2018",
    idea="2-D networks correct planes of the interpolated scan, a fine second contrast in sight.",
    in_plane=True,
    second=True,
)


@dataclass(frozen=True)
class Settings(InterpolatedPlanesSettings):
    """Hyperparameters; a config line may set any of them."""

    blocks: int = 8  # residual blocks of each of the two networks
    channels: int = 64


TINY = {**INTERPOLATED_PLANES_TINY, "blocks": 1, "channels": 4}


def build(**settings: Any) -> InterpolatedPlanesMethod:
    s = settings_of(Settings, settings)
    sizes = {"blocks": s.blocks, "channels": s.channels}
    distance = {"l1": l1_loss, "mse": mse_loss}[s.loss]

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(net, MCSR)
        x_B2PQ, y_B1PQ = batch
        alone_B1PQ, both_B1PQ = net.answers(x_B2PQ)
        return distance(alone_B1PQ, y_B1PQ) + distance(both_B1PQ, y_B1PQ)

    return InterpolatedPlanesMethod(
        InterpolatedPlanesRecipe(
            "zeng_mcsr",
            ABOUT,
            s,
            lambda: MCSR(**sizes),
            identity={**sizes, "grey": list(STRETCHED)},
            loss=loss,
        )
    )
