"""Learning from the scan that is restored: train on its axial slices, then restore its planes.

The thick scan's axial slices are fine already. They are degraded as its coronal and sagittal planes
are (see ``axial_pairs``), a mixed-scale dense network learns to undo it, and then sees the coronal
and the sagittal planes, interpolated along z to the pixel pitch. Nothing else is ever looked at.

The coronal planes have slices as far apart as rows of an axial slice are, the sagittal ones as far
as columns: what the network was shown, also where pixels are not square. Each view is then brought
onto exactly the grid asked for (``slice_means``), and the views are averaged.

Shape suffixes: Z slices (thick or native), Y X in-plane.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from scipy.sparse import csr_array

from thinslice.families.base import NetworkMethod
from thinslice.families.losses import absolute_error, squared_error
from thinslice.families.on_the_scan import checkpoints_of, digest
from thinslice.fs.locks import locked
from thinslice.inference import planes
from thinslice.interfaces import About, Run
from thinslice.nets.msd import MSD
from thinslice.operators import projection
from thinslice.operators.interpolation import z_shift_mm
from thinslice.operators.slice_means import slice_mean_matrix
from thinslice.runtime.device import choose
from thinslice.training.loop import train
from thinslice.training.plan import Plan
from thinslice.training.samplers.axial_pairs import AxialPairs, spread_over
from thinslice.training.seeds import seeded
from thinslice.volume import Grid, Volume

View = Literal["coronal", "sagittal", "both"]
VIEWS = {
    "coronal": [planes.CORONAL],
    "sagittal": [planes.SAGITTAL],
    "both": [planes.CORONAL, planes.SAGITTAL],
}
LOSSES = {"mse": squared_error, "l1": absolute_error}
WHOLE = 1 << 14  # pixels; planes are tiled only where the memory cap forces it
HALO = 64  # then; a deep network sees farther, but hardly
PLANES = 4  # at a time on a GPU; on a CPU the maps of one fit its cache better
ROWS = 8  # brought onto other slices at a time, in double precision beside two volumes


@dataclass(frozen=True)
class SelfSupervised:
    """Settings of every method that learns so; the defaults are the paper's."""

    depth: int = 100  # layers of the network
    width: int = 1  # maps per layer
    dilations: int = 10  # cycled through: 1, 2, ... this
    start: Literal["mean", "input"] = "mean"  # what the untrained network answers
    epochs: int = 200  # passes over all pairs, two per axial slice
    steps: int | None = None  # instead of epochs
    crop: int | None = None  # side of training crops; null: whole slices
    batch: int = 1  # images per step
    slices: int | None = None  # axial slices learned from, evenly spread; null: all
    lr: float = 1e-3
    schedule: Literal["constant", "cosine"] = "constant"
    loss: Literal["mse", "l1"] = "mse"
    view: View = "both"  # planes restored: coronal, sagittal, or the mean of both
    precision: Literal["fp32", "tf32"] = "fp32"  # of training on a GPU
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = {
            "view": tuple(VIEWS),
            "start": ("mean", "input"),
            "loss": tuple(LOSSES),
            "schedule": ("constant", "cosine"),
            "precision": ("fp32", "tf32"),
        }
        for name, choices in allowed.items():
            if getattr(self, name) not in choices:
                value = getattr(self, name)
                raise ValueError(f"{name} {value!r} is none of {', '.join(choices)}")
        for name in ("epochs", "steps", "crop", "batch", "slices"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} starts at 1, found {value}")

    def plan(self, pairs: int) -> Plan:
        """The training of this many pairs."""
        steps = self.steps or math.ceil(self.epochs * pairs / self.batch)
        return Plan(
            steps=steps,
            lr=self.lr,
            schedule=self.schedule,
            seed=self.seed,
            precision=self.precision,
        )

    def network(self) -> MSD:
        """Untrained."""
        with seeded(self.seed):
            return MSD(self.depth, self.width, self.dilations)


# What makes any such method learn in a moment.
SELF_SUPERVISED_TINY: dict[str, Any] = {"depth": 3, "steps": 2, "crop": 8, "batch": 2}


class Modelling(Protocol):
    """Model of how thick slices arise, and how they are interpolated; ``repr`` names it."""

    @property
    def clips(self) -> bool:
        """Whether interpolated images are cut to the range of the image they came from."""
        ...

    def scale(self, voxels_ZYX: np.ndarray) -> tuple[float, float]:
        """The values that the network sees as 0, and how much more 1 is."""
        ...

    def degraded(self, thick: Grid, n: int, pixel_mm: float) -> csr_array:
        """[n, n]: a line of pixels seen through thick slices, interpolated back to its pixels."""
        ...

    def native(self, thick: Grid, pixel_mm: float, wanted: Grid | None = None) -> Grid:
        """The scan's slices about as far apart as pixels, perhaps in phase with those wanted."""
        ...

    def interpolated(self, thick: Grid, native: Grid) -> csr_array:
        """[n_native, n_thick]."""
        ...


