"""Restore one scan: choose the grid and the method, run it, and report how far to trust it.

    from thinslice import read, restore, write
    result = restore(read("CT_5mm"))
    write(result, "CT_1mm.nii.gz")

``result.volume`` is the restored ``Volume`` and ``result.trust`` a report that needs no thin truth;
``write`` stores both. ``plan`` tells what will be done before anything is computed, so that it can
be shown, or refused, first.
"""

import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.errors import Refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.interfaces import Run
from thinslice.io.acquired import AcquiredScan
from thinslice.io.padding import note, with_padding
from thinslice.io.scan import LoadedScan
from thinslice.operators import interpolation, padding
from thinslice.operators.grids import thin_grid
from thinslice.provenance.environment import resident_bytes
from thinslice.restoration import agreement, as_acquired, quality
from thinslice.restoration.agreement import Measured
from thinslice.restoration.as_acquired import Acquisition
from thinslice.restoration.consistent import Step, made_consistent
from thinslice.restoration.methods import MethodChoice, choose, refuse_one_contrast
from thinslice.restoration.precision import precision_of
from thinslice.restoration.quality import Trust
from thinslice.restoration.refine import Budget, Refined, refined, refuse_unfit
from thinslice.runtime.placement import placed
from thinslice.training import fitted_on
from thinslice.volume import Grid, Volume

BYTES_A_VOXEL = 4  # float32
FEW = 8  # slices


class Plan(NamedTuple):
    """What will be done: the scan, the target grid, the method and its warnings."""

    thick: Volume
    scan: LoadedScan | None  # where the volume was read from files
    inputs: Mapping[str, str]  # those files, unpacked: name to sha256
    chosen: MethodChoice
    grid: Grid
    outside: tuple[str, ...]  # how the scan differs from those the weights were fitted on
    acquired: Acquisition | None = None  # the irregular slices that ``thick`` was estimated from
    consistent: bool = False  # whether the answer is then made consistent with the thick slices
    refine: Budget | None = None  # how long the method first goes on learning from the scan
    precision: str | None = None  # in which numbers it must restore; None: as it does by itself

    @property
    def warnings(self) -> list[str]:
        """What a user should know before the scan is restored, one sentence each."""
        return [*self.notes, *(f"{quality.OUTSIDE}: {words}" for words in self.outside)]

    @property
    def notes(self) -> list[str]:
        """What the scan's files leave open, and whether there is anything to restore."""
        over_gaps = self.acquired.notes(self.grid) if self.acquired else []
        thinner = _nothing_thinner(self.thick.grid, self.grid)
        few = _few_slices(self.thick.grid.n, self.chosen.fit)
        return [*notes_on(self.scan, self.thick), *over_gaps, *thinner, *few]


class Result(NamedTuple):
    """A restored scan, with its trust report and how it was made."""

    volume: Volume
    trust: Trust
    planned: Plan
    run: Run  # with the device it ran on
    started: datetime
    wall_s: float  # of restoring alone, refining included
    refined: Refined | None = None
    precision: str | None = None  # of the network's numbers; None: the method does not say
    differences: Mapping[str, float] | None = None  # from float32, where measured; HU

    @property
    def warnings(self) -> list[str]:
        """What a user should read before looking at the scan, one sentence each."""
        return [*self.planned.notes, *quality.warnings(self.trust)]


