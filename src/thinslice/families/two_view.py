"""A method of two stages: planes of two views, helped by axial references, then their fusion.

The thick scan is interpolated linearly to the slices asked for, so nothing depends on a whole
factor. Stage one corrects coronal and sagittal planes with the scan's own axial slices in sight;
stage two corrects the mean of the two answers, axial plane by axial plane. Each stage is a training
of its own in a subfolder of ``work``; between them the first stage's answers to all scans are made,
four bytes per thin voxel, and lie there until the second stage is done.

What methods differ in is a ``Recipe``; this module is the rest: fit, save, load, restore.
"""

import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from thinslice.inference import reference_views
from thinslice.interfaces import Pair, Run
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.references import Fusion
from thinslice.nets.unet import UNet
from thinslice.operators.interpolation import resample_z, resample_z_array
from thinslice.runtime.device import choose
from thinslice.training import loop, seeds, validation, weights
from thinslice.training.batches import Batch, Sample
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan
from thinslice.training.samplers import crops
from thinslice.training.samplers.referenced_planes import ReferencedPlanes, References
from thinslice.training.samplers.two_view_patches import ViewPatches, kept, weights_key
from thinslice.volume import Grid, Volume, window_of


@dataclass(frozen=True)
class TwoViewSettings:
    """Hyperparameters; the defaults are the source's where it gives them."""

    channels: int = 64  # features of the finest level; each level down has twice as many
    levels: int = 4  # of resolution
    references: int = 3  # axial slices that are looked at, R; 0 leaves out the attention
    fusion: Fusion = "relevance"  # of the references; "average": every one counts the same
    fuse: bool = True  # the second stage; without it the answer is the mean of the two views
    reference_side: int | None = None  # middle pixels of a reference, restoring; None: all
    side: int = 256  # pixels of a training patch
    batch: int = 1  # patches per step; of one scan, with the same references, in the first stage
    steps: int = 2_000_000  # of the first stage: 20,000 epochs of 100 cases
    steps_fusion: int = 2_000_000  # of the second stage
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 1000  # steps
    val_batches: int = 50  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0
    tile: int = 1024  # pixels of a tile when restoring, at most: a whole plane as a rule
    planes_at_a_time: int = 4

    def __post_init__(self) -> None:
        for steps in (self.steps, self.steps_fusion):
            self.plan(steps)  # what the second stage cannot be is said before the first

    def plan(self, steps: int) -> Plan:
        """A stage as the loop takes it."""
        given = {**asdict(self), "steps": steps}
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def network(self) -> dict[str, Any]:
        """What shapes the first stage's network."""
        names = ("channels", "levels", "references", "fusion")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Recipe:
    """What one two-view method is made of."""

    method: str  # its module; written into weights files
    settings: TwoViewSettings
    references: References  # drawn for a training step
    places: Callable[[int, int], Sequence[int]]  # of slices: how many there are, how many to take
    ct: tuple[float, float] = (-1024.0, 3071.0)  # the HU that become 0 and 1
    at_rest: bool = True  # both networks start with ``rest``, else as PyTorch has them
    clamp: bool = False  # cut restored values to the window; else what lies outside is kept


class TwoViews(nn.Module):
    """Both networks; without ``fusion`` the two views are averaged."""

    def __init__(self, transfer: ACVTT, fusion: UNet | None):
        super().__init__()
        self.transfer, self.fusion = transfer, fusion


