"""EDSR-like planes: a small 2-D network corrects every coronal and sagittal plane.

The thick scan is interpolated (cubic B-spline) to the target's slice centres, the network adds
what it learned is missing to each coronal and each sagittal plane, and the two answers are
averaged. Axial planes are never shown: they hold no through-plane detail. Nothing depends on a
whole ratio of increments, so any target grid with the scan's own pixels will do.

After Lim et al. 2017 (see ``nets.edsr``); sizes, planes and training are ours: squared error where
they take the absolute, since tables are in RMSE.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from thinslice.inference import planes
from thinslice.interfaces import About, Pair, Run
from thinslice.nets.edsr import EDSR
from thinslice.operators.interpolation import resample_z
from thinslice.runtime.device import choose
from thinslice.training import validation, weights
from thinslice.training.batches import Batch
from thinslice.training.loop import train
from thinslice.training.plan import Plan
from thinslice.training.samplers import crops
from thinslice.training.samplers.planes import Planes
from thinslice.training.seeds import seeded
from thinslice.volume import Grid, Volume, window_of

ABOUT = About(
    title="EDSR planes",
    fidelity="from-abstract",
    paper="Lim et al. 2017",
    idea="A residual 2-D network corrects interpolated coronal and sagittal planes, averaged; "
    "sizes are ours.",
)
NAME = "edsr_planes"


@dataclass(frozen=True)
class Settings:
    """Hyperparameters; config.yaml may set any of them."""

    blocks: int = 5  # residual blocks
    channels: int = 32
    patch: tuple[int, int] = (48, 48)  # (z, w) samples of a training patch
    batch: int = 8  # patches per step
    steps: int = 800
    lr: float = 1e-3
    warmup: int = 20  # steps of rising rate
    seed: int = 0
    validate_every: int = 100  # steps
    validation_batches: int = 16
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1

    def network(self) -> dict[str, Any]:
        """What the weights mean nothing without."""
        return {"blocks": self.blocks, "channels": self.channels, "ct": list(self.ct)}


class EDSRPlanes:
    """See the module docstring."""

    def __init__(self, settings: Settings):
        self.settings = settings
        with seeded(settings.seed):
            self.net = EDSR(settings.blocks, settings.channels)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn the correction from ``train``; the best weights on patches of ``val`` are kept."""
        return _fit(self.net, self.settings, train, val, work, run or Run())

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """``thick`` on ``grid``, whose pixels must be its own."""
        start = resample_z(thick, grid, "cubic")
        window = window_of(thick, self.settings.ct)
        unit_ZYX = window.to_unit(start.voxels)
        tiles = planes.PlaneTiles(halo=self.net.reach)
        better_ZYX = planes.both(self.net, [unit_ZYX], tiles, run=run)
        # What lies outside the window is kept: only the correction is taken from inside it.
        better_ZYX -= unit_ZYX
        better_ZYX *= window.high - window.low
        better_ZYX += start.voxels
        return start.with_voxels(better_ZYX, grid)

    def parameters(self) -> int:
        """Weights of the network."""
        return sum(p.numel() for p in self.net.parameters())

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights, settings and ``about`` into one file."""
        said = {"settings": asdict(self.settings), **about}
        weights.save(path, self.net, method=NAME, network=self.settings.network(), about=said)

    def load(self, path: Path) -> None:
        """Weights from ``save``; ValueError for another network or another window."""
        weights.load(path, self.net, method=NAME, network=self.settings.network())


def _fit(
    net: nn.Module,
    settings: Settings,
    train_pairs: Sequence[Pair],
    val_pairs: Sequence[Pair],
    work: Path,
    run: Run,
) -> Path:
    if not train_pairs:
        raise ValueError("no training pairs: the train split is empty")
    s, device = settings, choose(run)
    plan = Plan(
        steps=s.steps,
        lr=s.lr,
        schedule="cosine",
        warmup=s.warmup,
        validate_every=s.validate_every,
        seed=s.seed,
    )
    looks: list[Batch] = []
    if val_pairs:
        drawn = Planes(crops.held(val_pairs), s.patch, s.batch, s.ct, flips=False)
        looks = validation.fixed(drawn, s.validation_batches, s.seed)

    def judge() -> float:
        return validation.rmse(net, looks, device)

    trained = train(
        net,
        Planes(crops.held(train_pairs), s.patch, s.batch, s.ct),
        _loss,
        plan,
        validate=judge if looks else None,
        work=work,
        run=run,
        key=repr([NAME, s, crops.data_key(train_pairs, val_pairs)]),
    )
    return trained.curve


def _loss(net: nn.Module, batch: Batch) -> Tensor:
    x_B1ZW, y_B1ZW = batch
    return mse_loss(net(x_B1ZW), y_B1ZW)


def build(**settings: Any) -> EDSRPlanes:
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    return EDSRPlanes(Settings(**lists))
