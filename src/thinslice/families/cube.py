"""A method whose network turns a few thick slices into the native slices on and between them.

Native slices lie at every ``factor``-th part of the thick increment, a thick slice being one of
them. The factor is that of the training pairs (thick increment over thin increment, rounded), the
network is built for it, and a scan that asks for another is refused. Where native slices are where
slices are asked for they are the answer; elsewhere it is their cubic spline along z. What a thick
scan holds beyond the window is kept, interpolated linearly.

What methods differ in is a ``CubeRecipe``; fit, save and load are those of ``base``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from torch import nn

from thinslice.errors import Refused
from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.outside_window import residue_on
from thinslice.families.rounding import LIMIT, ByEngine, Differences, RoundedRestoring
from thinslice.inference import cubes, tiling
from thinslice.interfaces import RESTORED_BY, Pair, Run
from thinslice.operators import grids
from thinslice.operators.grids import factor_of
from thinslice.operators.interpolation import resample_z
from thinslice.runtime.device import choose
from thinslice.training.batches import Sample
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan, Precision
from thinslice.training.samplers.cubes import Cubes, CubeShape
from thinslice.volume import SAME_PLACE_MM, Grid, Volume, window_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Sizes = TypeVar("Sizes", bound="DataclassInstance")  # of a network
USUAL_FACTOR = 5  # of the network whose numbers are counted before a fit
SAME = 1e-4  # of the window: by how much another engine's answer may differ from torch's
ZStarts = Callable[[int, int], Sequence[int]]  # of the thick slices, and the ends to reach


@dataclass(frozen=True)
class CubeSettings:
    """How a cube network is trained and run: settings that every such method has."""

    factor: int | None = None  # native slices per thick increment; None: as the training pairs
    side: int = 256  # pixels of a training crop, along y and x
    batch: int = 1  # crops per step
    loss: losses.Name = "l1"  # or "mse", which tables in RMSE ask for
    flips: bool = True  # left to right, every second crop or as many as the authors flip
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
    ct: tuple[float, float] = (-1024.0, 2048.0)  # HU that the network sees as 0 and 1
    step: int | None = None  # thick slices from window to window, restoring; None: all but one
    tile: int = 256  # pixels of a tile, when restoring
    halo: int = 16  # pixels of a tile's inner edge that are thrown away
    blend: int = 16  # pixels beside them over which tiles are crossfaded
    tiles_at_a_time: int = 4
    engine: Literal["torch", "openvino"] = "torch"  # that restores; the second on a CPU
    restore_precision: Precision = "fp32"  # or bf16, by openvino where the CPU has units for it

    def __post_init__(self) -> None:
        losses.named(self.loss)
        numbers, engine = self.restore_precision, self.engine
        if (numbers, engine) not in (("fp32", "torch"), ("fp32", "openvino"), ("bf16", "openvino")):
            raise ValueError(
                f"restore_precision {numbers}: found engine {engine}, expected fp32 with torch or "
                "openvino, or bf16 with openvino"
            )

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})

    def sizes(self, sizes: type[Sizes]) -> Sizes:
        """The settings that shape the network; its factor comes with the training pairs."""
        given = {name: value for name, value in asdict(self).items() if name != "factor"}
        return sizes(**{f.name: given[f.name] for f in fields(sizes) if f.name in given})


CUBE_TINY: dict[str, Any] = {  # what makes any cube method train in a moment
    **{"steps": 2, "warmup": 0, "validate_every": 1, "val_batches": 1},
    **{"side": 16, "tile": 32, "halo": 4, "blend": 4},
}


SIDE_BY_SIDE = {"tile": (256,), "halo": (0,), "blend": (0,)}  # as TVSRN's authors do: seams


@dataclass(frozen=True)
class CubeRecipe(Recipe):
    """What one cube method is made of."""

    settings: CubeSettings
    network: Callable[[Any], nn.Module]  # of ``sizes``, which then hold the pairs' factor
    sizes: "DataclassInstance | None"  # None: one network, of one size and factor
    depth: int  # thick slices the network sees
    trim: int = 0  # native slices it leaves out at each end
    align: int = 8  # the network's window: tiles start and end at multiples of it
    clamp: bool = False  # cut restored values to the window; else what lies outside is kept
    z_starts: ZStarts | None = None  # windows placed otherwise
    share_z: tiling.Share = tiling.average
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that weights depend on too
    sampler: Callable[..., Sample] = Cubes  # of training crops
    moved: Callable[[nn.Module], nn.Module] = lambda net: net  # the network, as cubes are given it
    loss: Loss | None = None  # None: that of the settings, over all voxels of a cube's answer


def at_slices_of(native: Volume, grid: Grid) -> Volume:
    """The native slices at the centres of ``grid``, else their cubic spline."""
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


class CubeMethod(RoundedRestoring, FittedMethod[CubeRecipe]):
    """A fitted method; see the module docstring.

    shared   by number, the tensors of a batch that all its samples share
    """

    shared: tuple[int, ...] = ()

    def __init__(self, recipe: CubeRecipe):
        sizes = {} if recipe.sizes is None else asdict(recipe.sizes)
        factor = recipe.settings.factor or USUAL_FACTOR
        usual = self._shape_of([factor])
        identity = {**sizes, **_other_window(recipe.settings), **recipe.identity}
        super().__init__(recipe, identity, usual, needs_fit=True)
        self._tiles(factor)  # refuses sizes that do not go together before any training

    @property
    def factors(self) -> list[int]:
        """Native slices per thick increment that it was fitted for."""
        return [(self.shape or self.usual)["factor"]]

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn by the recipe's loss, or the settings'."""
        s = self.recipe.settings
        draws = [self._draw(pairs, shape) if pairs else None for pairs in data[:2]]
        return learn(
            net,
            draws,
            self.recipe.loss or losses.named(s.loss),
            s.plan(),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=self._key(shape) + data.key,
            whole=self.shared,
        )

    def _key(self, shape: Shape) -> str:
        """What a training depends on besides its plan and its scans."""
        s = self.recipe.settings
        own = {k: v for k, v in asdict(s).items() if self.recipe.loss and k not in RESTORED_BY}
        numbers = [s.side, s.batch, s.val_batches, s.flips, s.loss]
        return json.dumps([{**self.identity, **shape}, *numbers, *([own] if own else [])])

    def _draw(self, pairs: Sequence[Pair], shape: Shape) -> Sample:
        """Draws of training batches."""
        return self._cubes(pairs, shape["factor"])

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``; ValueError for another factor."""
        self._fitted()
        r, factor = self.recipe, factor_of(thick.grid, grid)
        if factor not in self.factors:
            raise Refused(
                f"slices every {grid.increment_mm:g} mm of a scan with one every "
                f"{thick.grid.increment_mm:g} mm are a factor of {factor}, but {r.method} was "
                f"fitted for {', '.join(map(str, self.factors))}: fit it on pairs like this scan"
            )
        ends = grids.ends_for(thick.grid, grid)
        z_starts = r.z_starts
        window = window_of(thick, r.settings.ct)
        net = self._by_engine(r.moved(self._for(factor)), window.high - window.low, run)
        unit_ZYX = cubes.restore(
            net,
            window.to_unit(thick.voxels),
            self._tiles(factor),
            run=run,
            ends=ends,
            z_starts=z_starts and (lambda n: z_starts(n, ends)),
            share_z=r.share_z,
        )
        if r.clamp:
            unit_ZYX = unit_ZYX.clip(0, 1)
        native = grids.native_grid(thick.grid, factor, ends)
        voxels = np.asarray(window.from_unit(unit_ZYX), np.float32)
        restored = at_slices_of(thick.with_voxels(voxels, native), grid)
        if r.clamp:
            return restored
        return restored.with_voxels(restored.voxels + residue_on(grid, thick, window))

    def _by_engine(self, net: nn.Module, window: float, run: Run) -> nn.Module:
        """The network as the engine of the settings runs it; Refused where it cannot."""
        if self.recipe.settings.engine == "torch":
            return net
        self.refuse_engine(run)
        from thinslice.inference.openvino_blocks import by_openvino

        numbers = self.precision_on(choose(run))
        limit = SAME if numbers == "fp32" else LIMIT
        self.differences = Differences(window, f"openvino in {numbers}", limit)
        engine = by_openvino(net, run.threads or 1, bf16=numbers == "bf16")
        return ByEngine(engine, net, self.differences)

    def refuse_engine(self, run: Run) -> None:
        """Refuse an engine that is not installed, or not for the device or the network."""
        if self.recipe.settings.engine == "torch":
            return
        if choose(run).type != "cpu":
            raise Refused("engine openvino is for a CPU: set device cpu, or engine torch")
        from thinslice.inference.openvino_blocks import installed, refuse_without_blocks

        installed()
        refuse_without_blocks(self._network())

    def takes_engine(self) -> bool:
        """Whether another engine than torch can run the network."""
        from thinslice.inference.openvino_blocks import has_blocks

        return has_blocks(self._network())

    def _for(self, factor: int) -> nn.Module:
        """The fitted network for one of its factors."""
        return self._fitted()

    def _shape_of(self, factors: Sequence[int]) -> Shape:
        """The shape of a network for these factors: of this family, for the first."""
        return {"factor": factors[0]}

    def _build(self, shape: Shape) -> nn.Module:
        sizes = self.recipe.sizes
        return self.recipe.network(sizes and replace(sizes, factor=shape["factor"]))

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        factors = {pair.case: factor_of(pair.thick.grid, pair.thin.grid) for pair in pairs}
        wanted = self.recipe.settings.factor or next(iter(factors.values()))
        odd = {case: factor for case, factor in factors.items() if factor != wanted}
        if odd:
            case, factor = next(iter(odd.items()))
            raise ValueError(
                f"{case} has a factor of {factor}, {self.recipe.method} is for {wanted} "
                f"({len(odd)} of {len(factors)} pairs differ): fit one method per factor"
            )
        return {"factor": wanted}

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        factor = network.get("factor")
        known = factor if isinstance(factor, int) else 1  # ``weights.load`` refuses another
        return {"factor": self.recipe.settings.factor or known}

    def _cubes(self, pairs: Sequence[Pair], factor: int) -> Sample:
        r, s = self.recipe, self.recipe.settings
        cube = CubeShape(r.depth, factor, (s.side, s.side), r.trim)
        return r.sampler(pairs, cube, s.batch, ct=s.ct, flips=s.flips)

    def _tiles(self, factor: int) -> cubes.CubeTiles:
        r, s = self.recipe, self.recipe.settings
        tile = (s.tile, s.tile)
        return cubes.CubeTiles(
            r.depth, factor, r.trim, s.step, tile, s.halo, s.blend, r.align, s.tiles_at_a_time
        )


def _other_window(settings: CubeSettings) -> dict[str, Any]:
    """The window as part of what weights depend on; nothing where it is the method's default.

    Weights files that name no window are of the default.
    """
    return {} if settings.ct == type(settings).ct else {"ct": list(settings.ct)}
