"""A method of two networks: one makes pixels finer, the other slices.

The in-plane network sees axial planes and makes r x r pixels of each; the through-plane network
then sees coronal and sagittal planes of what came out and makes r slices of each, and the two views
are averaged. Either is left out where the pairs (or the grid asked for) have nothing for it to do.
Both factors come with the training pairs; a scan that asks for others is refused.

The in-plane network is taught on thin axial slices made coarse (``shrunk_patches``). So is the
through-plane network where thick pixels are coarser than thin ones; where they are the same it is
taught on the pairs' own thick slices (``native_patches``), which may be a scanner's. What methods
differ in is a ``TwoStageRecipe`` (``two_stage_settings``).

Networks see grey levels, 0 to 255 over the window, and give no others; what a thick scan holds
beyond its window is kept, interpolated linearly.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from thinslice.errors import Refused
from thinslice.families.base import FittedMethod, Shape, TrainingData, learn
from thinslice.families.losses import absolute_error
from thinslice.families.outside_window import residue_on
from thinslice.families.two_stage_settings import Stage, TwoStageRecipe
from thinslice.inference import planes
from thinslice.inference.self_ensemble import EIGHT, FOUR, SelfEnsemble, Symmetry
from thinslice.interfaces import Pair, Run
from thinslice.nets import georgescu
from thinslice.nets.georgescu import LEVELS, TwoBlocks
from thinslice.operators.finer_grids import finer_pixels, finer_slices, pixel_factor
from thinslice.operators.grids import factor_of
from thinslice.operators.interpolation import place_on
from thinslice.training import seeds
from thinslice.training.batches import Batch
from thinslice.training.curve import join_stages
from thinslice.training.samplers.native_patches import NativePatches
from thinslice.training.samplers.shrunk_patches import (
    Blur,
    Finish,
    PatchShape,
    ShrunkPatches,
    as_they_are,
)
from thinslice.volume import Grid, Volume, window_of

VIEWS = {"in_plane": (planes.AXIAL,), "through_plane": (planes.CORONAL, planes.SAGITTAL)}


USUAL: Shape = {"factors": {"through_plane": 5}}  # whose numbers are counted before a fit


class TwoStage(FittedMethod[TwoStageRecipe]):
    """A fitted method; see the module docstring."""

    def __init__(self, recipe: TwoStageRecipe):
        s = recipe.settings
        super().__init__(recipe, {**asdict(s.sizes()), "ct": list(s.ct)}, USUAL, needs_fit=True)

    @property
    def factors(self) -> dict[Stage, int]:
        """Factors of the networks there are, by stage; none before a fit."""
        return {} if self.shape is None else self.shape["factors"]

    given_parts = ("in_plane", "through_plane")

    def use_given(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Weights by stage and the authors' names, as ``use``; their shapes tell the factors."""
        for stage, state_dict in states.items():
            assert stage in ("in_plane", "through_plane")
            self.use(
                stage, georgescu.factor_of(state_dict, in_plane=stage == "in_plane"), state_dict
            )

    def use(self, stage: Stage, factor: int, state_dict: Mapping[str, Tensor]) -> None:
        """One network's weights by the authors' names; refuses any left over on either side."""
        net = self._network_of(stage, factor)
        net.load_state_dict(georgescu.from_authors(state_dict, net.scale))
        nets = self.net if isinstance(self.net, nn.ModuleDict) else nn.ModuleDict()
        nets[stage] = net
        self.net, self.shape = nets, {"factors": {**self.factors, stage: factor}}

    def _fit(self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run) -> Path:
        """Learn what the pairs have to teach, one network after the other."""
        identity = {**self.identity, **shape}
        key = json.dumps([self.recipe.method, identity, asdict(self.recipe.settings)]) + data.key
        curves = {
            stage: self._fit_stage(stage, _of(net, stage), factor, data, work / stage, run, key)
            for stage, factor in shape["factors"].items()
        }
        return join_stages(curves, work / "curve.csv")

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """RuntimeError before a fit; ValueError if ``grid`` asks for other factors."""
        window = window_of(thick, self.recipe.settings.ct)
        levels = (LEVELS * window.to_unit(thick.voxels)).astype(np.float32)
        native = thick.with_voxels(levels)
        times, slices = self._work_for(thick.grid, grid)
        for _ in range(times):
            native = self._finer_pixels(native, run)
        if slices > 1:
            native = self._finer_slices(native, run)
        restored = place_on(native, grid)
        voxels = window.from_unit(restored.voxels / np.float32(LEVELS))
        return restored.with_voxels(voxels + residue_on(grid, thick, window))

    def _build(self, shape: Shape) -> nn.ModuleDict:
        return nn.ModuleDict({s: self._network_of(s, f) for s, f in shape["factors"].items()})

    def _network_of(self, stage: Stage, factor: int) -> TwoBlocks:
        make = {"in_plane": georgescu.in_plane, "through_plane": georgescu.through_plane}[stage]
        with seeds.seeded(self.recipe.settings.seed):
            return make(factor, self.recipe.settings.sizes())

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        """Factors above 1; ValueError if pairs differ, or thick and thin voxels are the same."""
        pixels, slices = _factors_of(pairs)
        factors = {"in_plane": self.recipe.single_factor(pixels), "through_plane": slices}
        return {"factors": {stage: factor for stage, factor in factors.items() if factor > 1}}

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        return {"factors": {stage: int(f) for stage, f in network.get("factors", {}).items()}}

    def _finer_pixels(self, native: Volume, run: Run) -> Volume:
        factor = self.factors["in_plane"]
        net = self._answering("in_plane", EIGHT)
        tiles = self._tiles((factor, factor))
        out = planes.view(net, [native.voxels], tiles, planes.AXIAL, run=run)
        return native.with_voxels(out, finer_pixels(native.grid, factor))

    def _finer_slices(self, native: Volume, run: Run) -> Volume:
        factor = self.factors["through_plane"]
        net = self._answering("through_plane", FOUR)
        out = planes.both(net, [native.voxels], self._tiles((factor, 1)), run=run)
        return native.with_voxels(out, finer_slices(native.grid, factor))

    def _answering(self, stage: Stage, symmetries: Sequence[Symmetry]) -> nn.Module:
        net, merge = _of(self._fitted(), stage), self.recipe.settings.ensemble
        return self.recipe.answer(SelfEnsemble(net, symmetries, merge, LEVELS))

    def _tiles(self, scale: tuple[int, int]) -> planes.PlaneTiles:
        s = self.recipe.settings
        return planes.PlaneTiles(
            (s.tile, s.tile), halo=georgescu.REACH, blend=0, batch=s.planes_at_a_time, scale=scale
        )

    def _work_for(self, thick: Grid, grid: Grid) -> tuple[int, int]:
        """How often the in-plane network is used, and the factor of slices; refuses others."""
        self._fitted()
        pixels, slices = pixel_factor(thick, grid), factor_of(thick, grid)
        have_pixels = self.factors.get("in_plane", 1)
        have_slices = self.factors.get("through_plane", 1)
        times = 0
        while have_pixels > 1 and have_pixels**times < pixels:
            times += 1
        if have_pixels**times != pixels or slices not in (1, have_slices) or pixels * slices == 1:
            raise Refused(
                f"pixels of {grid.pixel_mm} mm and slices every {grid.increment_mm:g} mm of a scan "
                f"with {thick.pixel_mm} and {thick.increment_mm:g} mm are factors of {pixels} and "
                f"{slices}, but {self.recipe.method} was fitted for {have_pixels} and "
                f"{have_slices}: fit it on pairs like this scan"
            )
        return times, slices

    def _fit_stage(
        self,
        stage: Stage,
        net: nn.Module,
        factor: int,
        data: TrainingData,
        work: Path,
        run: Run,
        key: str,
    ) -> Path:
        """Train one network; validation is on patches that are neither blurred nor turned."""
        s, finish = self.recipe.settings, (self.recipe.finish or {}).get(stage)
        blur = replace(self.recipe.blur, kind=s.blur, sigma=s.blur_sigma)  # type: ignore[arg-type]
        plain = replace(blur, kind="none")
        draw = self._patches(stage, factor, data.train, blur, finish or as_they_are)
        draw_val = self._patches(stage, factor, data.val, plain, as_they_are) if data.val else None
        return learn(
            net,
            (draw, draw_val),
            _both_planes if s.intermediate_loss else absolute_error,
            s.plan(stage, len(draw)),
            val_batches=s.val_batches,
            work=work,
            run=run,
            key=stage + key,
        )

    def _patches(
        self, stage: Stage, factor: int, pairs: Sequence[Pair], blur: Blur, finish: Finish
    ) -> ShrunkPatches | NativePatches:
        s = self.recipe.settings
        scale = (factor, factor if stage == "in_plane" else 1)
        shape = PatchShape(s.patch, scale, VIEWS[stage])
        least = (self.recipe.least or {}).get(stage, 0.0)
        same_pixels = pixel_factor(pairs[0].thick.grid, pairs[0].thin.grid) == 1
        if same_pixels and stage == "through_plane":
            return NativePatches(pairs, shape, s.batch, s.ct, blur, least, finish)
        return ShrunkPatches(pairs, shape, s.batch, s.ct, blur, least, finish)