class TwoViewMethod:
    """A trainable method; see the module docstring."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.net = self._build(recipe.settings.fuse)

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn both stages by the mean absolute error; the curve's CSV.

        ValueError without training pairs.
        """
        if not train:
            raise ValueError("no training pairs: the train split is empty")
        run, s = run or Run(), self.recipe.settings
        net = self._build(s.fuse)
        train, val = crops.held(train), crops.held(val)
        draws = [self._planes(pairs) if pairs else None for pairs in (train, val)]
        key = json.dumps([self.recipe.method, s.network(), s.side, s.batch, s.val_batches])
        key += crops.data_key(train, val)
        learn = partial(self._learn, run=run)
        learn_views = partial(learn, whole=(1,) if s.references else ())
        curves = {
            "transfer": learn_views(net.transfer, draws, s.steps, key, work=work / "transfer")
        }
        if net.fusion is not None:
            first = json.dumps([weights_key(net.transfer), s.reference_side])
            folder = work / "answers"
            answers = [
                self._kept(pairs, net.transfer, first, folder, run) for pairs in (train, val)
            ]
            draws = [
                ViewPatches(pairs, paths, s.side, s.batch, self.recipe.ct) if pairs else None
                for pairs, paths in zip((train, val), answers)
            ]
            curves["fusion"] = learn(
                net.fusion, draws, s.steps_fusion, key + first, work=work / "fusion"
            )
            if run.rank == 0:
                shutil.rmtree(folder)
        self.net = net
        return join_stages(curves, work / "curve.csv")

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights of both stages and ``about`` into one file."""
        identity = self._identity(self.net)
        weights.save(path, self.net, method=self.recipe.method, network=identity, about=about)

    def load(self, path: Path) -> None:
        """Weights of ``save``; ValueError for those of another method or of other settings."""
        net = self._build(self.recipe.settings.fuse)
        weights.load(path, net, method=self.recipe.method, network=self._identity(net))
        self.net = net

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The restored scan on exactly ``grid``, whose pixels must be those of ``thick``."""
        run, r = run or Run(), self.recipe
        start = resample_z(thick, grid, "linear")
        window = window_of(thick, r.ct)
        unit_ZYX = window.to_unit(start.voxels)
        restored_ZYX = self._fused(self._views(self.net.transfer, thick, unit_ZYX, run), run)
        if r.clamp:
            return start.with_voxels(window.from_unit(restored_ZYX.clip(0, 1)), grid)
        # What lies outside the window is kept: only the correction is taken from inside it.
        restored_ZYX -= unit_ZYX
        restored_ZYX *= window.high - window.low
        start.voxels[:] += restored_ZYX
        return start.with_voxels(start.voxels, grid)

    def parameters(self) -> int:
        """Weights of both networks."""
        return sum(p.numel() for p in self.net.parameters())

    def _build(self, fuse: bool) -> TwoViews:
        s = self.recipe.settings
        with seeds.seeded(s.seed):
            transfer = ACVTT(**s.network())
            fusion = UNet(s.channels, s.levels, inputs=2) if fuse else None
            for net in (transfer, fusion):
                if net is not None and self.recipe.at_rest:
                    net.rest()
        return TwoViews(transfer, fusion)

    def _identity(self, net: TwoViews) -> dict[str, Any]:
        fuse = net.fusion is not None
        return {**self.recipe.settings.network(), "fuse": fuse, "ct": list(self.recipe.ct)}

    def _planes(self, pairs: Sequence[Pair]) -> ReferencedPlanes:
        r, s = self.recipe, self.recipe.settings
        return ReferencedPlanes(pairs, s.side, s.batch, s.references, r.references, r.ct)

    def _learn(
        self,
        net: nn.Module,
        draws: Sequence[Sample | None],
        steps: int,
        key: str,
        *,
        work: Path,
        run: Run,
        whole: Collection[int] = (),
    ) -> Path:
        s = self.recipe.settings
        draw, draw_val = draws
        validate = None
        if draw_val is not None:
            looks = validation.fixed(draw_val, s.val_batches, s.seed)
            validate = partial(validation.rmse, net, looks, choose(run))
        assert draw is not None
        trained = loop.train(
            net,
            draw,
            _loss,
            s.plan(steps),
            validate=validate,
            work=work,
            run=run,
            key=key,
            whole=whole,
        )
        return trained.curve

    def _kept(
        self, pairs: Sequence[Pair], net: ACVTT, key: str, folder: Path, run: Run
    ) -> list[Path]:
        """The first stage's answers to ``pairs`` on their thin slices."""
        quiet = replace(run, progress=False)

        def answer(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
            thick = Volume(pair.thick.read(), pair.thick.grid, pair.thick.modality)
            at_mm = pair.thin.grid.centres_mm() - crops.shift_mm(pair)
            start_ZYX = resample_z_array(thick.voxels, thick.grid.centres_mm(), at_mm, "linear")
            unit_ZYX = window_of(thick, self.recipe.ct).to_unit(start_ZYX)
            return self._views(net, thick, unit_ZYX, quiet)

        return kept(pairs, answer, key, folder, run)

    def _views(
        self, net: ACVTT, thick: Volume, unit_ZYX: np.ndarray, run: Run
    ) -> tuple[np.ndarray, np.ndarray]:
        r, s = self.recipe, self.recipe.settings
        taken = reference_views.references_of(
            thick.voxels, r.places, s.references, s.reference_side
        )
        window = window_of(thick, r.ct)
        references = [window.to_unit(slice_YX) for slice_YX in taken]
        return reference_views.restore_views(
            net, unit_ZYX, references, tile=s.tile, batch=s.planes_at_a_time, run=run
        )

    def _fused(self, answers: tuple[np.ndarray, np.ndarray], run: Run) -> np.ndarray:
        s = self.recipe.settings
        if self.net.fusion is None:
            mean_ZYX, sagittal_ZYX = answers
            mean_ZYX += sagittal_ZYX
            mean_ZYX /= 2
            return mean_ZYX
        return reference_views.fuse(
            self.net.fusion, answers, tile=s.tile, batch=s.planes_at_a_time, run=run
        )


def _loss(net: nn.Module, batch: Batch) -> Tensor:
    *inputs, y = batch
    return l1_loss(net(*inputs), y)
