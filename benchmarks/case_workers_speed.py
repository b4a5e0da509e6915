"""Measure convert, degrade and score on one worker and on two, and reckon them for RPLHR-CT.

    python benchmarks/case_workers_speed.py [--cases 8] [--slices 300] [--side 512]

Synthetic NIfTI scans are converted, degraded, restored by interpolation and scored (v1) by the jobs
of the workflow: first a small data set, for which no second process is worth its start, then one of
scans of RPLHR-CT's size, since of smaller ones a worker's start, a second, would be a larger part
than in what is reckoned: as many as three minutes allow. CPU seconds are of the job and its
processes. On a shared machine the wall seconds of two workers say what the neighbours left, so
those of an idle machine are reckoned too, from the CPU seconds: of n cases the job itself takes
some, and another process the others, once it has started, a case as long as with two workers.
Threads (of degrade) need no start.

Two processes of one machine share its memory, its cache and its clock. What that leaves is measured
too, without our workers: two plain processes that score a case each, against one that does.
"""

import argparse
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measuring import reached

from thinslice.interfaces import Run
from thinslice.io.nifti.write import write_nifti
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.convert import convert
from thinslice.jobs.degrade import degrade
from thinslice.jobs.fetch import fetch
from thinslice.jobs.restore import RestoreRequest, restore_cases
from thinslice.jobs.score import score, score_case
from thinslice.runtime.over_cases import Workers
from thinslice.runtime.shared_cases import START_S
from thinslice.volume import Grid, Volume

RPLHR = {"convert": (250, 300), "degrade": (250, 300), "score": (100, 300)}  # cases, slices
CORES = 16
WAIT_S = 600  # for the other plain processes
BOX = {
    "name": "box5",
    "module": "profile",
    "settings": {"shape": "box", "thickness_mm": 5.0, "increment_mm": 5.0},
}
LINEAR = {
    "name": "linear", "module": "interpolation", "fit": "none", "settings": {"kind": "linear"},
}  # fmt: skip
V1 = {"name": "v1", "module": "v1", "settings": {"threads": 1}}


PLAIN = "plain processes"  # that score, not a job


class Measured(NamedTuple):
    """Seconds of one job."""

    wall_s: float
    cpu_s: float  # of the job and its processes


def scans(folder: Path, cases: int, slices: int, side: int) -> None:
    """Thin NIfTI scans of an ellipse with lungs, and their manifest."""
    grid = Grid(slices, 1.0, 1.0, (side, side), (0.7, 0.7))
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    body = np.hypot(y / 0.35, x / 0.45) < 1
    flat = np.where(body, 40.0, -1000.0).astype(np.float32)
    rows = ["case,patient,split,thin"]
    for k in range(cases):
        noise = np.random.default_rng(k).normal(0, 20, grid.zyx).astype(np.float32)
        write_nifti(Volume(flat + noise, grid), folder / f"c{k}.nii.gz")
        rows.append(f"c{k},p{k},test,c{k}.nii.gz")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")


def timed(job: Callable[[], None]) -> Measured:
    """Seconds of a job with the processes it waits for."""
    shown = os.dup(1)
    os.dup2(2, 1)  # what jobs print is no result of this benchmark
    before, began = os.times(), time.perf_counter()
    job()
    wall_s, after = time.perf_counter() - began, os.times()
    os.dup2(shown, 1)
    os.close(shown)
    return Measured(wall_s, sum(after[:4]) - sum(before[:4]))


def jobs(folder: Path, raw: Path, workers: int) -> dict[str, Measured]:
    """Every job of one run with so many workers."""
    run = CaseWorkers(Workers(workers))
    data = {"name": "own", "module": "own_data", "settings": {"root": str(raw)}}
    record, thin, acquired = folder / "raw.record.json", folder / "thin.zarr", folder / "acq.zarr"
    thick, restored = folder / "thick.zarr", folder / "restored.zarr"
    fetch(data, raw, record)
    seconds = {"convert": timed(lambda: convert(data, raw, record, thin, acquired, run))}
    seconds["degrade"] = timed(lambda: degrade(BOX, thin, thick, run))
    request = RestoreRequest(LINEAR, thick, restored, None, folder, Run(), uses_torch=False)
    restore_cases(request)
    cell = {"dataset": "own", "degradation": "box5", "method": "linear", "fitted_on": ""}
    table = folder / "scores.csv"
    seconds["score"] = timed(lambda: score([V1], BOX, cell, restored, thin, thick, table, run))
    return seconds


