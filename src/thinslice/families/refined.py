"""A coarse answer refined by a diffusion over axial slices: two trainings, one after the other.

The coarse network corrects interpolated coronal and sagittal planes (``families.plane``). A score
model then learns what axial slices lack of the thin ones, from the coarse answers to the training
scans, which lie in ``work`` meanwhile; it is told where each slice lies between thick ones. A scan
is restored by sampling (``inference.slice_sampling``): from the coarse answer and noise, through
falling noise levels, at each of which all slices take a step towards what the thick slices measured
and are joined by total variation along z. The answer is the mean of several samples.
Any target grid with the scan's own pixels will do.

What methods differ in is a ``RefinedRecipe``; fit, save and load are those of ``base``.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.plane import PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.inference import planes
from thinslice.inference.slice_sampling import sampled
from thinslice.interfaces import Pair, Run
from thinslice.nets.noise_levels import falling, weight
from thinslice.nets.refined_slices import RefinedSlices
from thinslice.operators.interpolation import Kind, resample_z, z_shift_mm
from thinslice.operators.measured_slices import Measured
from thinslice.operators.total_variation import smoothed
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan
from thinslice.training.samplers.noised_slices import NoisedSlices, size_of_lacking
from thinslice.training.samplers.thick_planes import in_frame_of_thick, whole_with_thin_grid
from thinslice.training.samplers.two_view_patches import ViewPatches, first_stage_files, weights_key
from thinslice.training.seeds import rng
from thinslice.volume import Grid, Volume, Window, window_of

START: Kind = "cubic"  # interpolation that both networks see
MEASURED_ON = 16  # batches from which the size of what coarse answers lack is taken


@dataclass(frozen=True)
class RefinedSettings:
    """Hyperparameters of both networks and of sampling; all are ours."""

    patch: tuple[int, int] = (64, 64)  # (z, w) samples of a coarse network's patch
    batch: int = 8  # patches per step of the coarse network
    steps_coarse: int = 100_000  # of its training
    side: int = 128  # pixels of a patch of an axial slice, for the score model
    batch_score: int = 8  # of these per step
    steps: int = 100_000  # of the score model's training
    neighbours: int = 5  # thin slices to either side that it is shown too: as far as thick ones lie
    noise: tuple[float, float] = (0.02, 20.0)  # levels it learns; 1: what coarse answers lack
    lr: float = 2e-4
    schedule: str = "cosine"
    warmup: int = 100  # steps
    validate_every: int = 1000  # steps
    val_batches: int = 16  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0  # of first weights, of every step and of sampling
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the networks see as 0 and 1
    start_noise: float = 5.0  # level that sampling starts from
    stop_noise: float = 0.5  # the last level; below it nothing is made up
    sampling_steps: int = 5  # levels
    samples: int = 4  # whose mean is the answer
    total_variation: float = 1e-3  # weight along z, of the window
    damping: float = 1.0  # of the step towards the thick slices; 0: agrees exactly
    tile: int = 512  # pixels of a tile when restoring, at most
    planes_at_a_time: int = 8

    def __post_init__(self) -> None:
        self.levels()
        if not 0 < self.noise[0] <= self.stop_noise <= self.start_noise <= self.noise[1]:
            raise ValueError(
                f"sampling from {self.start_noise} to {self.stop_noise} leaves the noise levels "
                f"that are learned, {self.noise}"
            )
        if self.samples < 1 or min(self.total_variation, self.damping) < 0:
            raise ValueError("samples start at 1, total_variation and damping at 0")
        self.plan()  # refuses the second training before the first begins

    def plan(self) -> Plan:
        """The score model's training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def coarse(self) -> PlaneSettings:
        """The coarse network's training."""
        return PlaneSettings(
            **{
                f.name: getattr(self, f.name)
                for f in fields(PlaneSettings)
                if hasattr(self, f.name)
            }
            | {"steps": self.steps_coarse, "validation_batches": self.val_batches}  # type: ignore[arg-type]
        )

    def levels(self) -> list[float]:
        """Noise levels of sampling."""
        return falling(self.start_noise, self.stop_noise, self.sampling_steps)


@dataclass(frozen=True)
class RefinedRecipe(Recipe):
    """What one such method is made of."""

    settings: RefinedSettings
    coarse: Callable[[], nn.Module]  # as of ``PlaneRecipe.network``
    score: Callable[[], RefinedSlices]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the networks


class CoarseAndScore(nn.Module):
    """Both networks."""

    def __init__(self, coarse: nn.Module, score: RefinedSlices):
        super().__init__()
        self.coarse, self.score = coarse, score


