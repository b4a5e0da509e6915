"""A method of two stages: thick planes to the thin slices between them, then fusion of two views.

The first network sees planes of the thick slices as they are, told how far from them the slices
lie that are asked for, so one network serves any increments and any phase. Where the ratio of
increments is no whole number, it answers evenly spread slices and their cubic spline is taken.
Slices beyond the outermost thick ones come from the scan continued by its end slices. The second
network fuses the coronal and the sagittal answer, axial plane by axial plane. Each stage is a
training of its own; between them the first one's answers to all training scans lie in ``work``.

What methods differ in is a ``SpacedRecipe``; fit, save and load are those of ``base``.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from thinslice.errors import Refused
from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.cube import at_slices_of
from thinslice.families.outside_window import residue_on
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run
from thinslice.nets.saint import AtDistances, distances_mm
from thinslice.operators import grids
from thinslice.operators.interpolation import z_shift_mm
from thinslice.training.batches import Sample
from thinslice.training.curve import join_stages
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan
from thinslice.training.samplers.thick_planes import ThickPlanes, whole_with_thin_grid
from thinslice.training.samplers.two_view_patches import ViewPatches, first_stage_files, weights_key
from thinslice.volume import Grid, Volume, window_of

NEIGHBOURS = 1  # planes to either side that the first network sees


@dataclass(frozen=True)
class SpacedSettings:
    """Hyperparameters of both stages; the defaults are SAINT's where its code states them."""

    fuse: bool = True  # the second stage; without it the answer is the mean of the two views
    patch: tuple[int, int] = (10, 512)  # thick slices, and pixels along a training plane
    batch: int = 120  # patches per step of the first stage
    side: int = 512  # pixels of an axial patch, in the second stage
    batch_fusion: int = 1  # of these per step
    loss: losses.Name = "l1"  # or "mse", which tables in RMSE ask for
    steps: int = 100_000  # of the first stage
    steps_fusion: int = 100_000  # of the second stage
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 1000  # steps
    val_batches: int = 16  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 2976.0)  # HU that the networks see as 0 and 1
    tile: int = 512  # pixels of a tile, when restoring, at most
    planes_at_a_time: int = 8

    def __post_init__(self) -> None:
        losses.named(self.loss)
        for steps in (self.steps, self.steps_fusion):
            self.plan(steps)  # refuses a later stage that cannot be before the first is trained

    def plan(self, steps: int) -> Plan:
        """A stage as the loop takes it."""
        given = {**asdict(self), "steps": steps}
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


@dataclass(frozen=True)
class SpacedRecipe(Recipe):
    """What one such method is made of; networks as in ``nets.saint``."""

    settings: SpacedSettings
    network: Callable[[], nn.Module]  # x_BCZW, distances_BKPQ to y_BKZW
    fusion: Callable[[], nn.Module]  # x_BVYX, sagittal first, to y_B1YX
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the networks
    # Grey levels of the window, to which the first stage's answers are rounded; both stages' are
    # cut to it. None: they are neither, and HU beyond the window are kept.
    levels: int | None = 4000
    views_loss: Loss | None = None  # of the first stage; None: that of the settings


class SpacedViews(nn.Module):
    """Both networks; without ``fusion`` the two views are averaged."""

    def __init__(self, views: nn.Module, fusion: nn.Module | None):
        super().__init__()
        self.views, self.fusion = views, fusion


