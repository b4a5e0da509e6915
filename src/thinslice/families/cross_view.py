"""Networks of three views that learn from thick scans alone, and from each other.

Slices halfway between those of a scan are made, then those halfway between these, until they are as
close as is asked for; what is asked for is interpolated from them. Each of these rounds has three
networks of its own. The coronal and the sagittal one learn from axial slices, which are fine: these
are made as coarse along y, or x, as the scan is along z, and what was there is the truth. The axial
one learns to find every second slice of scans whose slices are as thin as those asked for; thicker
ones are no truth. All three learn to answer what the two others answer on slices that nobody has
seen: halfway between thick slices in the first round, and in each further round between slices that
the rounds before it made. Thin slices are never looked at.

Shape suffixes: B blocks, Z slices that there are, M those halfway between, N both, Y X in-plane, W
along rows of a plane.
"""

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
from thinslice.nets.fang import NEIGHBOURS, NextRound, Rounds, ThreeViews, interleaved
from thinslice.operators.interpolation import resample_z, resample_z_array, z_shift_mm
from thinslice.training.batches import Batch, Sample
from thinslice.training.curve import join_stages
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan
from thinslice.training.samplers.cross_views import CrossViews
from thinslice.training.samplers.thick_blocks import ThickBlocks
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.volume import Grid, Volume, Window, window_of

SAME = 1e-6  # relative tolerance of an increment
USUAL_ROUNDS = 3  # before a fit: of slices five times as far apart as is asked for
INNER = 4  # slices between, from which on the outer ones, with less around them, are not counted


