"""CrossNet: an axial slice, moved onto coronal and sagittal planes by a flow, lends its detail.

The thick scan is interpolated linearly to the slices asked for; the network corrects its coronal
and sagittal planes with one axial slice in sight (``families.referenced``), and the views are
averaged. Charbonnier loss, Adam at 1e-4 with weight decay, a tenth of the rate every 150,000 steps,
two patches per step: the authors' code.

Source: Zheng et al., "CrossNet", ECCV 2018. Its reference is a photograph of the same scene from
another place, which a flow can move; an axial slice shows other tissue, so that what can be moved
is texture at best. Our adaptation, as ACVTT's authors must have made one when they compared: which
slice they took, and how large, is not said; here it is the middle one. The length of training is
ours. What differs in the network: ``nets.crossnet``.
"""

from dataclasses import asdict, dataclass
from typing import Any

from thinslice.families import losses
from thinslice.families.base import settings_of
from thinslice.families.referenced import (
    REFERENCED_TINY,
    ReferencedMethod,
    ReferencedRecipe,
    ReferencedSettings,
)
from thinslice.interfaces import About
from thinslice.nets.crossnet import OfPlanes, Sizes

ABOUT = About(
    title="CrossNet",
    fidelity="from-abstract",
    paper="Zheng et al., ECCV 2018",
    idea="An estimated flow moves the features of an axial slice onto coronal and sagittal planes.",
)


@dataclass(frozen=True)
class Settings(ReferencedSettings):
    """Hyperparameters; the defaults are the released code's where it has them."""

    references: int = 1
    reference_side: int | None = None  # planes then have the slice's own columns, as in training
    flow: int = 64  # features of the flow network's finest scale
    channels: int = 64  # features of encoder and decoder
    side: int = 256
    batch: int = 2
    steps: int = 300_000
    loss: losses.Name = "charbonnier"
    schedule: str = "step"
    decay_every: int = 150_000  # steps
    weight_decay: float = 5e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.references != 1:
            raise ValueError(f"CrossNet takes one reference, found references {self.references}")


TINY: dict[str, Any] = {**REFERENCED_TINY, "references": 1, "flow": 4, "channels": 4}


def build(**settings: Any) -> ReferencedMethod:
    s = settings_of(Settings, settings)
    sizes = Sizes(flow=s.flow, channels=s.channels)
    return ReferencedMethod(
        ReferencedRecipe("crossnet", ABOUT, s, lambda: OfPlanes(sizes), identity=asdict(sizes))
    )
