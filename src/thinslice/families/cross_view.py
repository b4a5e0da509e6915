"""Networks of three views that learn from thick scans alone, and from each other.

Slices halfway between those of a scan are made, then those halfway between these, until they are as
close as is asked for; what is asked for is interpolated from them. Slices that there are stay as
they are. Each network learns to find every second slice of the thick scans, which is there to
compare with; and to answer what the two others answer on the slices that nobody has seen. Those are
halfway between thick slices in the first round, and in each further round halfway between slices
that the networks, as they were before it, made. Thin slices are never looked at.

What is there to compare with lies twice as far apart as any slices that are filled in. What
interpolation lacks falls about with the square of the distance, so a quarter of what the networks
change counts between thick slices, and a quarter of that in each further round (``decay``).

Shape suffixes: B blocks, Z slices that there are, M those halfway between, Y X in-plane.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import ceil, log2
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run
from thinslice.nets.fang import NEIGHBOURS, ThreeViews, interleaved
from thinslice.operators.interpolation import resample_z, resample_z_array, z_shift_mm
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan
from thinslice.training.samplers.thick_blocks import ThickBlocks
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.volume import Grid, Volume, Window, window_of

SAME = 1e-6  # relative tolerance of an increment
INNER = 4  # slices between, from which on the outer ones, with less around them, are not counted


@dataclass(frozen=True)
class CrossViewSettings:
    """How such networks are trained and run."""

    depth: int = 9  # thick slices of a training block, an odd number
    side: int = 64  # pixels of a block along y and x
    batch: int = 2  # blocks per step
    distilled: float = 1.0  # weight of the other views' answers in the loss
    decay: float = 0.25  # of what the networks change, for each halving of the distance
    loss: losses.Name = "l1"  # or "mse"
    steps: int = 50_000  # of the first round
    steps_further: int = 10_000  # of each further round
    rounds: int | None = None  # null: until slices are as close as the thin ones of the pairs
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 500  # steps
    val_batches: int = 16  # fixed batches of validation blocks
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the networks see as 0 and 1
    tile: int = 512  # pixels of a tile when restoring, at most
    planes_at_a_time: int = 8

    def __post_init__(self) -> None:
        if self.loss not in ("l1", "mse"):
            raise ValueError(f"loss {self.loss!r} is none of l1, mse")
        if self.depth < 3 or self.depth % 2 == 0:
            raise ValueError(f"depth is an odd number from 3 on, found {self.depth}")
        if self.rounds is not None and self.rounds < 1:
            raise ValueError(f"rounds start at 1, found {self.rounds}")
        for steps in (self.steps, self.steps_further):
            self.plan(steps)  # refuses a later round that cannot be before the first is trained

    def plan(self, steps: int) -> Plan:
        """A round as the loop takes it."""
        given = {**asdict(self), "steps": steps}
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


@dataclass(frozen=True)
class CrossViewRecipe(Recipe):
    """What one such method is made of."""

    settings: CrossViewSettings
    network: Callable[[], ThreeViews]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the networks


class CrossViewMethod(FittedMethod[CrossViewRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: CrossViewRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> ThreeViews:
        return self.recipe.network()

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn round after round; each begins with what the one before has learned."""
        assert isinstance(net, ThreeViews)
        s = self.recipe.settings
        pairs = [*data.train, *data.val]
        rounds = s.rounds or max(1, *(rounds_for(p.thick.grid, p.thin.grid) for p in pairs))
        draws = [
            self._blocks(data.train, True),
            self._blocks(data.val, False) if data.val else None,
        ]
        curves = {}
        for k in range(rounds):
            teacher = copy.deepcopy(net).requires_grad_(False).eval()
            name = f"round{k + 1}"
            curves[name] = learn(
                net,
                draws,
                mutual(teacher, k, s.distilled, s.loss, s.decay),
                s.plan(s.steps_further if k else s.steps),
                val_batches=s.val_batches,
                work=work / name,
                run=run,
                key=repr([self.recipe.method, s, k, data.key, weights_key(teacher)]),
            )
        return join_stages(curves, work / "curve.csv")

    def _blocks(self, pairs: Sequence[Pair], flips: bool) -> ThickBlocks:
        s = self.recipe.settings
        return ThickBlocks(pairs, s.depth, s.side, s.batch, s.ct, flips)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        z_shift_mm(thick.grid, grid)  # refuses others before any work
        window = window_of(thick, self.recipe.settings.ct)
        finer = thick
        for k in range(rounds_for(thick.grid, grid)):
            finer = self._doubled(finer, window, self.recipe.settings.decay ** (k + 1), run)
        restored = resample_z(finer, grid, "cubic")
        return thick.with_voxels(restored.voxels, grid)

    def _doubled(self, scan: Volume, window: Window, share: float, run: Run) -> Volume:
        """The scan's slices and those between: ``share`` of what the three views' mean changes."""
        net = self._fitted()
        assert isinstance(net, ThreeViews)
        centres = scan.grid.centres_mm()
        halfway = (centres[1:] + centres[:-1]) / 2
        between_MYX = resample_z_array(scan.voxels, centres, halfway, "lanczos3")
        start_MYX = window.to_unit(between_MYX)
        unit_ZYX = window.to_unit(scan.voxels)
        change_MYX = self._view(net.axial, [start_MYX, *around(unit_ZYX)], planes.AXIAL, run)
        unit_NYX = in_order(unit_ZYX, start_MYX)
        for view, across in ((net.coronal, planes.CORONAL), (net.sagittal, planes.SAGITTAL)):
            change_MYX += self._view(view, [unit_NYX], across, run)[1::2]
        change_MYX -= 3 * start_MYX
        change_MYX *= share * (window.high - window.low) / 3
        between_MYX += change_MYX
        finer = scan.grid.with_slices(
            n=2 * scan.grid.n - 1,
            increment_mm=scan.grid.increment_mm / 2,
            thickness_mm=scan.grid.thickness_mm,
            start_mm=scan.grid.start_mm,
        )
        return scan.with_voxels(in_order(scan.voxels, between_MYX), finer)

    def _view(
        self, net: nn.Module, units: Sequence[np.ndarray], across: int, run: Run
    ) -> np.ndarray:
        s = self.recipe.settings
        tiles = planes.PlaneTiles(
            (s.tile, s.tile),
            halo=int(net.reach),  # type: ignore[arg-type]
            batch=s.planes_at_a_time,
            beyond=planes.mirrored,
        )
        return planes.view(net, units, tiles, across, run=run)