@dataclass(frozen=True)
class CrossViewSettings:
    """How such networks are trained and run."""

    depth: int = 9  # thick slices of a training block, an odd number
    side: int = 64  # pixels of a block along y and x
    batch: int = 2  # blocks per step
    patch: tuple[int, int] = (9, 64)  # coarse rows of an axial slice, and pixels along them
    patches: int = 8  # of these, along each axis, per step
    distilled: float = 0.1  # weight of the other views' answers in the loss
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
        usual = {"rounds": recipe.settings.rounds or USUAL_ROUNDS}
        super().__init__(recipe, identity, usual, needs_fit=False)

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        """As many rounds as the pairs ask for, unless the settings say."""
        asked = max(1, *(rounds_for(p.thick.grid, p.thin.grid) for p in pairs))
        return {"rounds": self.recipe.settings.rounds or asked}

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        return {"rounds": int(network.get("rounds", 1))}

    def _build(self, shape: Shape) -> Rounds:
        return Rounds(self.recipe.network() for _ in range(shape["rounds"]))

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn round after round; each goes on from what those before it make."""
        assert isinstance(net, Rounds)
        s = self.recipe.settings
        thin = all(as_thin(p.thick.grid, p.thin.grid) for p in (*data.train, *data.val))
        curves = {}
        for k, views in enumerate(net):
            before = Rounds(net[:k])
            assert isinstance(views, ThreeViews)
            name = f"round{k + 1}"
            curves[name] = learn(
                NextRound(before, views),
                [self._draws(data.train, k, True), self._draws(data.val, k, False)],
                mutual(s.distilled, s.loss, thin),
                s.plan(s.steps_further if k else s.steps),
                val_batches=s.val_batches,
                work=work / name,
                run=run,
                key=repr([self.recipe.method, s, k, data.key, weights_key(before)]),
            )
        net.requires_grad_(True)
        return join_stages(curves, work / "curve.csv")

    def _draws(self, pairs: Sequence[Pair], k: int, train: bool) -> Sample | None:
        """Of round ``k``, counted from zero; validation draws only what has a truth in-plane."""
        if not pairs:
            return None
        s = self.recipe.settings
        blocks = ThickBlocks(pairs, s.depth, s.side, s.batch, s.ct, flips=train)
        draw = CrossViews(pairs, blocks, s.patch, s.patches, k + 1, s.ct)
        return draw if train else draw.in_plane

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        z_shift_mm(thick.grid, grid)  # refuses others before any work
        window = window_of(thick, self.recipe.settings.ct)
        finer = thick
        for k in range(rounds_for(thick.grid, grid)):
            finer = self._doubled(finer, as_thin(thick.grid, grid), k, window, run)
        restored = resample_z(finer, grid, "cubic")
        return thick.with_voxels(restored.voxels, grid)

    def _doubled(self, scan: Volume, stay: bool, k: int, window: Window, run: Run) -> Volume:
        """The slices, unless they ``stay`` as they are, and those between, by round ``k``."""
        net = self._fitted()
        assert isinstance(net, Rounds)
        views = net[min(k, len(net) - 1)]
        assert isinstance(views, ThreeViews)
        centres = scan.grid.centres_mm()
        halfway = (centres[1:] + centres[:-1]) / 2
        between_MYX = resample_z_array(scan.voxels, centres, halfway, "lanczos3")
        made_NYX = in_order(scan.voxels, between_MYX)
        unit_ZYX, unit_NYX = window.to_unit(scan.voxels), window.to_unit(made_NYX)
        change_NYX = self._view(views.coronal, [unit_NYX], planes.CORONAL, run)
        change_NYX += self._view(views.sagittal, [unit_NYX], planes.SAGITTAL, run)
        change_NYX[1::2] += self._view(
            views.axial, [unit_NYX[1::2], *around(unit_ZYX)], planes.AXIAL, run
        )
        change_NYX[::2] /= 2
        change_NYX[1::2] /= 3
        change_NYX -= unit_NYX
        if stay:
            change_NYX[::2] = 0
        change_NYX *= window.high - window.low
        made_NYX += change_NYX
        finer = scan.grid.with_slices(
            n=len(made_NYX),
            increment_mm=scan.grid.increment_mm / 2,
            thickness_mm=scan.grid.thickness_mm,
            start_mm=scan.grid.start_mm,
        )
        return scan.with_voxels(made_NYX, finer)

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


def mutual(distilled: float, name: losses.Name, thin: bool) -> Loss:
    """Loss of a ``NextRound`` on a batch of ``CrossViews``.

    Of the coronal and the sagittal view against the fine rows; where slices are as ``thin`` as is
    asked for, of the axial one against every second slice; and, times ``distilled``, of each
    against what the two others answer between slices that the rounds before made closer.
    """
    distance = {"l1": l1_loss, "mse": mse_loss}[name]

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(net, NextRound)
        even_B1ZYX, odd_B1MYX, *coarse, fine = batch
        seen = len(coarse) * distance(net(*coarse), fine)
        if thin:
            seen += distance(_inner(net.views.between(even_B1ZYX)), _inner(odd_B1MYX))
        with torch.no_grad():
            closer_B1ZYX = net.before.closer(interleaved(even_B1ZYX, odd_B1MYX))
        axial, *through = net.views.views(closer_B1ZYX)
        views = torch.stack([_inner(view) for view in (axial, *(y[:, :, 1::2] for y in through))])
        others = ((views.sum(0) - views) / 2).detach()
        return seen + distilled * len(views) * distance(views, others)

    return loss


def _inner(between_B1MYX: Tensor) -> Tensor:
    """Without the outermost slices, where enough are left: they have less around them."""
    return between_B1MYX[:, :, 1:-1] if between_B1MYX.shape[2] >= INNER else between_B1MYX


def rounds_for(thick: Grid, grid: Grid) -> int:
    """How often the slices' distance is halved until it is that of ``grid``, or less."""
    if thick.n == 1:
        return 0
    return max(0, ceil(log2(thick.increment_mm / grid.increment_mm) - SAME))


def as_thin(thick: Grid, grid: Grid) -> bool:
    """Whether slices need no undoing of their thickness."""
    return thick.thickness_mm <= grid.thickness_mm * (1 + SAME)


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