class RefinedMethod(FittedMethod[RefinedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: RefinedRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def coarse(self, net: nn.Module | None = None) -> PlaneMethod:
        """The first stage as a method of its own, with the weights of ``net``, else this one's."""
        r = self.recipe
        recipe = PlaneRecipe(
            r.method, r.about, r.settings.coarse(), r.coarse, r.identity, start=START
        )
        method = PlaneMethod(recipe)
        net = self._fitted() if net is None else net
        assert isinstance(net, CoarseAndScore)
        method.net = net.coarse
        return method

    def _build(self, shape: Shape) -> CoarseAndScore:
        return CoarseAndScore(self.recipe.coarse(), self.recipe.score())

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn the coarse network, then what it lacks."""
        assert isinstance(net, CoarseAndScore)
        s = self.recipe.settings
        if s.batch_score % run.processes:  # found before the first stage, not after
            raise Refused(
                f"batch_score {s.batch_score} has no equal shares for {run.processes} processes: "
                "set it to a multiple, or gpus to 1"
            )
        coarse = self.coarse(net)
        curves = {"coarse": coarse.fit(data.train, data.val, work=work / "coarse", run=run)}
        assert coarse.net is not None
        net.coarse.load_state_dict(coarse.net.state_dict())
        key = json.dumps([self.recipe.method, self.identity, asdict(s)]) + data.key
        key += weights_key(net.coarse)
        folder = work / "answers"
        patches = [self._patches(coarse, p, key, folder, run) if p else None for p in data[:2]]
        assert patches[0] is not None
        scale = size_of_lacking(patches[0], MEASURED_ON, s.seed)
        net.score.denoiser.scale.fill_(scale)
        curves["score"] = learn(
            net.score,
            [NoisedSlices(p, scale, s.noise) if p else None for p in patches],
            weighted_error,
            s.plan(),
            val_batches=s.val_batches,
            work=work / "score",
            run=run,
            key=key,
        )
        if run.rank == 0:
            shutil.rmtree(folder)
        return join_stages(curves, work / "curve.csv")

    def _patches(
        self, coarse: PlaneMethod, pairs: Sequence[Pair], key: str, folder: Path, run: Run
    ) -> ViewPatches:
        s, quiet = self.recipe.settings, replace(run, progress=False)

        def answer(pair: Pair) -> Sequence[np.ndarray]:
            thick, grid = whole_with_thin_grid(pair)
            window = window_of(thick, s.ct)
            both = coarse.restore(thick, grid, run=quiet), resample_z(thick, grid, START)
            return [window.to_unit(scan.voxels) for scan in both]

        phases = [phases_of(pair.thick.grid, in_frame_of_thick(pair)) for pair in pairs]

        paths = first_stage_files(pairs, answer, key, folder, run)
        return ViewPatches(pairs, paths, s.side, s.batch_score, s.ct, s.neighbours, phases)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        z_shift_mm(thick.grid, grid)  # refuses others before any work
        restored = self.coarse().restore(thick, grid, run=run)
        window = window_of(thick, self.recipe.settings.ct)
        change_ZYX = self._change(window.to_unit(restored.voxels), thick, grid, window, run)
        change_ZYX *= window.high - window.low
        change_ZYX += restored.voxels
        return thick.with_voxels(change_ZYX, grid)

    def _change(
        self, unit_ZYX: np.ndarray, thick: Volume, grid: Grid, window: Window, run: Run
    ) -> np.ndarray:
        """What the samples' mean adds to the coarse answer."""
        s, net = self.recipe.settings, self._fitted()
        assert isinstance(net, CoarseAndScore)
        measured = Measured.of(thick, grid, window)
        start_ZYX = window.to_unit(resample_z(thick, grid, START).voxels)
        phase_Z = phases_of(thick.grid, grid)

        def joined(clean_ZYX: np.ndarray) -> np.ndarray:
            return smoothed(measured.approached(clean_ZYX, s.damping), s.total_variation)

        tiles = planes.PlaneTiles(
            (s.tile, s.tile),
            halo=net.score.reach,
            align=net.score.align,
            batch=s.planes_at_a_time,
            beyond=planes.mirrored,
            neighbours=s.neighbours,
        )
        change_ZYX = np.full(unit_ZYX.shape, 0, np.float32)
        for k in range(s.samples):
            noise = rng(s.seed, k)
            change_ZYX += sampled(
                net.score, unit_ZYX, start_ZYX, phase_Z, s.levels(), joined, tiles, noise, run=run
            )
        change_ZYX /= s.samples
        change_ZYX -= unit_ZYX
        return change_ZYX


def phases_of(thick: Grid, grid: Grid) -> np.ndarray:
    """How far each slice of ``grid`` lies from a thick one to the next, float32 [Z], 0 to 1."""
    at_mm = grid.centres_mm() + z_shift_mm(thick, grid) - thick.start_mm
    return (at_mm / thick.increment_mm % 1.0).astype(np.float32)


def weighted_error(net: nn.Module, batch: Batch) -> Tensor:
    """Squared error of the denoised slices, all noise levels alike, in units of what is lacking."""
    assert isinstance(net, RefinedSlices)
    noisy, coarse, level_B, thin = batch
    wrong = (net(noisy, coarse, level_B) - thin) / net.denoiser.scale
    return torch.mean(weight(level_B)[:, None, None, None] * wrong.square())
