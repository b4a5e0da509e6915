"""A network that corrects coronal and sagittal planes, helped by the scan's own axial slices.

The thick scan is interpolated linearly to the slices asked for, so nothing depends on a whole
factor. The network sees every coronal and every sagittal plane beside a few axial slices, as they
are and made as coarse along rows as planes are along z, and the two views are averaged. What a
reference offers is worked out once for a scan. ``two_view`` is this with attention and a second
stage, for one network; here any ``ReferencedNet`` will do.

What methods differ in is a ``ReferencedRecipe``; fit, save and load are those of ``base``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from thinslice.families import losses
from thinslice.families.base import FittedMethod, Recipe, Shape, TrainingData, learn
from thinslice.inference import reference_views
from thinslice.interfaces import Pair, Run
from thinslice.nets.referenced import ReferencedNet
from thinslice.operators.interpolation import resample_z
from thinslice.operators.reference_slices import beside_thick_rows
from thinslice.training.plan import Plan
from thinslice.training.samplers.referenced_planes import ReferencedPlanes, References, inside
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.volume import Grid, Volume, window_of


@dataclass(frozen=True)
class ReferencedSettings:
    """How a network with references is trained and run: settings that every such method has."""

    references: int = 3  # axial slices that are looked at, R
    reference_side: int | None = 256  # middle pixels of a reference, restoring; None: all
    side: int = 160  # pixels of a training patch, of planes and of references
    batch: int = 9  # patches per step, of one scan, with the same references
    steps: int = 255_000
    lr: float = 1e-4
    schedule: str = "constant"
    warmup: int = 0  # steps
    loss: losses.Name = "l1"
    validate_every: int = 1000  # steps
    val_batches: int = 50  # fixed batches of validation patches
    precision: str = "fp32"
    seed: int = 0
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    tile: int = 1024  # pixels of a tile when restoring, at most: a whole plane as a rule
    planes_at_a_time: int = 4

    def __post_init__(self) -> None:
        if self.references < 1:
            raise ValueError(f"references start at 1, found {self.references}")
        losses.named(self.loss)
        self.plan()

    def plan(self) -> Plan:
        """The training as the loop takes it."""
        given = asdict(self)
        return Plan(**{f.name: given[f.name] for f in fields(Plan) if f.name in given})


REFERENCED_TINY: dict[str, Any] = {  # what makes any such method train in a moment
    **{"side": 16, "batch": 2, "steps": 2, "warmup": 0, "references": 2},
    **{"validate_every": 1, "val_batches": 1},
}


@dataclass(frozen=True)
class ReferencedRecipe(Recipe):
    """What one method with references is made of.

    ``prepare`` changes an untrained network before its first step, e.g. by weights of a file.
    """

    settings: ReferencedSettings
    network: Callable[[], ReferencedNet]
    identity: Mapping[str, Any] = field(default_factory=dict)  # settings that shape the network
    references: References = inside  # drawn for a training step
    places: Callable[[int, int], Sequence[int]] = reference_views.spread  # of slices, restoring
    prepare: Callable[[ReferencedNet], None] | None = None


class ReferencedMethod(FittedMethod[ReferencedRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: ReferencedRecipe):
        identity = {**recipe.identity, "ct": list(recipe.settings.ct)}
        super().__init__(recipe, identity, {}, needs_fit=False)

    def _build(self, shape: Shape) -> ReferencedNet:
        return self.recipe.network()

    def _fit(self, net: Any, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        r, s = self.recipe, self.recipe.settings
        if r.prepare:
            r.prepare(net)
        given = json.dumps([r.method, self.identity, asdict(s), weights_key(net)])
        return learn(
            net,
            [self._draw(pairs) if pairs else None for pairs in data[:2]],
            losses.named(s.loss),
            s.plan(),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=given + data.key,
            whole=(1,),  # every process sees all references
        )

    def _draw(self, pairs: Sequence[Pair]) -> ReferencedPlanes:
        r, s = self.recipe, self.recipe.settings
        return ReferencedPlanes(
            pairs, s.side, s.batch, s.references, r.references, s.ct, beside_thick_rows
        )

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Pixels of ``grid`` must be those of ``thick``; the mean of the two views."""
        s = self.recipe.settings
        start = resample_z(thick, grid, "linear")
        window = window_of(thick, s.ct)
        unit_ZYX = window.to_unit(start.voxels)
        net = self._fitted()
        assert isinstance(net, ReferencedNet)
        out_ZYX, sagittal_ZYX = reference_views.restore_views(
            net,
            unit_ZYX,
            [
                beside_thick_rows(window.to_unit(slice_YX), thick.grid, grid)
                for slice_YX in self._slices(thick.voxels)
            ],
            tile=s.tile,
            batch=s.planes_at_a_time,
            run=run,
        )
        out_ZYX += sagittal_ZYX
        out_ZYX /= 2
        # What lies outside the window is kept: only the correction is taken from inside it.
        out_ZYX -= unit_ZYX
        out_ZYX *= window.high - window.low
        out_ZYX += start.voxels
        return thick.with_voxels(out_ZYX, grid)

    def _slices(self, slices_ZYX: np.ndarray) -> list[np.ndarray]:
        r, s = self.recipe, self.recipe.settings
        return reference_views.references_of(slices_ZYX, r.places, s.references, s.reference_side)
