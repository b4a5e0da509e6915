"""ArSSR: an encoder and a small network give the grey value at any place of a block.

Any increment and phase is answered. Fitted with the mean absolute error, Adam at 1e-4 that is
halved four times, 15 blocks per step, some 8,000 places each.

Source: Wu et al., "An arbitrary scale super-resolution approach for 3D MR images via implicit
neural representation", IEEE JBHI 2023, and its code. Differs: made for one voxel size along all
axes, by 2 to 4, from blocks of 10 x 10 x 10; here finer along z alone, from blocks of 8 thick
slices, 24 x 24 pixels, and places are all pixels of 14 slices; thick slices are those of the pairs;
the last bias starts at a quarter, since a last ReLU that passes nothing does not learn; the number
of steps is ours.

``build().use(state_dict)`` takes weights of theirs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from thinslice.families.base import settings_of
from thinslice.families.positions import (
    POSITION_TINY,
    PositionMethod,
    PositionRecipe,
    PositionSettings,
)
from thinslice.interfaces import About
from thinslice.nets.arssr import ArSSR, Sizes, from_authors

ENCODERS = {"rdn": (8, 3), "rescnn": (3, 6), "srresnet": (18,)}  # the authors' depths
ABOUT = About(
    title="ArSSR",
    fidelity="as-published",
    paper="Wu et al., JBHI 2023",
    idea="An encoder makes features of thick slices, and a small network of these the grey value "
    "at any place.",
    published_settings={"encoder": tuple(ENCODERS)},
)


@dataclass(frozen=True)
class Settings(PositionSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    encoder: Literal["rdn", "rescnn", "srresnet"] = "rdn"
    encoder_depth: tuple[int, ...] | None = None  # blocks and their layers; None: the authors'
    width: int = 64  # features inside the encoder
    features: int = 128  # that it gives
    hidden: int = 256  # of the network that gives grey values
    corrects: bool = False  # add what the network makes to linear interpolation
    side: int = 24  # pixels of a training block
    batch: int = 15  # blocks per step

    def __post_init__(self) -> None:
        super().__post_init__()
        depth = ENCODERS.get(self.encoder)
        if depth is None:
            raise ValueError(f"encoder {self.encoder!r} is none of {', '.join(ENCODERS)}")
        if self.encoder_depth and len(self.encoder_depth) != len(depth):
            raise ValueError(
                f"encoder {self.encoder} takes {len(depth)} numbers like {list(depth)} as "
                f"encoder_depth, found {list(self.encoder_depth)}"
            )


TINY = {**POSITION_TINY, "width": 4, "features": 6, "hidden": 8}


class ArSSRMethod(PositionMethod):
    """A method of positions that also takes the authors' own weights."""

    def use(self, state_dict: Mapping[str, Tensor]) -> None:
        """Weights by the authors' names; refuses any that is left over on either side."""
        net = self._seeded(self.usual)
        net.load_state_dict(from_authors(state_dict))
        self.net, self.shape = net, self.usual


def build(**settings: Any) -> ArSSRMethod:
    s = settings_of(Settings, settings)
    depth = s.encoder_depth or ENCODERS[s.encoder]
    sizes = Sizes(s.encoder, depth, s.width, s.features, s.hidden, s.corrects)
    identity = {**asdict(sizes), "encoder_depth": list(depth)}
    del identity["depth"]  # that of a block is the family's
    return ArSSRMethod(PositionRecipe("arssr", ABOUT, s, lambda: ArSSR(sizes), identity=identity))