def beside(folder: Path, processes: int) -> Measured:
    """Seconds of the slowest of plain processes that score a case each, from a start in common."""
    spawn = multiprocessing.get_context("spawn")
    ready, seconds = spawn.Barrier(processes, timeout=WAIT_S), spawn.SimpleQueue()
    started = [
        spawn.Process(target=_score_one, args=(folder, f"c{k}", ready, seconds))
        for k in range(processes)
    ]
    for each in started:
        each.start()
    for each in started:
        each.join()
    if any(each.exitcode for each in started):
        raise SystemExit("a plain process failed: see above")
    return Measured(*map(max, zip(*(seconds.get() for _ in started))))


def _score_one(folder: Path, case: str, ready: Barrier, seconds: SimpleQueue) -> None:
    """Score one case twice, the first time to import and to map; send the second's seconds."""
    stores = (folder / "restored.zarr", folder / "thin.zarr", folder / "thick.zarr")
    for _ in range(2):
        ready.wait()
        before, began = time.process_time(), time.perf_counter()
        score_case([V1], BOX, stores, case)
        measured = time.perf_counter() - began, time.process_time() - before
    seconds.put(measured)


class DataSet(NamedTuple):
    """Scans of one shape."""

    name: str
    cases: int
    slices: int
    side: int

    def measured(self, *passes: int, bound: bool = False) -> list[dict[str, Measured]]:
        """Every job on so many workers, one pass after another.

        bound   of so many plain processes too
        """
        with tempfile.TemporaryDirectory() as scratch:
            raw = Path(scratch, "raw")
            raw.mkdir()
            scans(raw, self.cases, self.slices, self.side)
            folders = [Path(scratch, f"{k}") for k in range(len(passes))]
            for folder in folders:
                folder.mkdir()
            seconds = [jobs(folder, raw, n) for folder, n in zip(folders, passes)]
            if bound:
                for n, each in zip(passes, seconds):
                    each[PLAIN] = beside(folders[0], n)
            return seconds


def main() -> None:
    """Print one table a data set."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    full = DataSet("full-size", **vars(parser.parse_args()))
    DataSet("warm", 1, 20, 128).measured(1)
    small = DataSet("small", 4, 60, 192)
    print(f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()}")
    print("| job | wall, 1 | wall, 2 | measured | CPU, 1 | CPU, 2 | idle, reckoned | RPLHR-CT |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for data in (small, full):
        by_one, by_two = data.measured(1, 2, bound=data.name == "full-size")
        rows(data, by_one, by_two)
    print(plainly(by_one[PLAIN], by_two[PLAIN]))


def plainly(one: Measured, two: Measured) -> str:
    """What the machine itself allows two processes: by wall, and by CPU seconds if it were idle."""
    return (
        f"\nOne plain process scores a case in {one.wall_s:.1f} s ({one.cpu_s:.1f} CPU s), two one "
        f"each in {two.wall_s:.1f} s ({two.cpu_s:.1f} CPU s): without our workers, this machine "
        f"allows {2 * one.wall_s / two.wall_s:.2f}x, idle {2 * one.cpu_s / two.cpu_s:.2f}x."
    )


def rows(data: DataSet, by_one: dict[str, Measured], by_two: dict[str, Measured]) -> None:
    """The rows of a data set, and what was reached with full-size scans."""
    for job, (n, thick) in RPLHR.items():
        (wall_s, cpu_s), two = by_one[job], by_two[job]
        by_process = job != "degrade" and two.cpu_s > cpu_s + START_S / 2  # a small job starts none
        start_s = START_S if by_process else 0.0
        each_s = max(two.cpu_s - start_s, cpu_s) / data.cases
        wait_s = start_s / (data.cases - 1)  # see ``Line.long_enough``
        idle = cpu_s / shared_s(data.cases, each_s, wait_s + start_s)
        of_rplhr = each_s * thick / data.slices * (512 / data.side) ** 2
        whole_s = start_s + math.ceil(n / CORES) * of_rplhr
        numbers = f"{wall_s:.1f} s | {two.wall_s:.1f} s | {wall_s / two.wall_s:.2f}x"
        more = f"{cpu_s:.1f} s | {two.cpu_s:.1f} s | {idle:.2f}x | {whole_s:.0f} s on {CORES} cores"
        shape = f"{data.cases} x {data.slices} x {data.side} x {data.side}"
        print(f"| {job}, {shape} | {numbers} | {more} |")
        sys.stdout.flush()
        if data.name == "full-size":
            reached(f"{job} on 2 workers against 1", wall_s / two.wall_s)
            reached(f"{job} on 2 workers against 1, reckoned", idle)


def shared_s(n: int, each_s: float, start_s: float) -> float:
    """Seconds of n cases in this process and one that starts meanwhile, if there is need of it."""
    return min(
        max((n - others) * each_s, others and start_s + others * each_s) for others in range(n)
    )


if __name__ == "__main__":
    main()
