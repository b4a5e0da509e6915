"""A network that is told how slices were acquired, and so restores any of them.

As in ``plane``, it corrects the coronal and the sagittal planes of the interpolated scan, and the
answers of both views are averaged; beside every plane it sees its neighbours, the distance to the
nearest thick slice, and ``Conditions``. It learns from thin scans alone: thick slices are drawn
and made of them (``samplers.drawn_slices``), so the thick scans of its training pairs are never
looked at. ``refine`` goes on learning from the axial slices of the scan that is restored.

Slices closer than ``FINEST_MM`` are restored in turns, every second or third of them at a time: at
any phase the network knows slices of the usual increments, and no finer ones.

Only planes and columns that pass through the body are corrected (``operators.body_extent``); around
it, and on a table in it, the answer is the interpolation.

Shape suffixes: Z slices, Y X in-plane.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData
from thinslice.families.conditioned_settings import ConditionedSettings
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run
from thinslice.nets.conditioned_unet import ConditionedUNet, Conditions
from thinslice.nets.folded_unet import FoldedUNet
from thinslice.operators.body_extent import body_columns, extents
from thinslice.operators.interpolation import resample_z, z_shift_mm
from thinslice.runtime.device import choose
from thinslice.training import loop, validation, weights
from thinslice.training.batches import Batch, to_device
from thinslice.training.plan import Precision
from thinslice.training.precision import cpu_has_bf16
from thinslice.training.samplers import drawn_domain, drawn_slices
from thinslice.training.samplers.conditioned_planes import ConditionedPlanes
from thinslice.training.samplers.crops import data_key, whole
from thinslice.training.samplers.fine_planes import FinePlanes
from thinslice.training.samplers.row_noise import scan_noise
from thinslice.volume import Grid, Volume, Window, window_of

VIEWS = (planes.CORONAL, planes.SAGITTAL)
VALIDATION_BATCHES = 16
TILE = 512  # pixels, at most
NUMBERS = {"fp32": torch.float32, "bf16": torch.bfloat16}
FINEST_MM = 0.6  # slices closer than this are restored a few at a time, as no network has seen them
TRIED, FITTING = 40, 4  # draws from a scan to learn from, and how many must hold thick slices
REFINED = 0.5  # share of the way from the weights before refining to those learned
SAME_SIZE = (0.9, 1.1)  # zoom of a scan's own anatomy when refining


@dataclass(frozen=True)
class ConditionedRecipe(Recipe):
    """What one such method is made of."""

    settings: ConditionedSettings
    network: Callable[[], ConditionedUNet]


class ConditionedMethod(FittedMethod[ConditionedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: ConditionedRecipe, identity: dict[str, Any]):
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> nn.Module:
        return self.recipe.network()

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        s = self.recipe.settings
        validate = None
        if data.val:
            fixed = validation.fixed(self._batches(data.val), VALIDATION_BATCHES, s.seed)
            validate = partial(mean_error, net, fixed, choose(run))
        trained = loop.train(
            net,
            self._batches(data.train),
            weighted_error,
            s.plan(s.steps, s.lr),
            validate=validate,
            work=work,
            run=run,
            key=repr([self.recipe.method, s, data.key]),
        )
        return trained.curve

    def domain(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """What a fit on ``pairs`` draws, in the form of ``training.fitted_on.of_scans``."""
        s = self.recipe.settings
        same = None
        if s.thickness_mm is not None and s.increment_mm is not None:
            same = s.thickness_mm, s.increment_mm
        return drawn_domain.domain(self._planes(pairs), same)

    def _planes(self, pairs: Sequence[Pair]) -> FinePlanes:
        s = self.recipe.settings
        for pair in pairs:
            if pair.thin.modality != "CT":
                raise Refused(
                    f"{pair.case}: {pair.thin.modality}, but training varies HU: fit on CT"
                )
        return FinePlanes([whole(pair.thin) for pair in pairs], s.side, s.neighbours)

    def _batches(self, pairs: Sequence[Pair]) -> ConditionedPlanes:
        s = self.recipe.settings
        return ConditionedPlanes(self._planes(pairs), s.batch, s.draw, Window(*s.ct))

    @property
    def refine_lr(self) -> float:
        """Learning rate of ``refine``, where none is given."""
        return self.recipe.settings.refine_lr

    def refuse_unfit(self, thick: Volume) -> None:
        """Refuse a scan without axial slices that ``refine`` could learn from, and MR."""
        if thick.modality != "CT":
            raise Refused(
                f"{thick.modality} cannot be refined on: training varies HU; leave it out"
            )
        try:
            fine = self._axial(thick)
        except ValueError as error:
            raise Refused(f"{error}; restore it without refining") from error
        draw = drawn_slices.of(thick.grid.thickness_mm, thick.grid.increment_mm)
        rng = np.random.default_rng(0)
        drawn = [draw(fine.draw(rng).rows, fine.side, rng) for _ in range(TRIED)]
        if sum(slices is not None for slices in drawn) < FITTING:
            raise Refused(
                f"axial slices of {' x '.join(map(str, thick.grid.shape))} pixels of "
                f"{min(thick.grid.pixel_mm):.3g} mm are too small for slices of "
                f"{thick.grid.thickness_mm:g} mm: restore it without refining"
            )

    def refine(
        self, thick: Volume, steps: int, lr: float | None = None, *, work: Path, run: Run
    ) -> Path:
        """Go on learning from the axial slices of ``thick``; the curve's CSV.

        The weights end half-way between those before and those learned (Wortsman et al. 2022), for
        axial slices alone draw a network away from what it knows of stacks. Checkpoints in ``work``
        are resumed from where scan, weights, steps and settings are equal.
        """
        s, grid = self.recipe.settings, thick.grid
        net = self._fitted()
        draw = drawn_slices.of(grid.thickness_mm, grid.increment_mm)
        batches = ConditionedPlanes(self._axial(thick), s.batch, draw, window_of(thick, s.ct))
        scan = data_key([Pair("scan", thick, thick)])
        key = repr([self.recipe.method, s, scan, weights.digest_of(net)])
        plan = s.plan(steps, lr or s.refine_lr)
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        trained = loop.train(net, batches, weighted_error, plan, work=work, run=run, key=key)
        after = net.state_dict()
        between = {name: old.lerp(after[name].cpu(), REFINED) for name, old in before.items()}
        net.load_state_dict(between)
        return trained.curve

    def _axial(self, thick: Volume) -> FinePlanes:
        s = self.recipe.settings
        return FinePlanes([thick], s.side, s.neighbours, stacks=False, zoom=SAME_SIZE)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``; the mean of the views."""
        turns = math.ceil(FINEST_MM / grid.increment_mm - 1e-6)
        if turns == 1:
            return self._at_once(thick, grid, run)
        out_ZYX = np.empty(grid.zyx, np.float32)
        for first in range(min(turns, grid.n)):
            part = grid.with_slices(
                n=len(range(first, grid.n, turns)),
                increment_mm=turns * grid.increment_mm,
                thickness_mm=grid.thickness_mm,
                start_mm=grid.start_mm + first * grid.increment_mm,
            )
            out_ZYX[first::turns] = self._at_once(thick, part, run).voxels
        return thick.with_voxels(out_ZYX, grid)

    def _at_once(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        start = resample_z(thick, grid, "cubic")
        window = window_of(thick, self.recipe.settings.ct)
        unit_ZYX = window.to_unit(start.voxels)
        at_mm = grid.centres_mm() + z_shift_mm(thick.grid, grid)
        apart = drawn_slices.distances(thick.grid.centres_mm(), at_mm, thick.grid.increment_mm)
        body_YX, noise_hu = body_columns(thick), self._noise_hu(thick)
        gain = np.float32((window.high - window.low) / len(VIEWS))
        out_ZYX = start.voxels
        for across in VIEWS:
            if across == planes.SAGITTAL:  # planes that lie together in memory are read faster
                unit_ZYX = np.moveaxis(np.ascontiguousarray(np.moveaxis(unit_ZYX, 2, 0)), 0, 2)
            conditions = _conditions(thick.grid, grid, across, noise_hu)
            net = FoldedUNet(self._net(), conditions, NUMBERS[self.precision_on(choose(run))])
            wanted = extents(body_YX if across == planes.CORONAL else body_YX.T)
            self._correct(net, out_ZYX, unit_ZYX, apart, across, gain, wanted, run)
        return thick.with_voxels(out_ZYX, grid)

    def precision_on(self, device: torch.device | str) -> Precision:
        """Of restoring: bfloat16 on a CPU alone, where it has units for it."""
        on_cpu = torch.device(device).type == "cpu"
        few = self.recipe.settings.restore_precision == "bf16" and on_cpu
        return "bf16" if few and cpu_has_bf16() else "fp32"

    def _noise_hu(self, thick: Volume) -> float:
        """Fine noise of a scan as its network is told it: of MR as if its window were CT's."""
        window, ct = window_of(thick, self.recipe.settings.ct), self.recipe.settings.ct
        return scan_noise(thick.voxels) * (ct[1] - ct[0]) / (window.high - window.low)

    def _correct(
        self,
        net: FoldedUNet,
        out_ZYX: np.ndarray,
        unit_ZYX: np.ndarray,
        apart_Z: np.ndarray,
        across: int,
        gain: np.float32,
        wanted: Sequence[slice],
        run: Run,
    ) -> None:
        """Add what the network corrects in one view's wanted columns, times ``gain``, to the scan.

        apart_Z   distance of every slice to the nearest thick one, in increments
        """
        distance_ZYX = np.broadcast_to(apart_Z[:, None, None], unit_ZYX.shape)
        out_NPQ, unit_NPQ = (np.moveaxis(each, across, 0) for each in (out_ZYX, unit_ZYX))

        def take(some: slice, columns: slice, y_BPQ: np.ndarray) -> None:
            y_BPQ -= unit_NPQ[some, :, columns]
            y_BPQ *= gain
            out_NPQ[some, :, columns] += y_BPQ

        planes.each(
            net,
            [unit_ZYX, distance_ZYX],
            self._tiles(),
            across,
            take,
            columns=wanted,
            run=run,
        )

    def _net(self) -> ConditionedUNet:
        return cast(ConditionedUNet, self._fitted())

    def _tiles(self) -> planes.PlaneTiles:
        net, s = self._net(), self.recipe.settings
        return planes.PlaneTiles(
            (TILE, TILE),
            halo=net.reach,
            align=net.align,
            batch=s.planes_at_a_time,
            beyond=planes.mirrored,
            neighbours=s.neighbours,
        )


def weighted_error(net: nn.Module, batch: Batch) -> Tensor:
    """Mean of squared errors, each times its voxel's weight."""
    x_BCZW, conditions_BK, y_B1ZW, weight_B1ZW = batch
    answer_B1ZW = net(x_BCZW, conditions_BK).float()
    return (weight_B1ZW * (answer_B1ZW - y_B1ZW).square()).mean()


def mean_error(net: nn.Module, batches: Sequence[Batch], device: torch.device) -> float:
    """Mean of ``weighted_error`` over fixed batches."""
    errors = [float(weighted_error(net, to_device(batch, device))) for batch in batches]
    return sum(errors) / len(errors)


def _conditions(thick: Grid, thin: Grid, across: int, noise_hu: float) -> Conditions:
    # Columns of a coronal plane run along x, of a sagittal plane along y.
    pixel_mm = thick.pixel_mm[1 if across == planes.CORONAL else 0]
    return Conditions(
        thick.thickness_mm,
        thick.increment_mm,
        thin.thickness_mm,
        thin.increment_mm,
        pixel_mm,
        noise_hu,
    )
