"""A method whose network answers at any slice position: no factor is built in.

It sees a few thick slices and positions between them, and gives the slices there, so any increment
and any phase is restored without interpolation after the network. The increment it is told lies
between the finest of its training pairs and the thick one; a scan that asks for a finer or coarser
one is told the nearest of these. What a thick scan holds beyond the window is kept, interpolated
linearly.

What methods differ in is a ``PositionRecipe``; fit, save and load are those of ``base``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.families.outside_window import residue_on
from thinslice.inference import positions
from thinslice.interfaces import Pair, Run
from thinslice.operators.interpolation import z_shift_mm
from thinslice.training.batches import Sample
from thinslice.training.plan import Plan
from thinslice.training.samplers.positions import BlockShape, Positions, step_of
from thinslice.volume import Grid, Volume, window_of

USUAL_STEP = 0.2  # of the network whose numbers are counted before a fit


@dataclass(frozen=True)
class PositionSettings:
    """How a network of positions is trained and run: settings that every such method has."""

    depth: int = 8  # thick slices the network sees
    slices: int = 14  # positions that a training crop is asked for
    side: int = 48  # pixels of a training crop
    batch: int = 16  # crops per step
    anywhere: float = 0.5  # share of crops asked for any position, not for thin slices
    loss: losses.Name = "l1"  # or "mse", which tables in RMSE ask for
    flips: bool = True  # left to right, every second crop
    steps: int = 200_000
    lr: float = 1e-4
    schedule: str = "step"
    warmup: int = 0  # steps
    decay: float = 0.5
    decay_every: int = 40_000  # steps
    validate_every: int = 500  # steps
    val_batches: int = 16  # fixed batches of validation crops
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    step: int = 4  # thick slices from block to block, restoring
    tile: int = 128  # pixels of a tile, when restoring
    halo: int = 16  # pixels of a tile's inner edge that are thrown away
    blend: int = 16  # pixels beside them over which tiles are crossfaded

    def __post_init__(self) -> None:
        losses.named(self.loss)

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


POSITION_TINY: dict[str, Any] = {  # what makes any method of positions train in a moment
    **{"depth": 4, "slices": 6, "side": 12, "batch": 2, "steps": 2},
    **{"validate_every": 1, "val_batches": 1, "step": 2, "tile": 16, "halo": 3, "blend": 2},
}


@dataclass(frozen=True)
class PositionRecipe(Recipe):
    """What one method of positions is made of."""

    settings: PositionSettings
    network: Callable[[], nn.Module]  # x, at_BN, step_B to y
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the network
    sampler: Callable[..., Sample] = Positions  # of training crops
    moved: Callable[[nn.Module], nn.Module] = lambda net: net  # the network, as blocks are given it


class PositionMethod(FittedMethod[PositionRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: PositionRecipe):
        s = recipe.settings
        identity = {**recipe.identity, "ct": list(s.ct), "depth": s.depth}
        super().__init__(recipe, identity, {"step": USUAL_STEP}, needs_fit=True)
        self._tiles()  # refuses sizes that do not go together before any training

    def _build(self, shape: Shape) -> nn.Module:
        return self.recipe.network()

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        return {"step": min(step_of(pair) for pair in pairs)}

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        step = network.get("step")
        return {"step": step} if isinstance(step, float) else self.usual  # ``load`` refuses it

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        s = self.recipe.settings
        draws = [self._draw(pairs) if pairs else None for pairs in data[:2]]
        return learn(
            net,
            draws,
            losses.named(s.loss),
            s.plan(),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=repr([self.recipe.method, s, data.key]),
        )

    def _draw(self, pairs: Sequence[Pair]) -> Sample:
        s = self.recipe.settings
        block = BlockShape(s.depth, s.slices, (s.side, s.side))
        how = {"ct": s.ct, "flips": s.flips, "anywhere": s.anywhere}
        return self.recipe.sampler(pairs, block, s.batch, **how)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``."""
        r = self.recipe
        net, shape = r.moved(self._fitted()), self.shape or self.usual
        window = window_of(thick, r.settings.ct)
        at_mm = grid.centres_mm() + z_shift_mm(thick.grid, grid)
        unit_NYX = positions.restore(
            net,
            window.to_unit(thick.voxels),
            (at_mm - thick.grid.start_mm) / thick.grid.increment_mm,
            float(np.clip(grid.increment_mm / thick.grid.increment_mm, shape["step"], 1.0)),
            self._tiles(),
            run=run,
        )
        voxels = window.from_unit(unit_NYX) + residue_on(grid, thick, window)
        return thick.with_voxels(voxels, grid)

    def _tiles(self) -> positions.BlockTiles:
        s = self.recipe.settings
        return positions.BlockTiles(s.depth, s.step, (s.tile, s.tile), s.halo, s.blend)
