"""A prior of thin scans, learned from thin scans alone; a scan is restored by inversion.

Two trainings, one after the other: an autoencoder makes few latents of thin cubes, and a diffusion
learns what those look like. No thick scan is shown to either, so one prior serves any thickness,
increment and phase. A scan is restored block by block (``inference.latent_inversion``): starting
from the interpolated scan, latents are found whose slices make the measured ones; then all slices
take a step towards these. What the latents changed is added to the interpolated scan, so that HU
beyond the window survive.

What methods differ in is an ``InvertedRecipe``; fit, save and load are those of ``base``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.losses import squared_error
from thinslice.inference import memory, tiling
from thinslice.inference.blocks import Blocks, Place, changed
from thinslice.inference.latent_inversion import Inversion, Probe, inverted
from thinslice.inference.tensor_memory import peak_bytes
from thinslice.interfaces import Pair, Run
from thinslice.nets.autoencoder import Autoencoder, divergence, sampled
from thinslice.nets.grey import STRETCHED
from thinslice.nets.latent_prior import DenoisingErrors, LatentPrior
from thinslice.nets.noise_levels import falling
from thinslice.operators.interpolation import resample_z
from thinslice.operators.measured_slices import Measured
from thinslice.runtime.device import choose
from thinslice.training import validation
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.plan import Plan
from thinslice.training.samplers.thin_cubes import NoiseBesideCubes, ThinCubes
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.volume import Grid, Volume, window_of

MEASURED_ON = 16  # batches from which the size of latents is taken


@dataclass(frozen=True)
class InvertedSettings:
    """Hyperparameters of both networks and of the inversion; all but two are ours."""

    patch: tuple[int, int, int] = (64, 64, 64)  # (z, y, x) voxels of a training cube
    batch: int = 2  # cubes per step of the autoencoder
    steps_autoencoder: int = 100_000  # of its training
    divergence: float = 1e-6  # weight of the latents' divergence from a normal distribution
    batch_prior: int = 4  # cubes per step of the prior
    steps: int = 100_000  # of its training
    noise: tuple[float, float] = (0.02, 20.0)  # levels it learns; 1: the size of latents
    flips: bool = True  # left to right, every second cube
    lr: float = 2e-4
    schedule: str = "cosine"
    warmup: int = 100  # steps
    validate_every: int = 1000  # steps
    val_batches: int = 16  # fixed batches of validation cubes
    precision: str = "fp32"
    seed: int = 0  # of first weights, of every step and of the inversion's noise
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the networks see as 0 and 1
    iterations: int = 600  # of the inversion; the authors' is 601
    inversion_lr: float = 0.02  # of Adam on latents; the authors' 0.07 overshoots here
    prior_weight: float = 0.1  # of the prior beside the thick slices
    start_noise: float = 1.0  # noise level of the first iteration
    stop_noise: float = 0.05  # of the last one
    damping: float = 1.0  # of the step towards the thick slices; 0: agrees exactly
    block: tuple[int, int, int] = (64, 64, 64)  # (z, y, x) voxels inverted at a time, at most
    halo: int = 8  # voxels of a block's inner faces that are thrown away
    blend: int = 4  # beside them, over which neighbours are crossfaded

    def __post_init__(self) -> None:
        self.inversion()
        if min(self.prior_weight, self.damping, self.divergence) < 0:
            raise ValueError("prior_weight, damping and divergence start at 0")
        self.plan(self.steps)  # refuses the second training before the first begins

    def plan(self, steps: int) -> Plan:
        """A stage as the loop takes it."""
        given = {**asdict(self), "steps": steps}
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def inversion(self) -> Inversion:
        """How latents are found."""
        levels = falling(self.start_noise, self.stop_noise, self.iterations)
        return Inversion(levels, self.inversion_lr, self.prior_weight, self.seed)


@dataclass(frozen=True)
class InvertedRecipe(Recipe):
    """What one such method is made of."""

    settings: InvertedSettings
    network: Callable[[], LatentPrior]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the networks


class InvertedMethod(FittedMethod[InvertedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: InvertedRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> LatentPrior:
        return self.recipe.network()

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn the autoencoder, then the prior of its latents."""
        assert isinstance(net, LatentPrior)
        s = self.recipe.settings
        self._refuse(net, run)
        key = json.dumps([self.recipe.method, self.identity, asdict(s)]) + data.key
        train = partial(learn, val_batches=s.val_batches, run=run)
        cubes = [self._cubes(p, s.batch, s.flips and k == 0) for k, p in enumerate(data[:2])]
        loss = partial(autoencoder_error, weight=s.divergence)
        curves = {
            "autoencoder": train(
                net.autoencoder,
                cubes,
                loss,
                s.plan(s.steps_autoencoder),
                work=work / "autoencoder",
                key=key,
            )
        }
        assert cubes[0] is not None
        net.denoiser.scale.fill_(self._size_of_latents(net.autoencoder, cubes[0], run))
        latent = (net.autoencoder.latent, net.autoencoder.align)
        draws = [self._cubes(p, s.batch_prior, s.flips and k == 0) for k, p in enumerate(data[:2])]
        curves["prior"] = train(
            DenoisingErrors(net),
            [NoiseBesideCubes(d, latent, s.noise) if d else None for d in draws],
            squared_error,
            s.plan(s.steps),
            work=work / "prior",
            key=key + weights_key(net.autoencoder),
        )
        return join_stages(curves, work / "curve.csv")

    def _refuse(self, net: LatentPrior, run: Run) -> None:
        """What a later stage cannot use, before the first one is trained."""
        s = self.recipe.settings
        if any(side % net.align for side in s.patch):
            raise Refused(
                f"patch {list(s.patch)} is no multiple of {net.align}, the networks' step"
            )
        if s.batch_prior % run.processes:
            raise Refused(
                f"batch_prior {s.batch_prior} has no equal shares for {run.processes} processes: "
                "set it to a multiple, or gpus to 1"
            )

    def _cubes(self, pairs: Sequence[Pair], batch: int, flips: bool) -> ThinCubes | None:
        s = self.recipe.settings
        return ThinCubes(pairs, s.patch, batch, s.ct, flips) if pairs else None

    @torch.no_grad()
    def _size_of_latents(self, net: Autoencoder, cubes: ThinCubes, run: Run) -> float:
        """Root mean square of latents; never 0."""
        s, device = self.recipe.settings, choose(run)
        batches = validation.fixed(cubes, MEASURED_ON, s.seed)
        squares = [float(net.encode(x.to(device))[0].square().mean()) for x, _ in batches]
        return max(float(np.sqrt(np.mean(squares))), 1e-6)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        s = self.recipe.settings
        start = resample_z(thick, grid, "cubic")
        window = window_of(thick, s.ct)
        unit_ZYX = window.to_unit(start.voxels)
        measured = Measured.of(thick, grid, window)
        restored_ZYX = self._inverted(unit_ZYX, measured, run)
        restored_ZYX += unit_ZYX
        change_ZYX = measured.approached(restored_ZYX, s.damping)
        change_ZYX -= unit_ZYX
        change_ZYX *= window.high - window.low
        change_ZYX += start.voxels
        return thick.with_voxels(change_ZYX, grid)

    def _inverted(self, unit_ZYX: np.ndarray, measured: Measured, run: Run) -> np.ndarray:
        """What latents change of the interpolated scan."""
        s, device = self.recipe.settings, choose(run)
        net = self._fitted().to(device).eval()
        assert isinstance(net, LatentPrior)
        sides = self._sides(net, unit_ZYX, measured, run)

        def answer(block_ZYX: np.ndarray, at: Place) -> np.ndarray:
            return inverted(net, block_ZYX, at, measured, s.inversion(), device)

        return changed(unit_ZYX, Blocks(sides, s.halo, s.blend, net.align), answer, run=run)

    def _sides(
        self, net: LatentPrior, unit_ZYX: np.ndarray, measured: Measured, run: Run
    ) -> tuple[int, int, int]:
        """As large as ``block`` and the memory cap allow, and at least one thick slice deep."""
        s, device, align = self.recipe.settings, choose(run), net.align
        edges = 2 * s.halo + s.blend
        whole = [tiling.rounded_up(n, align) for n in unit_ZYX.shape]
        deep = max(s.block[0], measured.depth + edges)
        most = [min(tiling.rounded_up(n, align), w) for n, w in zip((deep, *s.block[1:]), whole)]
        if run.max_memory_gib is None and device.type == "cpu":
            return most[0], most[1], most[2]
        small = tiling.rounded_up(edges, align) + align
        least = (most[0], min(small, most[1]), min(small, most[2]))
        probe = torch.zeros(1, 1, *least, device=device)
        per_voxel = peak_bytes(Probe(net, s.inversion()), probe) / prod(least)
        room = memory.room_bytes(run, device, reserved=unit_ZYX.nbytes)
        sides, _ = memory.fit(per_voxel, tuple(most), 1, room, least, (align,) * 3)
        return sides[0], sides[1], sides[2]


def autoencoder_error(net: nn.Module, batch: Batch, weight: float) -> Tensor:
    """Squared error of decoded cubes, stretched, and ``weight`` of the latents' divergence."""
    assert isinstance(net, Autoencoder)
    x, y = batch
    mean, log_variance = net.encode(x)
    wrong = STRETCHED.gain * (net.decode(sampled(mean, log_variance)) - y)
    return wrong.square().mean() + weight * divergence(mean, log_variance)
