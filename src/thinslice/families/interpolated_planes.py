"""A 2-D network that corrects the planes of a scan interpolated to the grid that is asked for.

The thick scan is interpolated (cubic B-spline) to the target's voxels, in-plane too where they are
finer. The network sees axial slices of that, where pixels are to be finer, or every coronal and
every sagittal plane, where slices are (the two views are then averaged). Where ``About.second`` is
true it sees the same planes of the patient's second contrast (``Volume.second``) beside them.
Nothing depends on a whole ratio. What the network changes is added to the interpolated scan, so
that HU beyond the window survive.

What methods differ in is an ``InterpolatedPlanesRecipe``; fit, save and load are those of ``base``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from torch import nn

from thinslice.errors import in_case, refused
from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.inference import planes
from thinslice.interfaces import Pair, Run, Scan
from thinslice.operators.interpolation import resample
from thinslice.training.distributed import Loss
from thinslice.training.plan import Plan
from thinslice.training.samplers.interpolated_planes import InterpolatedPlanes
from thinslice.volume import Grid, Volume, window_of

Seen = Literal["axial", "coronal_sagittal"]
ACROSS: Mapping[Seen, Sequence[int]] = {
    "axial": (planes.AXIAL,),
    "coronal_sagittal": (planes.CORONAL, planes.SAGITTAL),
}


@dataclass(frozen=True)
class InterpolatedPlanesSettings:
    """How such a network is trained and run: settings that every such method has."""

    planes: Seen = "axial"  # that the network sees
    patch: tuple[int, int] = (48, 48)  # pixels of a training patch
    batch: int = 16  # patches per step
    loss: losses.Name = "mse"  # or "l1"
    flips: bool = True  # of every second patch
    steps: int = 100_000
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    validate_every: int = 500  # steps
    val_batches: int = 16  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    tile: int = 512  # pixels of a tile when restoring, at most
    planes_at_a_time: int = 8

    def __post_init__(self) -> None:
        if self.loss not in ("l1", "mse"):
            raise ValueError(f"loss {self.loss!r} is none of l1, mse")
        if self.planes not in get_args(Seen):
            raise ValueError(f"planes {self.planes!r} is none of {', '.join(get_args(Seen))}")

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


INTERPOLATED_PLANES_TINY: dict[str, Any] = {  # what makes any such method train in a moment
    **{"patch": [8, 8], "batch": 2, "steps": 2, "warmup": 0},
    **{"validate_every": 1, "val_batches": 1},
}


@dataclass(frozen=True)
class InterpolatedPlanesRecipe(Recipe):
    """What one such method is made of; ``network`` turns x_BCPQ into y_B1PQ of the same size.

    The network's ``reach`` is how many pixels it sees to each side.
    """

    settings: InterpolatedPlanesSettings
    network: Callable[[], nn.Module]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the network
    loss: Loss | None = None  # None: that of the settings


class InterpolatedPlanesMethod(FittedMethod[InterpolatedPlanesRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: InterpolatedPlanesRecipe):
        s = recipe.settings
        identity = {**recipe.identity, "planes": s.planes, "ct": list(s.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> nn.Module:
        return self.recipe.network()

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        r, s = self.recipe, self.recipe.settings
        for pair in (*data.train, *data.val):
            with in_case(pair.case):
                self._second(pair.thick)  # refuses scans without, before any work
        return learn(
            net,
            [self._draw(data.train, s.flips), self._draw(data.val, False) if data.val else None],
            r.loss or losses.named(s.loss),
            s.plan(),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=repr([r.method, s, data.key]),
        )

    def _draw(self, pairs: Sequence[Pair], flips: bool) -> InterpolatedPlanes:
        s = self.recipe.settings
        return InterpolatedPlanes(
            pairs,
            s.patch,
            s.batch,
            s.ct,
            ACROSS[s.planes],
            flips=flips,
            second=self.about.second,
        )

    def _second(self, scan: Scan) -> Scan | None:
        """The second contrast, if the network sees one; Refused for a scan that has none."""
        if not self.about.second:
            return None
        if scan.second is None:
            raise refused(
                self.recipe.method,
                "a scan without a second contrast of the patient",
                "one, as data set namic has with `second`",
                "use that, or a method that sees one contrast",
            )
        return scan.second

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Axes of ``grid`` must be those of ``thick``; its pixels may be finer."""
        s, second = self.recipe.settings, self._second(thick)
        start = resample(thick, grid, "cubic")
        window = window_of(thick, s.ct)
        unit_ZYX = window.to_unit(start.voxels)
        units = [unit_ZYX]
        if isinstance(second, Volume):
            other_ZYX = resample(second, grid, "cubic").voxels
            units.append(window_of(second, s.ct).to_unit(other_ZYX))
        views = ACROSS[s.planes]
        out_ZYX = np.full(grid.zyx, 0, np.float32)
        for across in views:
            out_ZYX += self._view(units, across, run)
        out_ZYX /= len(views)
        out_ZYX -= unit_ZYX
        out_ZYX *= window.high - window.low
        out_ZYX += start.voxels
        return thick.with_voxels(out_ZYX, grid)

    def _view(self, units: Sequence[np.ndarray], across: int, run: Run) -> np.ndarray:
        s, net = self.recipe.settings, self._fitted()
        tiles = planes.PlaneTiles(
            (s.tile, s.tile),
            halo=int(net.reach),  # type: ignore[arg-type]
            batch=s.planes_at_a_time,
            beyond=planes.mirrored,
        )
        return planes.view(net, units, tiles, across, run=run)
