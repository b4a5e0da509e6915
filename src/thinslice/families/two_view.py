"""A method of two stages: planes of two views, helped by axial references, then their fusion.

The thick scan is interpolated linearly to the slices asked for, so nothing depends on a whole
factor. Stage one corrects coronal and sagittal planes with the scan's own axial slices in sight;
stage two corrects the mean of the two answers, axial plane by axial plane. Each stage is a training
of its own in a subfolder of ``work``; between them the first stage's answers to all scans are made,
four bytes per thin voxel, and lie there until the second stage is done. Before stage one its U-Net
may learn alone, without references: a step then costs half as much.

What methods differ in is a ``TwoViewRecipe``; fit, save and load are those of ``base``.
"""

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.losses import absolute_error
from thinslice.families.rounding import RoundedRestoring
from thinslice.inference import reference_views
from thinslice.inference.relevance import Relevance, shares_of
from thinslice.interfaces import Pair, Run
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.grey import AS_STORED, STRETCHED, Grey
from thinslice.nets.references import Fusion
from thinslice.nets.unet import UNet
from thinslice.operators.interpolation import resample_z, resample_z_array
from thinslice.training.batches import Sample
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan, Precision
from thinslice.training.samplers import crops
from thinslice.training.samplers.referenced_planes import ReferencedPlanes, References
from thinslice.training.samplers.two_view_patches import ViewPatches, first_stage_files, weights_key
from thinslice.volume import Grid, Volume, window_of

PLANES_OF_VIEWS = {"coronal": 1, "sagittal": 2}  # array axis across the plane


@dataclass(frozen=True)
class TwoViewSettings:
    """Hyperparameters; the defaults are the source's where it states them."""

    channels: int = 64  # features of the finest level; each level down has twice as many
    levels: int = 4  # of resolution
    references: int = 3  # axial slices that are looked at, R; 0 leaves out the attention
    fusion: Fusion = "relevance"  # of the references; "average": every one counts the same
    fuse: bool = True  # the second stage; without it the answer is the mean of the two views
    reference_side: int | None = None  # middle pixels of a reference, restoring; None: all
    side: int = 256  # pixels of a training patch
    batch: int = 1  # patches per step; of one scan, with the same references, in the first stage
    epochs: int = 20_000  # of each stage; an epoch draws as many patches as there are scans
    steps: int | None = None  # of the first stage, instead of epochs
    steps_without_references: int = 0  # before these, of its U-Net alone
    steps_fusion: int | None = None  # of the second stage, likewise
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 1000  # steps
    val_batches: int = 50  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the networks see as 0 and 1
    tile: int = 1024  # pixels of a tile when restoring, at most: a whole plane as a rule
    planes_at_a_time: int = 4
    restore_precision: Precision = "fp32"  # tf32 on a GPU; bf16 where there are units for it

    def __post_init__(self) -> None:
        if self.steps_without_references < 0:
            raise ValueError(f"no {self.steps_without_references} steps_without_references")
        for steps in (self.steps, self.steps_fusion, self.steps_without_references or 1):
            self.plan(steps, scans=1)  # refuses a later stage before the first is trained

    def plan(self, steps: int | None, scans: int) -> Plan:
        """A stage as the loop takes it, on that many scans."""
        if steps is None:
            steps = math.ceil(self.epochs * scans / self.batch)
        given = {**asdict(self), "steps": steps}
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def network(self) -> dict[str, Any]:
        """What shapes the first stage's network."""
        names = ("channels", "levels", "references", "fusion")
        return {name: getattr(self, name) for name in names}


TWO_VIEW_TINY: dict[str, Any] = {  # what makes any two-view method train in a moment
    **{"channels": 2, "levels": 2, "side": 16, "warmup": 0},
    **{"steps": 2, "steps_fusion": 2, "validate_every": 1, "val_batches": 1},
}


@dataclass(frozen=True)
class TwoViewRecipe(Recipe):
    """What one two-view method is made of."""

    settings: TwoViewSettings
    references: References  # drawn for a training step
    places: Callable[[int, int], Sequence[int]]  # of slices: how many there are, how many to take
    at_rest: bool = True  # both networks start with ``rest``, else as PyTorch has them
    grey: Grey = STRETCHED  # how both see grey values
    clamp: bool = False  # cut restored values to the window; else what lies outside is kept


class TwoViews(nn.Module):
    """Both networks; without ``fusion`` the two views are averaged."""

    def __init__(self, transfer: ACVTT, fusion: UNet | None):
        super().__init__()
        self.transfer, self.fusion = transfer, fusion


