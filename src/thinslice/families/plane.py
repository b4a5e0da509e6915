"""A 2-D network that corrects the coronal and sagittal planes of an interpolated scan.

The thick scan is interpolated to the target's slice centres, the network sees every coronal and
every sagittal plane, and the answers of the views are averaged. Axial planes are never shown: they
hold no through-plane detail. Nothing depends on a whole ratio of increments, so any target grid
with the scan's own pixels will do. One network sees both views, or each view has its own.

What methods differ in is a ``PlaneRecipe``; fit, save and load are those of ``base``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import nn

from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.losses import squared_error
from thinslice.families.outside_window import residue
from thinslice.families.rounding import RoundedRestoring
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run
from thinslice.operators.interpolation import Kind, resample_z
from thinslice.training import validation
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan, Precision
from thinslice.training.samplers.planes import VIEWS, Planes, View
from thinslice.volume import Grid, Volume, window_of

ACROSS: Mapping[View, int] = {"coronal": planes.CORONAL, "sagittal": planes.SAGITTAL}
PREPARED = 64  # training batches that ``PlaneRecipe.prepare`` is shown


@dataclass(frozen=True)
class PlaneSettings:
    """How a plane network is trained and run: settings that every such method has."""

    patch: tuple[int, int] | None = (48, 48)  # (z, w) samples of a patch; None: whole planes
    batch: int = 8  # patches per step
    steps: int | None = 800  # of training; None: as many as ``epochs`` asks for
    epochs: int = 200  # passes over the training planes, as many draws as there are planes
    lr: float = 1e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup: int = 0  # steps of rising rate
    precision: Precision = "fp32"  # of training on a GPU
    seed: int = 0
    validate_every: int = 100  # steps
    validation_batches: int = 16  # fixed batches of validation patches
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    planes_at_a_time: int = 16  # when restoring
    restore_precision: Precision = "fp32"  # tf32 on a GPU; bf16 where there are units for it

    def __post_init__(self) -> None:
        if self.patch is None and self.batch != 1:
            raise ValueError(
                f"whole planes differ in size and go one at a time, found batch {self.batch}; "
                "set patch, or batch 1"
            )

    def plan(self, n_planes: int) -> Plan:
        """The training of one network on that many planes, as the loop takes it."""
        return Plan(
            steps=self.steps or math.ceil(self.epochs * n_planes / self.batch),
            lr=self.lr,
            schedule=self.schedule,
            warmup=self.warmup,
            precision=self.precision,
            validate_every=self.validate_every,
            seed=self.seed,
        )


PLANE_TINY: dict[str, Any] = {  # what makes any plane method train in a moment
    **{"patch": [16, 12], "batch": 2, "steps": 2, "warmup": 0},
    **{"validate_every": 1, "validation_batches": 1},
}


@dataclass(frozen=True)
class PlaneRecipe(Recipe):
    """What one plane method is made of; ``network`` builds x_BCZW to y_B1ZW of the same size.

    The network's ``reach`` is how many pixels it sees to each side, its ``align``, if it has one,
    what tiles start at multiples of. ``prepare`` changes an untrained network by what training
    batches look like.
    """

    settings: PlaneSettings
    network: Callable[[], nn.Module]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the network
    loss: Loss = squared_error
    views: Sequence[View] = VIEWS  # learned from and restored
    per_view: bool = False  # a network for each view, else one for all
    start: Kind = "cubic"  # interpolation of what the network sees
    neighbours: int = 0  # planes to either side that it sees as channels beside the one it corrects
    flips: bool = True  # of training planes, every second one
    prepare: Callable[[nn.Module, Sequence[Batch]], None] | None = None
    corrects: bool = True  # the answer is ``start`` and the network's change to it
    tile: int = 512  # pixels of a tile when restoring, at most
    halo: int | None = None  # pixels, at most; None: all that the network sees


class PlaneMethod(RoundedRestoring, FittedMethod[PlaneRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: PlaneRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> nn.Module:
        r = self.recipe
        if not r.per_view:
            return r.network()
        return nn.ModuleDict({view: r.network() for view in r.views})

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn in ``work``, or each view in a subfolder of it."""
        key = repr([self.recipe.method, self.recipe.settings, data.key])
        if not self.recipe.per_view:
            return self._learn(net, self.recipe.views, data, work, run, key)
        curves = {
            view: self._learn(_of(net, view), [view], data, work / view, run, key)
            for view in self.recipe.views
        }
        return join_stages(curves, work / "curve.csv")

    def _learn(
        self,
        net: nn.Module,
        views: Sequence[View],
        data: TrainingData,
        work: Path,
        run: Run,
        key: str,
    ) -> Path:
        """Train one network on planes of ``views``; its curve."""
        r, s = self.recipe, self.recipe.settings
        draw = self._planes(data.train, views, r.flips)
        draw_val = self._planes(data.val, views, flips=False) if data.val else None
        if r.prepare:
            r.prepare(net, validation.fixed(draw, PREPARED, s.seed))
        return learn(
            net,
            (draw, draw_val),
            r.loss,
            s.plan(len(draw)),
            val_batches=s.validation_batches,
            work=work,
            run=run,
            key=key,
        )

    def _planes(self, pairs: Sequence[Pair], views: Sequence[View], flips: bool) -> Planes:
        s = self.recipe.settings
        r = self.recipe
        return Planes(pairs, s.patch, s.batch, s.ct, r.start, flips, views, r.neighbours)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``; the mean of the views."""
        r = self.recipe
        start = resample_z(thick, grid, r.start)
        window = window_of(thick, r.settings.ct)
        unit_ZYX = window.to_unit(start.voxels)
        numbers = self._rounding(run, window.high - window.low)
        beyond = np.float32(0)
        if not r.corrects:
            beyond = residue(start.voxels, window)
            del start  # as large as the answer, and done with
        # Filled, not just promised, so that tiles have as much room in the first view as later.
        out_ZYX = np.full(grid.zyx, 0, np.float32)
        for view in r.views:
            out_ZYX += self._view(view, unit_ZYX, numbers, run)
        out_ZYX /= len(r.views)
        if not r.corrects:
            del unit_ZYX
            return thick.with_voxels(window.from_unit(out_ZYX) + beyond, grid)
        out_ZYX -= unit_ZYX
        out_ZYX *= window.high - window.low
        out_ZYX += start.voxels
        return thick.with_voxels(out_ZYX, grid)

    def _view(self, view: View, unit_ZYX: np.ndarray, numbers: Precision, run: Run) -> np.ndarray:
        r, net = self.recipe, self._fitted()
        net = _of(net, view) if r.per_view else net
        reach = int(net.reach)  # type: ignore[arg-type]
        halo = reach if r.halo is None else min(reach, r.halo)
        tiles = planes.PlaneTiles(
            (r.tile, r.tile),
            halo=halo,
            align=getattr(net, "align", 1),
            batch=r.settings.planes_at_a_time,
            beyond=planes.mirrored,
            neighbours=r.neighbours,
        )
        rounded = self._rounded(net, numbers)
        return planes.view(rounded, [unit_ZYX], tiles, ACROSS[view], run=run)


def _of(nets: nn.Module, view: View) -> nn.Module:
    """The network of one view."""
    assert isinstance(nets, nn.ModuleDict)
    return nets[view]