class SelfSupervisedMethod(NetworkMethod):
    """A method that learns from each scan it restores; see the module docstring."""

    def __init__(self, about: About, settings: SelfSupervised, modelling: Modelling):
        self.about, self.settings, self.modelling = about, settings, modelling

    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume:
        """Learn from ``thick``, then restore it; see ``restore``."""
        return restore(thick, grid, self.modelling, self.settings, run=run)

    def _network(self) -> MSD:
        return self.settings.network()


def restore(
    thick: Volume, grid: Grid, modelling: Modelling, settings: SelfSupervised, *, run: Run
) -> Volume:
    """Train on ``thick``, then restore it on ``grid``, whose pixels must be its own.

    Checkpoints are kept in ``run.work``, from which a killed job resumes. ValueError for other
    pixels, and where an axial slice is smaller than one thick slice.
    """
    start_mm = grid.start_mm + z_shift_mm(thick.grid, grid)
    wanted = thick.grid.with_slices(
        n=grid.n,
        increment_mm=grid.increment_mm,
        thickness_mm=grid.thickness_mm,
        start_mm=start_mm,
    )
    views = VIEWS[settings.view]
    for across in views if run.max_memory_gib is not None else ():
        _refuse_small_cap(thick.grid, wanted, across, modelling, settings, run)
    offset, scale = modelling.scale(thick.voxels)
    unit_ZYX = (thick.voxels - np.float32(offset)) / np.float32(scale)
    net = _learn(unit_ZYX, thick, modelling, settings, run)
    # Filled, not just promised, so that tiles have as much room in the first view as later.
    out_ZYX = np.full(grid.zyx, 0, np.float32)
    for across in views:
        out_ZYX += _seen(net, unit_ZYX, thick.grid, wanted, across, modelling, run)
    out_ZYX *= scale / len(views)
    out_ZYX += offset
    return thick.with_voxels(out_ZYX, grid)


def _learn(
    unit_ZYX: np.ndarray,
    thick: Volume,
    modelling: Modelling,
    settings: SelfSupervised,
    run: Run,
) -> MSD:
    """The network, trained on the scan's axial slices."""
    along_y, along_x = (
        modelling.degraded(thick.grid, n, pixel_mm).toarray()
        for n, pixel_mm in zip(thick.grid.shape, thick.grid.pixel_mm)
    )
    pairs = AxialPairs(
        unit_ZYX[spread_over(len(unit_ZYX), settings.slices)],
        along_y,
        along_x,
        crop=settings.crop,
        batch=settings.batch,
        clips=modelling.clips,
    )
    net = settings.network()
    mean, std = pairs.moments()
    net.normalise(mean=mean, std=(std[0] or 1.0, std[1] or 1.0))
    if settings.start == "input":
        net.start_from_input()
    loss = LOSSES[settings.loss]
    with checkpoints_of(run) as work:
        key = repr([modelling, replace(settings, view="both"), digest(thick)])
        plan = settings.plan(len(pairs))
        with locked(work / "learn"):  # a method that restores with the same network waits
            train(net, pairs, loss, plan, work=work, run=run, key=key)
    return net


def _seen(
    net: MSD,
    unit_ZYX: np.ndarray,
    have: Grid,
    wanted: Grid,
    across: int,
    modelling: Modelling,
    run: Run,
) -> np.ndarray:
    """One view, restored on the slices wanted."""
    native = modelling.native(have, have.pixel_mm[across - 1], wanted)
    native_ZYX = projection.apply(modelling.interpolated(have, native), unit_ZYX, slab=ROWS)
    if modelling.clips:
        others = tuple(axis for axis in (0, 1, 2) if axis != across)
        low, high = (f(unit_ZYX, axis=others, keepdims=True) for f in (np.min, np.max))
        np.clip(native_ZYX, low, high, out=native_ZYX)
    better_ZYX = planes.view(net, [native_ZYX], _tiles(net, run), across, run=run)
    del native_ZYX  # with fine pixels the largest of all, and done with
    return projection.apply(slice_mean_matrix(native, wanted), better_ZYX, slab=ROWS)


def _refuse_small_cap(
    have: Grid, wanted: Grid, across: int, modelling: Modelling, settings: SelfSupervised, run: Run
) -> None:
    """MemoryError where a view cannot be restored under the cap: before minutes of training."""
    native = modelling.native(have, have.pixel_mm[across - 1], wanted)
    n, along = native.shape[across - 1], native.shape[2 - across]
    net = settings.network()
    planes.refuse_small_cap(net, _tiles(net, run), (n, native.n, along), run)


def _tiles(net: MSD, run: Run) -> planes.PlaneTiles:
    at_a_time = 1 if choose(run).type == "cpu" else PLANES
    return planes.PlaneTiles((WHOLE, WHOLE), halo=min(net.reach, HALO), batch=at_a_time)