class TwoViewMethod(RoundedRestoring, FittedMethod[TwoViewRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: TwoViewRecipe):
        identity = {**recipe.settings.network(), "ct": list(recipe.settings.ct)}
        if recipe.grey != AS_STORED:
            identity["grey"] = list(recipe.grey)
        super().__init__(recipe, identity, {"fuse": recipe.settings.fuse}, needs_fit=False)

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn both stages by the mean absolute error."""
        assert isinstance(net, TwoViews)
        s, scans = self.recipe.settings, len(data.train)
        key = json.dumps([self.recipe.method, self.identity, s.side, s.batch, s.val_batches])
        key += data.key
        train = partial(learn, loss=absolute_error, val_batches=s.val_batches, run=run)
        curves = {}
        if s.references and s.steps_without_references:
            curves["alone"] = train(
                net.transfer.unet,
                self._draws(data, 0),
                plan=s.plan(s.steps_without_references, scans),
                work=work / "alone",
                key=key,
            )
            key += weights_key(net.transfer)
        curves["transfer"] = train(
            net.transfer,
            self._draws(data, s.references),
            plan=s.plan(s.steps, scans),
            work=work / "transfer",
            key=key,
            whole=(1,) if s.references else (),
        )
        if net.fusion is not None:
            first = json.dumps([weights_key(net.transfer), s.reference_side])
            folder = work / "answers"
            curves["fusion"] = train(
                net.fusion,
                self._fusion_draws(net.transfer, data, first, folder, run),
                plan=s.plan(s.steps_fusion, scans),
                work=work / "fusion",
                key=key + first,
            )
            if run.rank == 0:
                shutil.rmtree(folder)
        return join_stages(curves, work / "curve.csv")

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        r, nets = self.recipe, self._nets()
        start = resample_z(thick, grid, "linear")
        window = window_of(thick, r.settings.ct)
        unit_ZYX = window.to_unit(start.voxels)
        numbers = self._rounding(run, window.high - window.low)
        nets.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster
        answers = self._views(self._rounded(nets.transfer, numbers), thick, unit_ZYX, run)
        restored_ZYX = self._fused(answers, numbers, run)
        if r.clamp:
            return start.with_voxels(window.from_unit(restored_ZYX.clip(0, 1)), grid)
        # What lies outside the window is kept: only the correction is taken from inside it.
        restored_ZYX -= unit_ZYX
        restored_ZYX *= window.high - window.low
        start.voxels[:] += restored_ZYX
        return start.with_voxels(start.voxels, grid)

    def _build(self, shape: Shape) -> TwoViews:
        s = self.recipe.settings
        grey = self.recipe.grey
        transfer = ACVTT(**s.network(), grey=grey)
        fusion = UNet(s.channels, s.levels, inputs=2, grey=grey) if shape["fuse"] else None
        for net in (transfer, fusion):
            if net is not None and self.recipe.at_rest:
                net.rest()
        return TwoViews(transfer, fusion)

    def _nets(self) -> TwoViews:
        net = self._fitted()
        assert isinstance(net, TwoViews)
        return net

    def _draws(self, data: TrainingData, references: int) -> list[Sample | None]:
        """Draws of the first stage, with so many references."""
        r, s = self.recipe, self.recipe.settings
        return [
            ReferencedPlanes(pairs, s.side, s.batch, references, r.references, s.ct)
            if pairs
            else None
            for pairs in data[:2]
        ]

    def _fusion_draws(
        self, net: ACVTT, data: TrainingData, key: str, folder: Path, run: Run
    ) -> list[Sample | None]:
        """Draws of the second stage, from the first one's answers, which are made in ``folder``."""
        s = self.recipe.settings
        answers = [self._kept(pairs, net, key, folder, run) for pairs in data[:2]]
        return [
            ViewPatches(pairs, paths, s.side, s.batch, s.ct) if pairs else None
            for pairs, paths in zip(data[:2], answers)
        ]

    def _kept(
        self, pairs: Sequence[Pair], net: ACVTT, key: str, folder: Path, run: Run
    ) -> list[Path]:
        """The first stage's answers to ``pairs`` on their thin slices."""
        quiet = replace(run, progress=False)

        def answer(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
            thick = crops.whole(pair.thick)
            at_mm = pair.thin.grid.centres_mm() - crops.shift_mm(pair)
            start_ZYX = resample_z_array(thick.voxels, thick.grid.centres_mm(), at_mm, "linear")
            unit_ZYX = window_of(thick, self.recipe.settings.ct).to_unit(start_ZYX)
            return self._views(net, thick, unit_ZYX, quiet)

        return first_stage_files(pairs, answer, key, folder, run)

    def _views(
        self, net: Any, thick: Volume, unit_ZYX: np.ndarray, run: Run
    ) -> tuple[np.ndarray, np.ndarray]:
        s = self.recipe.settings
        window = window_of(thick, s.ct)
        references = [window.to_unit(slice_YX) for slice_YX in self._references(thick)]
        return reference_views.restore_views(
            net, unit_ZYX, references, tile=s.tile, batch=s.planes_at_a_time, run=run
        )

    def _references(self, thick: Volume) -> list[np.ndarray]:
        """The slices of a thick scan that it is restored with, in its unit."""
        r, s = self.recipe, self.recipe.settings
        return reference_views.references_of(thick.voxels, r.places, s.references, s.reference_side)

    def relevance(
        self, thick: Volume, grid: Grid, *, plane: str, at: float, run: Run | None = None
    ) -> Relevance:
        """Share of each reference in one plane of the restored scan.

        plane, at   coronal or sagittal, and where it lies, as a fraction of the scan
        """
        start = resample_z(thick, grid, "linear")
        axis = PLANES_OF_VIEWS[plane]
        plane_PQ = start.voxels.take(round(at * (grid.zyx[axis] - 1)), axis)
        window, references = window_of(thick, self.recipe.settings.ct), self._references(thick)
        units = [window.to_unit(slice_YX) for slice_YX in references]
        net = self._nets().transfer
        shares = shares_of(net, window.to_unit(plane_PQ), units, run or Run())
        return Relevance(plane_PQ, references, shares)

    def _fused(
        self, answers: tuple[np.ndarray, np.ndarray], numbers: Precision, run: Run
    ) -> np.ndarray:
        s = self.recipe.settings
        nets = self._nets()
        if nets.fusion is None:
            mean_ZYX, sagittal_ZYX = answers
            mean_ZYX += sagittal_ZYX
            mean_ZYX /= 2
            return mean_ZYX
        fusion: Any = self._rounded(nets.fusion, numbers)
        return reference_views.fuse(fusion, answers, tile=s.tile, batch=s.planes_at_a_time, run=run)
