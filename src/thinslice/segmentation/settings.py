"""Settings of the segmenter; its own section of the config may set any of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thinslice.errors import Refused


@dataclass(frozen=True)
class Settings:
    """A network that seven minutes of a core train: a rehearsal of the paper's nnU-Net."""

    channels: int = 8  # features of the finest level
    levels: int = 4  # of resolution
    side: tuple[int, int, int] = (24, 40, 48)  # voxels of a training crop
    batch: int = 4  # crops
    window_hu: tuple[float, float] = (-1000.0, 400.0)  # that it sees as 0 and 1
    centred: float = 0.6  # share of crops around a voxel of a structure, each structure as often
    steps: int = 1200
    lr: float = 2.5e-3
    validate_every: int = 200
    val_batches: int = 12
    seed: int = 0
    nnunet: str | None = None  # folder of a trained nnU-Net, which takes this network's place

    def __post_init__(self) -> None:
        align = 2 ** (self.levels - 1)
        if any(n % align or n < align for n in self.side):
            raise Refused(f"side {self.side}: expected multiples of {align} for {self.levels=}")
        if not 0 <= self.centred <= 1 or self.batch < 1:
            raise Refused(f"centred lies in 0 to 1, batch starts at 1, found {self}")


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Settings from a config; Refused for a name that there is not."""
    lists: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in given.items()
    }
    try:
        return Settings(**lists)
    except TypeError as error:
        raise Refused(f"config: segmentation: settings: {error}") from None