def restore(
    scan: LoadedScan | AcquiredScan | Volume,
    *,
    method: str | None = None,
    weights: Path | str | None = None,
    thickness_mm: float = 1.0,
    increment_mm: float = 1.0,
    consistent: bool | None = None,
    strict: bool = False,
    refine: str | None = None,
    precision: str | None = None,
    engine: str | None = None,
    run: Run | None = None,
) -> Result:
    """Restore a thick scan on thin slices over the same extent, with a trust report.

    scan       as ``read`` gives it; an ``AcquiredScan`` is restored as it was acquired
    method     a name of ``thinslice methods``; None: the weights' own, else the default
    consistent make the answer consistent with the thick slices; None: where the method learns,
               and of an ``AcquiredScan``
    strict     refuse a scan unlike those the weights were fitted on
    refine     let a method with weights first go on learning from the scan: "60s", "500steps"
    precision  fp32, tf32 or bf16, in which the network restores; None: the method's own
    engine     torch or openvino, of methods with that setting; None: the method's own
    run        device, threads, memory cap; its ``work`` keeps checkpoints between tries

    Refused (a ValueError) where the method, the weights or the grid does not fit the scan.
    """
    planned = plan(
        scan,
        method=method,
        weights=weights,
        thickness_mm=thickness_mm,
        increment_mm=increment_mm,
        consistent=consistent,
        refine=refine,
        precision=precision,
        engine=engine,
    )
    if strict:
        refuse_outside(planned)
    return carry_out(planned, run)


def plan(
    scan: LoadedScan | AcquiredScan | Volume,
    *,
    method: str | None = None,
    weights: Path | str | None = None,
    thickness_mm: float = 1.0,
    increment_mm: float = 1.0,
    consistent: bool | None = None,
    refine: str | None = None,
    precision: str | None = None,
    engine: str | None = None,
) -> Plan:
    """Plan what ``restore`` does with these arguments; refuses what it refuses."""
    acquired = None
    if isinstance(scan, AcquiredScan):
        scan, acquired = as_acquired.regular(scan)
    loaded = scan if isinstance(scan, LoadedScan) else None
    volume = scan.volume if isinstance(scan, LoadedScan) else with_padding(scan)
    grid = thin_grid(volume.grid, thickness_mm, increment_mm)
    file = Path(weights) if weights is not None else None
    chosen = choose(method, file, precision=precision, engine=engine)
    refuse_one_contrast(chosen, volume)
    budget = Budget.of(refine) if refine is not None else None
    if budget is not None:
        refuse_unfit(chosen.card["name"], chosen.method, volume)
    outside = []
    if chosen.fitted_on is not None:
        kernel = fitted_on.kernel_of(loaded.source) if loaded else None
        wanted = {"thin_thickness_mm": grid.thickness_mm, "thin_increment_mm": grid.increment_mm}
        seen = {**fitted_on.of_scan(volume, kernel), **wanted}
        outside = fitted_on.outside(chosen.fitted_on, seen)
    if consistent is None:
        # Interpolation stays what its name says, of slices that it is given as they are.
        consistent = chosen.fit != "none" or acquired is not None
    found = tuple(outside)
    inputs = hashes(loaded)
    return Plan(
        volume, loaded, inputs, chosen, grid, found, acquired, consistent, budget, precision
    )


def refuse_outside(planned: Plan) -> None:
    """Refuse a scan unlike those the weights were fitted on, naming every difference."""
    if planned.outside:
        ways = "; ".join(planned.outside)
        raise Refused(f"{planned.chosen.weights}: {quality.OUTSIDE}: {ways}")


def carry_out(planned: Plan, run: Run | None = None) -> Result:
    """Restore as planned."""
    with placed(run or Run(), uses_torch=planned.chosen.fit != "none") as running:
        started, start_s = datetime.now(UTC), time.perf_counter()
        method, learned = planned.chosen.method, None
        precision = precision_of(method, planned.precision, running)
        if planned.refine is not None:
            method, learned = refined(method, planned.thick, planned.refine, running)
        answer = method.restore(planned.thick, planned.grid, run=running)
        restored = padding.carried(answer, planned.thick)
        if planned.acquired and planned.consistent:
            restored = planned.acquired.consistent(restored)
        wall_s = time.perf_counter() - start_s
        step, measured = None, None
        if not planned.acquired:
            measured = agreement.measured_of(planned.thick)
        if planned.consistent and measured is not None:
            before = agreement.compare(restored, planned.thick, None, measured=measured)
            restored, step = made_consistent(restored, planned.thick, before)
    trust = _trust(restored, planned, step, measured)
    measured_by = getattr(method, "differences", None)
    apart = measured_by.to_json() if measured_by else None
    return Result(restored, trust, planned, running, started, wall_s, learned, precision, apart)


