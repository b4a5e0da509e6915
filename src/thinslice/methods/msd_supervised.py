"""Supervised MS-D per view: the upper bound that SR4ZCT's authors measure themselves against.

Two mixed-scale dense networks learn from pairs, one from coronal planes, one from sagittal ones:
the thick slices interpolated linearly to the thin slices' places, and the thin slices themselves.
Restoring, each sees the planes of its own view. ``view: coronal`` or ``sagittal`` is one of them,
as in the paper's Table 1; ``both`` is the mean of the two answers, which the paper does not have.

Source: Shi et al. 2023, section 3, and ``nets.msd``: 100 layers, squared error, Adam, 200 epochs, a
network for each view. What they leave open is as in their code for SR4ZCT: whole planes, one at a
time, a constant rate of 1e-3, images brought to zero mean and unit spread. Ours: planes are drawn
at random (an epoch is as many as there are); mean and spread are those of ``MOMENTS`` drawn ones;
values are cut to a fixed window of HU, MR to percentiles of the thick scan; where there are
validation pairs, the best weights are kept, the last ones otherwise.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from thinslice.inference import planes
from thinslice.interfaces import About, Pair, Run
from thinslice.nets.msd import MSD
from thinslice.operators.interpolation import resample_z
from thinslice.runtime.device import choose
from thinslice.training import loop, seeds, validation, weights
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan
from thinslice.training.samplers import crops
from thinslice.training.samplers.planes import Planes, View
from thinslice.volume import Grid, Volume, window_of

ABOUT = About(
    title="MS-D, supervised",
    fidelity="as-published",
    paper="Shi et al. 2023",
    idea="A mixed-scale dense network for each view corrects interpolated coronal or sagittal "
    "planes.",
    tried={"view": ("coronal", "sagittal")},
)
NAME = "msd_supervised"
VIEWS: dict[str, tuple[View, ...]] = {
    "coronal": ("coronal",),
    "sagittal": ("sagittal",),
    "both": ("coronal", "sagittal"),
}
ACROSS = {"coronal": planes.CORONAL, "sagittal": planes.SAGITTAL}
MOMENTS = 64  # batches that mean and spread are taken of
WHOLE = 1 << 14  # pixels; planes are tiled only where the memory cap forces it
HALO = 64  # then; a deep network sees farther, but hardly


@dataclass(frozen=True)
class Settings:
    """Hyperparameters; config.yaml may set any of them."""

    view: Literal["coronal", "sagittal", "both"] = "both"  # planes learned from and restored
    depth: int = 100  # layers of a network
    width: int = 1  # maps per layer
    dilations: int = 10  # cycled through: 1, 2, ... this
    epochs: int = 200  # passes over the planes of a view, as many draws as there are planes
    steps: int | None = None  # per view, instead of epochs
    patch: tuple[int, int] | None = None  # (z, w) samples of a training patch; None: whole planes
    batch: int = 1  # patches per step
    lr: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    precision: Literal["fp32", "tf32"] = "fp32"  # of training on a GPU
    seed: int = 0
    validate_every: int = 1000  # steps
    validation_batches: int = 16  # fixed batches of validation patches
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that become 0 and 1
    planes_at_a_time: int = 4  # when restoring

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise ValueError(f"view {self.view!r} is none of {', '.join(VIEWS)}")
        if self.patch is None and self.batch != 1:
            raise ValueError(
                f"whole planes differ in size and go one at a time, found batch {self.batch}; "
                "set patch, or batch 1"
            )

    def plan(self, n_planes: int) -> Plan:
        """The training of one network, on a view of so many planes."""
        return Plan(
            steps=self.steps or math.ceil(self.epochs * n_planes / self.batch),
            lr=self.lr,
            schedule=self.schedule,
            precision=self.precision,
            validate_every=self.validate_every,
            seed=self.seed,
        )

    def network(self) -> dict[str, Any]:
        """What the weights mean nothing without."""
        shape = {"depth": self.depth, "width": self.width, "dilations": self.dilations}
        return {"view": self.view, **shape, "ct": list(self.ct)}


class MSDSupervised:
    """See the module docstring."""

    def __init__(self, settings: Settings):
        s = self.settings = settings
        with seeds.seeded(s.seed):
            nets = {view: MSD(s.depth, s.width, s.dilations) for view in VIEWS[s.view]}
        self.nets = nn.ModuleDict(nets)

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn each view in a subfolder of ``work``; the curve of both, one after the other.

        ValueError without training pairs.
        """
        if not train:
            raise ValueError("no training pairs: the train split is empty")
        key = repr([NAME, self.settings, crops.data_key(train, val)])
        pairs = crops.held(train), crops.held(val)
        curves = {
            view: _fit(self._net(view), self.settings, view, *pairs, work / view, key, run or Run())
            for view in VIEWS[self.settings.view]
        }
        return join_stages(curves, work / "curve.csv")

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """``thick`` on ``grid``, whose pixels must be its own; the mean of the views."""
        s = self.settings
        window = window_of(thick, s.ct)
        unit_ZYX = window.to_unit(resample_z(thick, grid, "linear").voxels)
        # Filled, not just promised, so that tiles have as much room in the first view as later.
        out_ZYX = np.full(grid.zyx, 0, np.float32)
        for view in VIEWS[s.view]:
            net = self._net(view)
            halo = min(net.reach, HALO)
            tiles = planes.PlaneTiles((WHOLE, WHOLE), halo=halo, batch=s.planes_at_a_time)
            out_ZYX += planes.view(net, [unit_ZYX], tiles, ACROSS[view], run=run)
        del unit_ZYX  # as large as the answer, and done with
        out_ZYX /= len(self.nets)
        return thick.with_voxels(window.from_unit(out_ZYX), grid)

    def parameters(self) -> int:
        """Weights of all networks."""
        return sum(p.numel() for p in self.nets.parameters())

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights of all networks, settings and ``about`` into one file."""
        said = {"settings": asdict(self.settings), **about}
        weights.save(path, self.nets, method=NAME, network=self.settings.network(), about=said)

    def load(self, path: Path) -> None:
        """Weights from ``save``; ValueError for other views, another network or window."""
        weights.load(path, self.nets, method=NAME, network=self.settings.network())

    def _net(self, view: View) -> MSD:
        net = self.nets[view]
        assert isinstance(net, MSD)
        return net


def _fit(
    net: MSD,
    s: Settings,
    view: View,
    train: Sequence[Pair],
    val: Sequence[Pair],
    work: Path,
    key: str,
    run: Run,
) -> Path:
    """Train the network of one view; its curve."""

    def drawn(pairs: Sequence[Pair]) -> Planes:
        return Planes(pairs, s.patch, s.batch, s.ct, kind="linear", flips=False, views=[view])

    sample, device = drawn(train), choose(run)
    _normalise(net, validation.fixed(sample, MOMENTS, s.seed))
    looks = validation.fixed(drawn(val), s.validation_batches, s.seed) if val else []

    def judge() -> float:
        return validation.rmse(net, looks, device)

    trained = loop.train(
        net,
        sample,
        _loss,
        s.plan(len(sample)),
        validate=judge if looks else None,
        work=work,
        run=run,
        key=key,
    )
    return trained.curve


def _normalise(net: MSD, batches: Sequence[Batch]) -> None:
    """Bring inputs and answers like these to zero mean and unit spread; flat ones to zero mean."""
    (mean_x, spread_x), (mean_y, spread_y) = (_moments(tensors) for tensors in zip(*batches))
    net.normalise(mean=(mean_x, mean_y), std=(spread_x or 1.0, spread_y or 1.0))


def _moments(tensors: Sequence[Tensor]) -> tuple[float, float]:
    """Mean and standard deviation of all their numbers."""
    numbers = torch.cat([tensor.flatten() for tensor in tensors]).double()
    return float(numbers.mean()), float(numbers.std(correction=0))


def _loss(net: nn.Module, batch: Batch) -> Tensor:
    x_B1ZW, y_B1ZW = batch
    return mse_loss(net(x_B1ZW), y_B1ZW)


def build(**settings: Any) -> MSDSupervised:
    lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    return MSDSupervised(Settings(**lists))