def mutual(
    teacher: ThreeViews, rounds: int, distilled: float, name: losses.Name, decay: float = 1.0
) -> Loss:
    """Loss of three views on (every second slice, the slices between).

    Of each view against the slices between; and, times ``distilled``, against what the two others
    answer between slices that ``teacher`` made closer by so many rounds, of whose changes ``decay``
    counts in the first one, and as much less in each further one.
    """
    distance = {"l1": l1_loss, "mse": mse_loss}[name]

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(net, ThreeViews)
        x_B1ZYX, y_B1MYX = batch
        seen = sum(distance(_inner(view), _inner(y_B1MYX)) for view in net.views(x_B1ZYX))
        views = torch.stack([_inner(view) for view in net.views(closer(batch))])
        others = ((views.sum(0) - views) / 2).detach()
        return seen + distilled * len(views) * distance(views, others)

    @torch.no_grad()
    def closer(batch: Batch) -> Tensor:
        """The slices of the batch after the rounds, of each of these as many as there were."""
        block = interleaved(*batch)
        depth = block.shape[2]
        for k in range(rounds):
            block = teacher.to(block.device).doubled(block, decay ** (k + 1))
            block = block[:, :, (block.shape[2] - depth) // 2 :][:, :, :depth]
        return block

    return loss


def _inner(between_B1MYX: Tensor) -> Tensor:
    """Without the outermost slices, where enough are left: they have less around them."""
    return between_B1MYX[:, :, 1:-1] if between_B1MYX.shape[2] >= INNER else between_B1MYX


def rounds_for(thick: Grid, grid: Grid) -> int:
    """How often the slices' distance is halved until it is that of ``grid``, or less."""
    if thick.n == 1:
        return 0
    return max(0, ceil(log2(thick.increment_mm / grid.increment_mm) - SAME))


def around(unit_ZYX: np.ndarray) -> list[np.ndarray]:
    """Of the slices around each place halfway between two, the first, the second, ... [M, Y, X]."""
    aside = NEIGHBOURS // 2 - 1
    mode = "reflect" if len(unit_ZYX) > aside else "edge"
    wide = np.pad(unit_ZYX, ((aside, aside), (0, 0), (0, 0)), mode)
    n = len(unit_ZYX) - 1
    return [wide[k : k + n] for k in range(NEIGHBOURS)]


def in_order(slices_ZYX: np.ndarray, between_MYX: np.ndarray) -> np.ndarray:
    """Slices in order, those halfway between two where they belong."""
    out = np.empty((len(slices_ZYX) + len(between_MYX), *slices_ZYX.shape[1:]), np.float32)
    out[::2], out[1::2] = slices_ZYX, between_MYX
    return out