def _trust(restored: Volume, planned: Plan, step: Step | None, measured: Measured | None) -> Trust:
    """The trust report, judged by the slices that were acquired."""
    acquired = planned.acquired
    if acquired is None:
        return quality.report(
            restored, planned.thick, outside=planned.outside, step=step, measured=measured
        )
    plain = interpolation.resample_z(planned.thick, planned.grid, "linear")
    again = agreement.Again(acquired.seen(restored), acquired.seen(plain), as_acquired.PROFILE)
    return quality.report(restored, acquired.thick, outside=planned.outside, again=again)


def device_of(planned: Plan, run: Run) -> str:
    """The device that would be used; DeviceError where it is not in this machine."""
    if planned.chosen.fit == "none":
        return "cpu"
    from thinslice.runtime import device

    return str(device.choose(run))


def threads_of(planned: Plan, run: Run, free_cores: int) -> int | None:
    """CPU threads where ``run`` does not set them: at most ``free_cores``, for threads that wait
    for cores others use make a run slower than one thread. None: the method does not use torch, or
    OMP_NUM_THREADS says how many."""
    if run.threads or planned.chosen.fit == "none" or "OMP_NUM_THREADS" in os.environ:
        return run.threads
    from thinslice.runtime import device

    return max(1, min(free_cores, device.default_threads()))


def refuse_small_cap(planned: Plan, run: Run, device: str) -> None:
    """Refuse, before anything is learned or restored, a memory cap that this cannot stay below.

    Counted is what is certain: the memory of now, and the restored voxels on a CPU.
    """
    if run.max_memory_gib is None or device != "cpu":
        return
    needed_gib = (resident_bytes() + BYTES_A_VOXEL * math.prod(planned.grid.zyx)) / 2**30
    if run.max_memory_gib < needed_gib:
        raise Refused(
            f"a memory cap of {run.max_memory_gib:.3g} GiB is too low: the scan and its restored "
            f"slices need {needed_gib:.2g} GiB and more; raise it (--max-memory)"
        )


def hashes(scan: LoadedScan | None) -> dict[str, str]:
    """SHA-256 of the files a scan was read from, by their paths below their common folder."""
    if scan is None:
        return {}
    if scan.members:
        hashes = {Path(name): sha256 for name, sha256 in scan.members.items()}
    else:
        hashes = {file: sha256_of_file(file) for file in scan.files}
    top = Path(os.path.commonpath([Path("/", file).parent for file in hashes]))
    return {Path("/", file).relative_to(top).as_posix(): sha256 for file, sha256 in hashes.items()}


def notes_on(scan: LoadedScan | None, volume: Volume) -> list[str]:
    """What a user should know of a scan: its reader's warnings, and what its files leave open."""
    if scan is None:
        return [] if volume.padding is None else [note(volume.padding)]
    source: Mapping[str, Any] = scan.source
    notes = list(source["warnings"])
    if source["thickness_from"] == "increment":
        mm = scan.volume.grid.thickness_mm
        notes.append(
            f"the file does not state the slice thickness; assumed {mm:g} mm, the increment"
        )
    if source["lossy"]:
        notes.append("the scan was compressed with loss: fine detail may be a compression artefact")
    return notes


def _few_slices(n: int, fit: str) -> list[str]:
    """A warning where a network has next to nothing to go by."""
    if fit == "none" or n >= FEW:
        return []
    return [f"the scan has {n} slices, too few to judge what a network adds; is it the right one?"]


def _nothing_thinner(thick: Grid, thin: Grid) -> list[str]:
    slices_mm = thick.thickness_mm, thick.increment_mm
    if np.allclose(slices_mm, (thin.thickness_mm, thin.increment_mm)):
        return ["the requested slices are those of the scan: nothing gets thinner"]
    return []
