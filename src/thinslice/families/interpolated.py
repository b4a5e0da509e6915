"""A 3-D network that corrects a scan interpolated to the grid that is asked for.

The thick scan is interpolated (cubic B-spline) to the target's voxels, in-plane too where they are
finer, and the network sees cubes of that. Nothing depends on a whole ratio of increments. What the
network changes is added to the interpolated scan, so that HU beyond the window survive.

What methods differ in is an ``InterpolatedRecipe``; fit, save and load are those of ``base``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.inference import cubes
from thinslice.interfaces import Pair, Run
from thinslice.operators.interpolation import resample
from thinslice.training.plan import Plan
from thinslice.training.samplers.interpolated_cubes import InterpolatedCubes
from thinslice.volume import Grid, Volume, window_of


@dataclass(frozen=True)
class InterpolatedSettings:
    """How such a network is trained and run: settings that every such method has."""

    patch: tuple[int, int, int] = (32, 32, 32)  # (z, y, x) voxels of a training cube
    batch: int = 4  # cubes per step
    loss: losses.Name = "mse"  # or "l1"
    flips: bool = True  # left to right, every second cube
    steps: int = 100_000
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 500  # steps
    val_batches: int = 16  # fixed batches of validation cubes
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    depth: int = 64  # slices of a window when restoring, at most
    tile: int = 128  # pixels of a tile when restoring, at most
    halo: int = 0  # voxels of a window's and a tile's inner edges that are thrown away, at least

    def __post_init__(self) -> None:
        losses.named(self.loss)
        if self.depth <= 2 * self.halo:
            raise ValueError(f"depth {self.depth} leaves no slices between halos of {self.halo}")

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


INTERPOLATED_TINY: dict[str, Any] = {  # what makes any such method train in a moment
    **{"patch": [8, 8, 8], "batch": 2, "steps": 2, "warmup": 0},
    **{"validate_every": 1, "val_batches": 1, "depth": 16, "tile": 16, "halo": 2},
}


@dataclass(frozen=True)
class InterpolatedRecipe(Recipe):
    """What one such method is made of; ``network`` turns x_B1ZYX into y_B1ZYX of the same size.

    The network's ``reach`` is how many voxels it sees to each side.
    """

    settings: InterpolatedSettings
    network: Callable[[], nn.Module]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the network


class InterpolatedMethod(FittedMethod[InterpolatedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: InterpolatedRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> nn.Module:
        return self.recipe.network()

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        s = self.recipe.settings
        return learn(
            net,
            [self._cubes(data.train, s.flips), self._cubes(data.val, False) if data.val else None],
            losses.named(s.loss),
            s.plan(),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=repr([self.recipe.method, s, data.key]),
        )

    def _cubes(self, pairs: Sequence[Pair], flips: bool) -> InterpolatedCubes:
        s = self.recipe.settings
        return InterpolatedCubes(pairs, s.patch, s.batch, s.ct, flips=flips)

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Axes of ``grid`` must be those of ``thick``; its pixels may be finer."""
        s, net = self.recipe.settings, self._fitted()
        start = resample(thick, grid, "cubic")
        window = window_of(thick, s.ct)
        unit_ZYX = window.to_unit(start.voxels)
        halo = max(int(net.reach), s.halo)  # type: ignore[arg-type]
        depth = min(max(s.depth, 2 * halo + 1), grid.n + 2 * halo)
        tile = max(s.tile, 2 * halo + 1)
        tiles = cubes.CubeTiles(
            depth, 1, halo, depth - 2 * halo, (tile, tile), halo, blend=0, align=1, batch=1
        )
        out_ZYX = cubes.restore(Middle(net, halo), unit_ZYX, tiles, run=run)
        out_ZYX -= unit_ZYX
        out_ZYX *= window.high - window.low
        out_ZYX += start.voxels
        return thick.with_voxels(out_ZYX, grid)


class Middle(nn.Module):
    """A network's answer without ``trim`` slices at each end."""

    def __init__(self, net: nn.Module, trim: int):
        super().__init__()
        self.net, self.trim = net, trim

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        return self.net(x_B1ZYX)[:, :, self.trim : x_B1ZYX.shape[2] - self.trim]