class SpacedMethod(FittedMethod[SpacedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: SpacedRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {"fuse": recipe.settings.fuse}, needs_fit=False)

    def _build(self, shape: Shape) -> SpacedViews:
        r = self.recipe
        return SpacedViews(r.network(), r.fusion() if shape["fuse"] else None)

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn both stages, each by the loss of the settings."""
        assert isinstance(net, SpacedViews)
        s = self.recipe.settings
        if s.fuse and s.batch_fusion % run.processes:  # found before the first stage, not after
            raise Refused(
                f"batch_fusion {s.batch_fusion} has no equal shares for {run.processes} "
                "processes: set it to a multiple, or gpus to 1"
            )
        key = json.dumps([self.recipe.method, self.identity, asdict(s)]) + data.key
        train = partial(learn, loss=losses.named(s.loss), val_batches=s.val_batches, run=run)
        draws = (self._training_planes(data.train), self._planes(data.val) if data.val else None)
        views = partial(train, loss=self.recipe.views_loss or losses.named(s.loss))
        curves = {
            "views": views(net.views, draws, plan=s.plan(s.steps), work=work / "views", key=key)
        }
        if net.fusion is not None:
            key += weights_key(net.views)
            folder = work / "answers"
            curves["fusion"] = train(
                net.fusion,
                [self._patches(net.views, p, key, folder, run) if p else None for p in data[:2]],
                plan=s.plan(s.steps_fusion),
                work=work / "fusion",
                key=key,
            )
            if run.rank == 0:
                shutil.rmtree(folder)
        return join_stages(curves, work / "curve.csv")

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        net = self._fitted()
        assert isinstance(net, SpacedViews)
        return self._restored(net.views, net.fusion, thick, grid, run)

    def _restored(
        self, views: nn.Module, fusion: nn.Module | None, thick: Volume, grid: Grid, run: Run
    ) -> Volume:
        """``thick`` on ``grid`` by these networks."""
        z_shift_mm(thick.grid, grid)  # refuses others before any work
        unit_ZYX = self._fused(fusion, self._answers(views, thick, grid, run), run)
        window = window_of(thick, self.recipe.settings.ct)
        if self.recipe.levels is None:
            voxels = window.from_unit(unit_ZYX) + residue_on(grid, thick, window)
        else:
            voxels = window.from_unit(unit_ZYX.clip(0, 1, out=unit_ZYX))
        return thick.with_voxels(np.asarray(voxels, np.float32), grid)

    def _training_planes(self, pairs: Sequence[Pair]) -> Sample:
        """Draws of the first stage; those that it is validated on are of ``_planes``."""
        return self._planes(pairs)

    def _planes(self, pairs: Sequence[Pair]) -> Sample:
        s = self.recipe.settings
        return ThickPlanes(pairs, s.patch, s.batch, NEIGHBOURS, distances_mm, s.ct)

    def _patches(
        self, net: nn.Module, pairs: Sequence[Pair], key: str, folder: Path, run: Run
    ) -> Sample:
        """Draws of the second stage, from the first one's answers, which are made in ``folder``."""
        quiet = replace(run, progress=False)

        def answer(pair: Pair) -> Sequence[np.ndarray]:
            return self._answers(net, *whole_with_thin_grid(pair), quiet)

        s = self.recipe.settings
        paths = first_stage_files(pairs, answer, key, folder, run)
        return ViewPatches(pairs, paths, s.side, s.batch_fusion, s.ct)

    def _answers(
        self, net: nn.Module, thick: Volume, grid: Grid, run: Run
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sagittal and the coronal answer on the slices of ``grid``."""
        ends = grids.ends_for(thick.grid, grid)
        window = window_of(thick, self.recipe.settings.ct)
        unit_ZYX = np.pad(window.to_unit(thick.voxels), ((ends, ends), (0, 0), (0, 0)), "edge")
        rows_mm, columns_mm = thick.grid.pixel_mm
        views = ((planes.SAGITTAL, rows_mm), (planes.CORONAL, columns_mm))
        made = [self._view(net, unit_ZYX, thick, grid, across, mm, run) for across, mm in views]
        return made[0], made[1]

    def _view(
        self,
        net: nn.Module,
        unit_ZYX: np.ndarray,
        thick: Volume,
        grid: Grid,
        across: int,
        pixel_mm: float,
        run: Run,
    ) -> np.ndarray:
        s = self.recipe.settings
        increment_mm = thick.grid.increment_mm
        moved = replace(grid, start_mm=grid.start_mm + z_shift_mm(thick.grid, grid))
        offsets_mm = grids.offsets_mm(thick.grid, moved)
        spaced = AtDistances(net, distances_mm(offsets_mm, increment_mm, pixel_mm))
        tiles = planes.PlaneTiles(
            (s.tile, s.tile),
            halo=int(net.reach),  # type: ignore[arg-type]
            batch=s.planes_at_a_time,
            scale=(len(offsets_mm), 1),
            neighbours=NEIGHBOURS,
        )
        out_ZYX = planes.view(spaced, [unit_ZYX], tiles, across, run=run)
        if self.recipe.levels is not None:
            _round_to_levels(out_ZYX, self.recipe.levels)
        ends = (len(unit_ZYX) - thick.grid.n) // 2
        native = thick.grid.with_slices(
            n=len(out_ZYX),
            increment_mm=increment_mm / len(offsets_mm),
            thickness_mm=grid.thickness_mm,
            start_mm=thick.grid.start_mm - ends * increment_mm + offsets_mm[0],
        )
        return at_slices_of(Volume(out_ZYX, native, thick.modality), grid).voxels

    def _fused(
        self, net: nn.Module | None, answers: tuple[np.ndarray, np.ndarray], run: Run
    ) -> np.ndarray:
        s = self.recipe.settings
        if net is None:
            return (answers[0] + answers[1]) / 2
        reach = int(net.reach)  # type: ignore[arg-type]
        tiles = planes.PlaneTiles((s.tile, s.tile), halo=reach, batch=s.planes_at_a_time)
        return planes.view(net, answers, tiles, planes.AXIAL, run=run)


def _round_to_levels(unit_ZYX: np.ndarray, levels: int) -> None:
    """Cut grey values to [0, 1] and round them to whole levels, in place."""
    unit_ZYX.clip(0, 1, out=unit_ZYX)
    unit_ZYX *= np.float32(levels)
    np.rint(unit_ZYX, out=unit_ZYX)
    unit_ZYX /= np.float32(levels)