def _of(nets: nn.Module, stage: Stage) -> nn.Module:
    """The network of one stage."""
    assert isinstance(nets, nn.ModuleDict)
    return nets[stage]


def _factors_of(pairs: Sequence[Pair]) -> tuple[int, int]:
    """In-plane and through-plane; ValueError where pairs differ or there is nothing to learn."""
    grids = [(pair.case, pair.thick.grid, pair.thin.grid) for pair in pairs]
    factors = {case: (pixel_factor(a, b), factor_of(a, b)) for case, a, b in grids}
    wanted = next(iter(factors.values()))
    odd = {case: pair for case, pair in factors.items() if pair != wanted}
    if odd:
        case, pair = next(iter(odd.items()))
        raise ValueError(
            f"{case} has factors of {pair} (in-plane, through-plane), others {wanted} "
            f"({len(odd)} of {len(factors)} pairs differ): fit one method per factor"
        )
    if wanted == (1, 1):
        raise ValueError("thick and thin scans have the same voxels: nothing can be learned")
    return wanted


def _both_planes(net: nn.Module, batch: Batch) -> Tensor:
    """The mean absolute error of the final plane and of the intermediate one."""
    assert isinstance(net, TwoBlocks)
    x_B1PQ, y_B1PQ = batch
    final_B1PQ, intermediate_B1PQ = net.planes(x_B1PQ)
    return l1_loss(final_B1PQ, y_B1PQ) + l1_loss(intermediate_B1PQ, y_B1PQ)
