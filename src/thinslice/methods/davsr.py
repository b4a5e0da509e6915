"""DA-VSR: SAINT whose features go on learning from the axial slices of the scan that is restored.

Training has SAINT's two stages. In the first one the features serve two heads: one fills in the
slices of coronal and sagittal planes, the other the rows of axial slices of thick scans that were
made coarse in the same way. A scan's axial slices are fine, so before it is restored the features
learn from them through the second head, for some steps; then the first head fills in its planes.
The fitted network itself never changes, and where what was learned does not help on patches of the
same slices, drawn beforehand, the scan is restored with the fitted features.

Source: Peng et al., MICCAI 2021, of which we know the abstract (``nets.davsr``). Ours: SAINT's
network and training (``methods.saint``; a start from linear interpolation, nothing cut or rounded),
a slice profile that is a box in the axial slices, the weight of the second head, and how long and
on what the features learn of a scan.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor, nn

from thinslice.families import losses
from thinslice.families.base import learn, settings_of
from thinslice.families.on_the_scan import checkpoints_of, digest
from thinslice.families.spaced_views import (
    NEIGHBOURS,
    SpacedMethod,
    SpacedRecipe,
    SpacedSettings,
    SpacedViews,
)
from thinslice.fs.locks import locked
from thinslice.interfaces import About, Pair, Run
from thinslice.nets.davsr import InPlane, TwoHeads
from thinslice.nets.saint import Dense, Fusion, distances_mm
from thinslice.operators.grids import offsets_mm
from thinslice.operators.interpolation import z_shift_mm
from thinslice.runtime.device import choose
from thinslice.training import validation
from thinslice.training.batches import Batch, Sample
from thinslice.training.samplers.coarse_rows import CoarseRows, CoarseScan
from thinslice.training.samplers.two_view_patches import weights_key
from thinslice.volume import Grid, Volume, window_of

ABOUT = About(
    title="DA-VSR",
    fidelity="from-abstract",
    paper="Peng et al., MICCAI 2021",
    idea="SAINT's features go on learning from the axial slices of the scan that is restored.",
)


@dataclass(frozen=True)
class Settings(SpacedSettings):
    """Hyperparameters; a config line may set any of them."""

    blocks: int = 6  # of the first stage
    layers: int = 8  # of a block
    growth: int = 32  # features that a layer adds
    channels: int = 64  # features between blocks, in both stages
    fusion_blocks: int = 4
    fusion_layers: int = 6
    fusion_growth: int = 12
    in_plane_weight: float = 1.0  # of axial slices in the loss of the first stage
    adapt_steps: int = 100  # on each scan, before it is restored; 0: none
    adapt_lr: float = 1e-5
    adapt_batch: int = 8  # patches per step, and
    adapt_pixels: int = 128  # along their rows: what the memory of adapting depends on
    adapt_compared: int = 8  # batches by which what was learned is kept or not


TINY: dict[str, Any] = {  # trained in a moment
    **{"steps": 2, "steps_fusion": 2, "validate_every": 1, "val_batches": 1},
    **{"patch": [4, 16], "batch": 2, "batch_fusion": 4, "side": 16},
    **{"blocks": 1, "layers": 1, "growth": 2, "channels": 4},
    **{"fusion_blocks": 1, "fusion_layers": 1, "fusion_growth": 2},
    **{"adapt_steps": 2, "adapt_batch": 2, "adapt_pixels": 8, "adapt_compared": 1},
}
RESTORING = (  # settings that no training depends on
    "adapt_steps",
    "adapt_lr",
    "adapt_batch",
    "adapt_pixels",
    "adapt_compared",
)


class Davsr(SpacedMethod):
    """A method of spaced views that learns from a scan before it restores it."""

    @property
    def adapts(self) -> bool:
        """Whether restoring a scan includes a training on it."""
        return self._settings.adapt_steps > 0

    @property
    def _settings(self) -> Settings:
        assert isinstance(self.recipe.settings, Settings)
        return self.recipe.settings

    def _training_planes(self, pairs: Sequence[Pair]) -> Sample:
        s = self._settings
        planes = self._planes(pairs)
        scans = [CoarseScan.of(pair, s.ct) for pair in pairs]
        axial = CoarseRows(scans, s.patch, s.batch, NEIGHBOURS, distances_mm)
        return lambda generator: (*planes(generator), *axial(generator))

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Learn from ``thick``, then restore it; pixels of ``grid`` must be those of ``thick``."""
        start_mm = grid.start_mm + z_shift_mm(thick.grid, grid)
        net = self._fitted()
        assert isinstance(net, SpacedViews)
        views = net.views
        if self.adapts:
            views = self._adapted(views, thick, replace(grid, start_mm=start_mm), run)
        return self._restored(views, net.fusion, thick, grid, run)

    def _adapted(self, fitted: nn.Module, thick: Volume, grid: Grid, run: Run) -> nn.Module:
        """A copy of ``fitted`` that learned from the scan, or itself where that does not help."""
        assert isinstance(fitted, TwoHeads)
        s, loss = self._settings, losses.named(self._settings.loss)
        offsets = offsets_mm(thick.grid, grid)
        scan = CoarseScan(thick, window_of(thick, s.ct), offsets, grid.thickness_mm)
        patch = (s.patch[0], s.adapt_pixels)
        draw = CoarseRows([scan], patch, s.adapt_batch, NEIGHBOURS, distances_mm)
        compared = validation.fixed(draw, s.adapt_compared, s.seed)
        adapted = copy.deepcopy(fitted)
        adapted.only_features_learn()
        key = json.dumps([self.recipe.method, asdict(s), weights_key(fitted), digest(thick)])
        key += json.dumps([list(offsets), grid.thickness_mm])
        plan = replace(s.plan(s.adapt_steps), lr=s.adapt_lr, schedule="constant", warmup=0)
        with checkpoints_of(run) as work, locked(work / "learn"):
            net = InPlane(adapted)
            learn(net, (draw, None), loss, plan, val_batches=0, work=work, run=run, key=key)
        device = choose(run)
        before, after = (
            validation.rmse(InPlane(net).to(device).eval(), compared, device)
            for net in (fitted, adapted)
        )
        return adapted if after < before else fitted


def build(**settings: Any) -> Davsr:
    s = settings_of(Settings, settings)
    views = Dense(s.blocks, s.layers, s.growth, s.channels)
    fusion = Dense(s.fusion_blocks, s.fusion_layers, s.fusion_growth, s.channels)
    criterion = losses.named(s.loss)

    def loss(net: nn.Module, batch: Batch) -> Tensor:
        """Of both heads: planes of pairs, and axial slices of their thick scans."""
        assert isinstance(net, TwoHeads)
        planes, axial = batch[:3], batch[3:]
        return criterion(net, planes) + s.in_plane_weight * criterion(InPlane(net), axial)

    return Davsr(
        SpacedRecipe(
            "davsr",
            ABOUT,
            s,
            network=lambda: TwoHeads(views),
            fusion=lambda: Fusion(fusion, start="linear"),
            identity={"views": asdict(views), "fusion": asdict(fusion)},
            levels=None,
            views_loss=loss,
        )
    )
