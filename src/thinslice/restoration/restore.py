"""Restore one scan: on which grid, by which method, and how far to trust the answer.

    from thinslice import read, restore, write
    result = restore(read("CT_5mm"))
    write(result, "CT_1mm.nii.gz")

``result.volume`` is the restored ``Volume`` and ``result.trust`` what can be said of it without a
truth; ``write`` puts both beside each other on the disk. What is going to be done is known before
anything is computed (``plan``), so that a person can look at it, or refuse it, first.
"""

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
from thinslice.io.scan import LoadedScan
from thinslice.operators.grids import thin_grid
from thinslice.restoration import quality
from thinslice.restoration.methods import MethodChoice, choose
from thinslice.restoration.quality import Trust
from thinslice.runtime.placement import placed
from thinslice.training import fitted_on
from thinslice.volume import Grid, Volume


class Plan(NamedTuple):
    """What is going to be done."""

    thick: Volume
    scan: LoadedScan | None  # where the volume was read from files
    inputs: Mapping[str, str]  # those files, unpacked: name to sha256
    chosen: MethodChoice
    grid: Grid
    outside: tuple[str, ...]  # ways in which the scan lies outside what the weights were fitted on

    @property
    def warnings(self) -> list[str]:
        """What a person should know beforehand, one sentence each."""
        return [*self.notes, *(f"{quality.OUTSIDE}: {words}" for words in self.outside)]

    @property
    def notes(self) -> list[str]:
        """What reading the scan left open, and whether there is anything to restore."""
        return [*_of_source(self.scan), *_nothing_thinner(self.thick.grid, self.grid)]


class Result(NamedTuple):
    """A restored scan and what can be said of it."""

    volume: Volume
    trust: Trust
    planned: Plan
    run: Run  # with the device that was found
    started: datetime
    wall_s: float  # of restoring alone

    @property
    def warnings(self) -> list[str]:
        """What a person should read before looking at the scan, one sentence each."""
        return [*self.planned.notes, *quality.warnings(self.trust)]


def restore(
    scan: LoadedScan | Volume,
    *,
    method: str | None = None,
    weights: Path | str | None = None,
    thickness_mm: float = 1.0,
    increment_mm: float = 1.0,
    strict: bool = False,
    run: Run | None = None,
) -> Result:
    """A thick scan on thin slices over the same extent, with a report of how far to trust it.

    method     a name of ``thinslice methods``; None: the weights' own, else the default
    strict     refuse a scan that lies outside what the weights were fitted on
    run        device, threads, memory cap; its ``work`` keeps checkpoints between tries

    Refused (a ValueError) where the method, the weights or the grid asked for do not fit.
    """
    planned = plan(
        scan, method=method, weights=weights, thickness_mm=thickness_mm, increment_mm=increment_mm
    )
    if strict:
        refuse_outside(planned)
    return carry_out(planned, run)


def plan(
    scan: LoadedScan | Volume,
    *,
    method: str | None = None,
    weights: Path | str | None = None,
    thickness_mm: float = 1.0,
    increment_mm: float = 1.0,
) -> Plan:
    """What ``restore`` would do with these arguments; refuses what it refuses."""
    found = scan if isinstance(scan, LoadedScan) else None
    volume = scan.volume if isinstance(scan, LoadedScan) else scan
    grid = thin_grid(volume.grid, thickness_mm, increment_mm)
    chosen = choose(method, Path(weights) if weights is not None else None)
    outside = []
    if chosen.fitted_on is not None:
        kernel = fitted_on.kernel_of(found.source) if found else None
        outside = fitted_on.outside(chosen.fitted_on, fitted_on.of_scan(volume, kernel))
    return Plan(volume, found, _hashes(found), chosen, grid, tuple(outside))


def refuse_outside(planned: Plan) -> None:
    """Refused where the scan lies outside what the weights were fitted on, in every way it does."""
    if planned.outside:
        ways = "; ".join(planned.outside)
        raise Refused(f"{planned.chosen.weights}: {quality.OUTSIDE}: {ways}")


def carry_out(planned: Plan, run: Run | None = None) -> Result:
    """Restore as planned."""
    with placed(run or Run(), uses_torch=planned.chosen.fit != "none") as running:
        started, start_s = datetime.now(UTC), time.perf_counter()
        restored = planned.chosen.method.restore(planned.thick, planned.grid, run=running)
        wall_s = time.perf_counter() - start_s
    trust = quality.report(restored, planned.thick, outside=planned.outside)
    return Result(restored, trust, planned, running, started, wall_s)


def device_of(planned: Plan, run: Run) -> str:
    """Where it would be computed; RuntimeError where that device is not in this machine."""
    if planned.chosen.fit == "none":
        return "cpu"
    from thinslice.runtime import device

    return str(device.choose(run))


def _hashes(found: LoadedScan | None) -> dict[str, str]:
    """The files a scan was read from, named from the folder that holds them all; in a zip too."""
    if found is None:
        return {}
    if found.members:
        hashes = {Path(name): sha256 for name, sha256 in found.members.items()}
    else:
        hashes = {file: sha256_of_file(file) for file in found.files}
    top = Path(os.path.commonpath([Path("/", file).parent for file in hashes]))
    return {Path("/", file).relative_to(top).as_posix(): told for file, told in hashes.items()}


def _of_source(found: LoadedScan | None) -> list[str]:
    """What reading the scan left open."""
    if found is None:
        return []
    told: Mapping[str, Any] = found.source
    notes = list(told["warnings"])
    if told["thickness_from"] == "increment":
        mm = found.volume.grid.thickness_mm
        notes.append(
            f"the file does not say how thick its slices are; taken for {mm:g} mm, their increment"
        )
    if told["lossy"]:
        notes.append("the scan was compressed with loss: fine detail may be an artefact of that")
    return notes


def _nothing_thinner(thick: Grid, thin: Grid) -> list[str]:
    own = thick.thickness_mm, thick.increment_mm
    if np.allclose(own, (thin.thickness_mm, thin.increment_mm)):
        return ["the slices asked for are those that the scan has: nothing gets thinner"]
    return []
