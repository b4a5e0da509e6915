"""A method whose network turns a few thick slices into the native slices on and between them.

Native slices lie at every ``factor``-th part of the thick increment, a thick slice being one of
them. The factor is that of the training pairs (thick increment over thin increment, rounded), the
network is built for it, and a scan that asks for another is refused. Where native slices are where
slices are asked for they are the answer; elsewhere it is their cubic spline along z.

What methods differ in is a ``Recipe``; this module is the rest: fit, save, load, restore.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from torch import nn
from torch.nn.functional import l1_loss

from thinslice.errors import Refused
from thinslice.inference import cubes, tiling
from thinslice.interfaces import Pair, Run
from thinslice.operators import grids
from thinslice.operators.interpolation import resample_z
from thinslice.runtime.device import choose
from thinslice.training import loop, seeds, validation, weights
from thinslice.training.plan import Plan
from thinslice.training.samplers import crops
from thinslice.training.samplers.cubes import Cubes, CubeShape
from thinslice.volume import SAME_PLACE_MM, Grid, Volume, window_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Sizes = TypeVar("Sizes", bound="DataclassInstance")  # of a network
ZStarts = Callable[[int, int], Sequence[int]]  # of the thick slices, and the ends to reach


@dataclass(frozen=True)
class CubeSettings:
    """How a cube network is trained and run: settings that every such method has."""

    factor: int | None = None  # native slices per thick increment; None: as the training pairs
    side: int = 256  # pixels of a training crop, along y and x
    batch: int = 1  # crops per step
    flips: bool = True  # left to right, every second crop
    steps: int = 200_000
    lr: float = 1e-4
    optimiser: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: int = 0  # steps
    decay: float = 0.1
    patience: int = 10  # validations, for schedule "plateau"
    clip_norm: float | None = None
    validate_every: int = 500  # steps
    val_batches: int = 16  # fixed batches of validation crops
    precision: str = "fp32"
    seed: int = 0
    tile: int = 256  # pixels of a tile, when restoring
    halo: int = 16  # pixels of a tile's inner edge that are thrown away
    blend: int = 16  # pixels beside them over which tiles are crossfaded
    tiles_at_a_time: int = 4

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def shaping(self, sizes: type[Sizes]) -> Sizes:
        """The settings that shape the network; its factor comes with the training pairs."""
        given = {name: value for name, value in asdict(self).items() if name != "factor"}
        return sizes(**{f.name: given[f.name] for f in fields(sizes) if f.name in given})


@dataclass(frozen=True)
class Recipe:
    """What one cube method is made of."""

    method: str  # its module; written into weights files
    network: Callable[[int], nn.Module]  # builds the network for a factor
    sizes: Mapping[str, Any]  # what shapes the network, for weights files
    settings: CubeSettings
    depth: int  # thick slices the network sees
    trim: int = 0  # native slices it leaves out at each end
    align: int = 8  # the network's window: tiles start and end at multiples of it
    ct: tuple[float, float] = (-1024.0, 2048.0)  # the HU that become 0 and 1
    clamp: bool = False  # cut restored values to the window
    step: int | None = None  # thick slices between windows when restoring; None: depth - 1
    z_starts: ZStarts | None = None  # windows placed otherwise
    share_z: tiling.Share = tiling.average


def factor_of(thick: Grid, thin: Grid) -> int:
    """Thick increment over thin increment, to the nearest whole number."""
    return max(1, floor(thick.increment_mm / thin.increment_mm + 0.5))


def at_slices_of(native: Volume, grid: Grid) -> Volume:
    """The native slices that lie where ``grid`` has its own, else their cubic spline."""
    first = (grid.start_mm - native.grid.start_mm) / native.grid.increment_mm
    k = floor(first + 0.5)
    part = native.grid.with_slices(
        n=grid.n,
        increment_mm=native.grid.increment_mm,
        thickness_mm=native.grid.thickness_mm,
        start_mm=native.grid.start_mm + k * native.grid.increment_mm,
    )
    if 0 <= k <= native.grid.n - grid.n and part.same_place(grid, SAME_PLACE_MM):
        return native.with_voxels(native.voxels[k : k + grid.n], grid)
    return native.with_voxels(resample_z(native, grid, "cubic").voxels, grid)


class CubeMethod:
    """A trainable method; see the module docstring."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.factor = recipe.settings.factor
        self.net: nn.Module | None = None

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn by the mean absolute error of cubes; the curve's CSV.

        ValueError without training pairs, or if pairs differ in their factor, or in it from the
        one in the settings.
        """
        if not train:
            raise ValueError("no training pairs: the train split is empty")
        run, s = run or Run(), self.recipe.settings
        self.factor = self._common_factor([*train, *val])
        net = self._build(self.factor)
        draw = self._cubes(train)
        validate = None
        if val:
            fixed = validation.fixed(self._cubes(val), s.val_batches, s.seed)
            validate = partial(validation.rmse, net, fixed, choose(run))
        key = json.dumps([self._identity(), s.side, s.batch, s.val_batches, s.flips])
        trained = loop.train(
            net,
            draw,
            lambda net, batch: l1_loss(net(batch[0]), batch[1]),
            s.plan(),
            validate=validate,
            work=work,
            run=run,
            key=key + crops.data_key(train, val),
        )
        self.net = net
        return trained.curve

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights and ``about`` into one file; RuntimeError before a fit."""
        weights.save(
            path, self._fitted(), method=self.recipe.method, network=self._identity(), about=about
        )

    def load(self, path: Path) -> None:
        """Weights of ``save``; ValueError for those of another method or of other settings."""
        found = weights.network(path, method=self.recipe.method).get("factor")
        if self.recipe.settings.factor is None and isinstance(found, int):
            self.factor = found
        net = self._build(self.factor or 1)
        weights.load(path, net, method=self.recipe.method, network=self._identity())
        self.net = net

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The restored scan on exactly ``grid``, whose pixels must be those of ``thick``.

        RuntimeError before a fit; ValueError if ``grid`` asks for another factor.
        """
        net, r, factor = self._fitted(), self.recipe, self.factor or 1
        asked = factor_of(thick.grid, grid)
        if asked != factor:
            raise Refused(
                f"slices every {grid.increment_mm:g} mm of a scan with one every "
                f"{thick.grid.increment_mm:g} mm are a factor of {asked}, but {r.method} was "
                f"fitted for {factor}: fit it on pairs like this scan"
            )
        ends = grids.ends_for(thick.grid, grid)
        z_starts = r.z_starts
        window = window_of(thick, r.ct)
        unit_ZYX = cubes.restore(
            net,
            window.to_unit(thick.voxels),
            self._tiles(factor),
            run=run or Run(),
            ends=ends,
            z_starts=z_starts and (lambda n: z_starts(n, ends)),
            share_z=r.share_z,
        )
        if r.clamp:
            unit_ZYX = unit_ZYX.clip(0, 1)
        native = grids.native_grid(thick.grid, factor, ends)
        voxels = np.asarray(window.from_unit(unit_ZYX), np.float32)
        return at_slices_of(thick.with_voxels(voxels, native), grid)

    def parameters(self) -> int:
        """Numbers learned; before a fit those of a network for a factor of 5."""
        net = self.net or self._build(self.factor or 5)
        return sum(p.numel() for p in net.parameters())

    def _build(self, factor: int) -> nn.Module:
        with seeds.seeded(self.recipe.settings.seed):
            return self.recipe.network(factor)

    def _fitted(self) -> nn.Module:
        if self.net is None:
            raise RuntimeError(f"{self.recipe.method} has no weights yet: fit or load it first")
        return self.net

    def _identity(self) -> dict[str, Any]:
        return {**self.recipe.sizes, "factor": self.factor}

    def _common_factor(self, pairs: Sequence[Pair]) -> int:
        found = {pair.case: factor_of(pair.thick.grid, pair.thin.grid) for pair in pairs}
        wanted = self.recipe.settings.factor or next(iter(found.values()))
        odd = {case: factor for case, factor in found.items() if factor != wanted}
        if odd:
            case, factor = next(iter(odd.items()))
            raise ValueError(
                f"{case} has a factor of {factor}, {self.recipe.method} is for {wanted} "
                f"({len(odd)} of {len(found)} pairs differ): fit one method per factor"
            )
        return wanted

    def _cubes(self, pairs: Sequence[Pair]) -> Cubes:
        r, s = self.recipe, self.recipe.settings
        shape = CubeShape(r.depth, self.factor or 1, (s.side, s.side), r.trim)
        return Cubes(crops.held(pairs), shape, s.batch, ct=r.ct, flips=s.flips)

    def _tiles(self, factor: int) -> cubes.CubeTiles:
        r, s = self.recipe, self.recipe.settings
        tile = (s.tile, s.tile)
        return cubes.CubeTiles(
            r.depth, factor, r.trim, r.step, tile, s.halo, s.blend, r.align, s.tiles_at_a_time
        )
