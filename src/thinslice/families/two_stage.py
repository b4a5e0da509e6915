"""A method of two networks: one makes pixels finer, the other slices.

The in-plane network sees axial planes and makes r x r pixels of each; the through-plane network
then sees coronal and sagittal planes of what came out and makes r slices of each, and the two views
are averaged. Either is left out where the pairs (or the grid asked for) have nothing for it to do.
Both factors come with the training pairs; a scan that asks for others is refused.

The in-plane network is taught on thin axial slices made coarse (``shrunk_patches``). So is the
through-plane network where thick pixels are coarser than thin ones; where they are the same it is
taught on the pairs' own thick slices (``native_patches``), which may be a scanner's. What methods
differ in is a ``Recipe`` (``two_stage_settings``).

Networks see grey levels, 0 to 255 over the window, and give no others; what a thick scan holds
beyond its window is kept, interpolated linearly.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from thinslice.errors import Refused
from thinslice.families.cube import factor_of
from thinslice.families.two_stage_settings import Recipe, Stage
from thinslice.inference import planes
from thinslice.inference.self_ensemble import EIGHT, FOUR, SelfEnsemble, Symmetry
from thinslice.interfaces import Pair, Run
from thinslice.nets import georgescu
from thinslice.nets.georgescu import LEVELS, TwoBlocks
from thinslice.operators.finer_grids import finer_pixels, finer_slices, pixel_factor
from thinslice.operators.interpolation import place_on, resample
from thinslice.runtime.device import choose
from thinslice.training import loop, seeds, validation, weights
from thinslice.training.batches import Batch, Sample
from thinslice.training.curve import join_stages
from thinslice.training.samplers import crops
from thinslice.training.samplers.native_patches import NativePatches
from thinslice.training.samplers.shrunk_patches import (
    Blur,
    Finish,
    PatchShape,
    ShrunkPatches,
    as_they_are,
)
from thinslice.volume import Grid, Volume, Window, window_of

VIEWS = {"in_plane": (planes.AXIAL,), "through_plane": (planes.CORONAL, planes.SAGITTAL)}


class TwoStage:
    """A trainable method; see the module docstring."""

    def __init__(self, recipe: Recipe):
        self.recipe, self.settings = recipe, recipe.settings
        self._factors: dict[Stage, int] = {}  # of the networks there are, by stage
        self._nets = nn.ModuleDict()

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn what the pairs have to teach, one network after the other; the curve's CSV.

        ValueError without training pairs, if pairs differ in their factors, or if thick and thin
        voxels are the same.
        """
        if not train:
            raise ValueError("no training pairs: the train split is empty")
        pixels, slices = self._factors_of([*train, *val])
        factors: dict[Stage, int] = {
            "in_plane": self.recipe.single_factor(pixels),
            "through_plane": slices,
        }
        before = self._factors, self._nets
        self._factors = {stage: factor for stage, factor in factors.items() if factor > 1}
        self._nets = self._build()
        what = [self.recipe.method, self._identity(), asdict(self.settings)]
        key = json.dumps(what) + crops.data_key(train, val)
        curves = {}
        try:
            for stage in self._factors:
                fit = partial(self._fit_one, stage, own=pixels == 1, key=key)
                curves[stage] = fit(train, val, work / stage, run or Run())
        except BaseException:  # what is half learned must not restore
            self._factors, self._nets = before
            raise
        return join_stages(curves, work / "curve.csv")

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The restored scan on exactly ``grid``.

        RuntimeError before a fit; ValueError if ``grid`` asks for other factors.
        """
        window, run = window_of(thick, self.settings.ct), run or Run()
        levels = (LEVELS * window.to_unit(thick.voxels)).astype(np.float32)
        native = thick.with_voxels(levels)
        times, slices = self._work_for(thick.grid, grid)
        for _ in range(times):
            native = self._finer_pixels(native, run)
        if slices > 1:
            native = self._finer_slices(native, run)
        restored = place_on(native, grid)
        voxels = window.from_unit(restored.voxels / np.float32(LEVELS))
        return restored.with_voxels(voxels + _beyond(thick, grid, window))

    def parameters(self) -> int:
        """Numbers learned; before a fit those of a through-plane network for a factor of 5."""
        nets = self._nets if self._factors else georgescu.through_plane(5, self.settings.sizes())
        return sum(p.numel() for p in nets.parameters())

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights of the networks there are, and ``about``, into one file."""
        self._check_fitted()
        weights.save(
            path, self._nets, method=self.recipe.method, network=self._identity(), about=about
        )

    def load(self, path: Path) -> None:
        """Weights of ``save``; ValueError for those of another method or of other settings."""
        found = weights.network(path, method=self.recipe.method).get("factors", {})
        before = self._factors
        self._factors = {stage: int(factor) for stage, factor in found.items()}
        nets = self._build()
        try:
            weights.load(path, nets, method=self.recipe.method, network=self._identity())
        except ValueError:
            self._factors = before
            raise
        self._nets = nets

    def use(self, stage: Stage, factor: int, state_dict: Mapping[str, Tensor]) -> None:
        """One network's weights by the authors' names; refuses any left over on either side."""
        net = self._network(stage, factor)
        net.load_state_dict(georgescu.from_authors(state_dict, net.scale))
        self._nets[stage] = net
        self._factors[stage] = factor

    def _finer_pixels(self, native: Volume, run: Run) -> Volume:
        factor = self._factors["in_plane"]
        net = self._answering("in_plane", EIGHT)
        tiles = self._tiles((factor, factor))
        out = planes.view(net, [native.voxels], tiles, planes.AXIAL, run=run)
        return native.with_voxels(out, finer_pixels(native.grid, factor))

    def _finer_slices(self, native: Volume, run: Run) -> Volume:
        factor = self._factors["through_plane"]
        net = self._answering("through_plane", FOUR)
        out = planes.both(net, [native.voxels], self._tiles((factor, 1)), run=run)
        return native.with_voxels(out, finer_slices(native.grid, factor))

    def _answering(self, stage: Stage, symmetries: Sequence[Symmetry]) -> nn.Module:
        net = SelfEnsemble(self._nets[stage], symmetries, self.settings.ensemble, LEVELS)
        return self.recipe.answer(net)

    def _tiles(self, scale: tuple[int, int]) -> planes.PlaneTiles:
        s = self.settings
        return planes.PlaneTiles(
            (s.tile, s.tile), halo=georgescu.REACH, blend=0, batch=s.planes_at_a_time, scale=scale
        )

    def _work_for(self, thick: Grid, grid: Grid) -> tuple[int, int]:
        """How often the in-plane network is used, and the factor of slices; refuses others."""
        self._check_fitted()
        pixels, slices = pixel_factor(thick, grid), factor_of(thick, grid)
        have_pixels = self._factors.get("in_plane", 1)
        have_slices = self._factors.get("through_plane", 1)
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

    def _factors_of(self, pairs: Sequence[Pair]) -> tuple[int, int]:
        grids = [(pair.case, pair.thick.grid, pair.thin.grid) for pair in pairs]
        found = {case: (pixel_factor(a, b), factor_of(a, b)) for case, a, b in grids}
        wanted = next(iter(found.values()))
        odd = {case: factors for case, factors in found.items() if factors != wanted}
        if odd:
            case, factors = next(iter(odd.items()))
            raise ValueError(
                f"{case} has factors of {factors} (in-plane, through-plane), others {wanted} "
                f"({len(odd)} of {len(found)} pairs differ): fit one method per factor"
            )
        if wanted == (1, 1):
            raise ValueError("thick and thin scans have the same voxels: nothing can be learned")
        return wanted

    def _network(self, stage: Stage, factor: int) -> TwoBlocks:
        make = {"in_plane": georgescu.in_plane, "through_plane": georgescu.through_plane}[stage]
        with seeds.seeded(self.settings.seed):
            return make(factor, self.settings.sizes())

    def _build(self) -> nn.ModuleDict:
        return nn.ModuleDict({s: self._network(s, factor) for s, factor in self._factors.items()})

    def _check_fitted(self) -> None:
        if not self._factors:
            raise RuntimeError(f"{self.recipe.method} has no weights yet: fit or load it first")

    def _identity(self) -> dict[str, Any]:
        s = self.settings
        return {**asdict(s.sizes()), "ct": list(s.ct), "factors": self._factors}

    def _fit_one(
        self,
        stage: Stage,
        train: Sequence[Pair],
        val: Sequence[Pair],
        work: Path,
        run: Run,
        *,
        own: bool,
        key: str,
    ) -> Path:
        """Train one network; validation is on patches that are neither blurred nor turned."""
        s, net = self.settings, self._nets[stage]
        blur = Blur(s.blur, s.blur_sigma, self.recipe.blur_border)  # type: ignore[arg-type]
        draw = self._patches(stage, train, own, blur, (self.recipe.finish or {}).get(stage))
        validate = None
        if val:
            plain = self._patches(stage, val, own, replace(blur, kind="none"), None)
            fixed = validation.fixed(plain, s.val_batches, s.seed)
            validate = partial(validation.rmse, net, fixed, choose(run))
        loss = _both_planes if s.intermediate_loss else _final_plane
        trained = loop.train(
            net, draw, loss, s.plan(stage), validate=validate, work=work, run=run, key=stage + key
        )
        return trained.curve

    def _patches(
        self, stage: Stage, pairs: Sequence[Pair], own: bool, blur: Blur, finish: Finish | None
    ) -> Sample:
        s, factor = self.settings, self._factors[stage]
        scale = (factor, factor if stage == "in_plane" else 1)
        shape = PatchShape(s.patch, scale, VIEWS[stage])
        least = (self.recipe.least or {}).get(stage, 0.0)
        held, finish = crops.held(pairs), finish or as_they_are
        if own and stage == "through_plane":
            return NativePatches(held, shape, s.batch, s.ct, least, finish)
        return ShrunkPatches(held, shape, s.batch, s.ct, blur, least, finish)


def _both_planes(net: nn.Module, batch: Batch) -> Tensor:
    """The mean absolute error of the final plane and of the intermediate one."""
    assert isinstance(net, TwoBlocks)
    x_B1PQ, y_B1PQ = batch
    final_B1PQ, intermediate_B1PQ = net.planes(x_B1PQ)
    return l1_loss(final_B1PQ, y_B1PQ) + l1_loss(intermediate_B1PQ, y_B1PQ)


def _final_plane(net: nn.Module, batch: Batch) -> Tensor:
    return l1_loss(net(batch[0]), batch[1])


def _beyond(thick: Volume, grid: Grid, window: Window) -> np.ndarray | np.float32:
    """What lies outside the window, interpolated linearly, which overshoots nowhere."""
    beyond = thick.voxels - thick.voxels.clip(window.low, window.high)
    if not beyond.any():
        return np.float32(0)
    return resample(thick.with_voxels(beyond), grid, "linear").voxels
