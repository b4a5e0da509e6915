"""What a job reserves on its machine: memory, minutes, threads. Standard library only.

It follows from the rule, the method and the size of the data as the config states it: no scan is
opened. No result depends on it, so nothing here reruns anything. A number in a method's entry goes
before that of ``scheduling:``, and both before the costs below, but restoring never reserves less
memory than its scans take.

What was measured: docs/reference/config.md, "What jobs reserve"; 1.5 times that is reserved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

from thinslice.workflow.manifest import SPLITS

CAUTIOUS_SHAPE = (400, 512, 512)  # z, y, x of a thin scan without scan_shape in the config
CAUTIOUS_CASES = 100  # of a split without a count in the config
MARGIN = 1.5
BESIDE_MB = 300  # on a cluster Snakemake itself runs beside the job: 290 for a plan of 6,306 jobs


@dataclass(frozen=True)
class Reservation:
    """What one try of a job reserves."""

    mem_mb: int
    minutes: int
    threads: int = 1
    each_mb: int = 0  # of every process beyond the first, where cases are shared among several
    shared_minutes: float = 0.0  # part of ``minutes`` that several processes share

    def on(self, threads: int) -> "Reservation":
        """With so many processes, which may be fewer than were asked for."""
        threads = min(threads, self.threads)
        minutes = ceil(self.minutes - self.shared_minutes * (1 - 1 / threads))
        return replace(
            self,
            mem_mb=self.mem_mb + (threads - 1) * self.each_mb,
            minutes=minutes,
            threads=threads,
        )

    def at(self, attempt: int) -> "Reservation":
        """Of the n-th try: n times the memory and time, which the last may have lacked."""
        return replace(self, mem_mb=attempt * self.mem_mb, minutes=attempt * self.minutes)


@dataclass(frozen=True)
class Cost:
    """Cost of a rule's job: memory follows its largest scan, time all of them."""

    base_mb: int
    bytes_per_voxel: float = 0.0
    base_minutes: int = 10
    minutes_per_gigavoxel: float = 0.0
    splits: tuple[str, ...] = SPLITS  # the cases it goes through
    worth_minutes: float = 2.0  # reserved, that each process must have: starting one takes seconds


COSTS = {
    "fetch": Cost(200, base_minutes=1440),  # a slow mirror
    "convert": Cost(150, 20.0, minutes_per_gigavoxel=10),
    "degrade": Cost(110, 6.0, minutes_per_gigavoxel=5),
    "train": Cost(0),  # as configured
    "given_weights": Cost(2000),
    "restore": Cost(100, 12.0, minutes_per_gigavoxel=10, splits=("test",)),
    "join": Cost(100, 4.0, minutes_per_gigavoxel=2, splits=("test",)),
    "score": Cost(140, 36.0, minutes_per_gigavoxel=15, splits=("test",)),
    "labels": Cost(300, 4.0, minutes_per_gigavoxel=20),
    "segmenter": Cost(2500, 8.0, base_minutes=240, splits=("train", "val")),
    "segment": Cost(2500, 40.0, minutes_per_gigavoxel=400, splits=("test",)),
    "pairs": Cost(100, 12.0, minutes_per_gigavoxel=10),
    "panels": Cost(110, 18.0),
    "slices": Cost(110, 18.0),
    **dict.fromkeys(("gather", "evidence", "analyse", "figure", "page"), Cost(500)),
    **dict.fromkeys(("clean_restored", "clean_work"), Cost(200, base_minutes=60)),
}
SIMULATING = Cost(  # convert of a simulated data set; it reserves less beyond what it takes
    340, 70.0, minutes_per_gigavoxel=150, worth_minutes=1.0
)
BY_CASE = ("convert", "degrade", "score", "pairs")
PICTURE_BYTES_PER_VOXEL = 4.0  # of panels, for each restored volume they show
TORCH_MB = 300  # torch itself
TILED_BYTES_PER_VOXEL = 8.0  # the sum of a network's tiles, and of their weights


def reserve(
    rule: str,
    config: Mapping[str, Any],
    dataset: str | None = None,
    method: str | None = None,
    shown: int = 0,
) -> Reservation:
    """What the first try of a rule's job reserves; LookupError for an unknown rule.

    dataset    whose scans the job reads; None for a job that reads tables only
    method     whose entry decides, where the rule trains or restores
    shown      number of restored volumes in a picture
    """
    if rule not in COSTS:
        raise LookupError(f"no cost is known of a job of {rule!r}; known are {', '.join(COSTS)}")
    cost = _cost(rule, config, dataset, shown)
    entry = config["datasets"][dataset] if dataset else {}
    voxels = prod(entry.get("scan_shape", CAUTIOUS_SHAPE)) if dataset else 0
    cases = sum(entry.get("cases", {}).get(split, CAUTIOUS_CASES) for split in cost.splits)
    time = cost.base_minutes + cost.minutes_per_gigavoxel * voxels * cases / 1e9
    memory_mb = cost.base_mb + cost.bytes_per_voxel * voxels / 1e6
    needs = Reservation(BESIDE_MB + ceil(MARGIN * memory_mb), ceil(MARGIN * time))
    if rule in BY_CASE:
        shared_minutes = MARGIN * (time - cost.base_minutes)
        threads = _processes(shared_minutes / cost.worth_minutes, cases, config)
        each_mb = ceil(MARGIN * memory_mb)
        return replace(needs, threads=threads, each_mb=each_mb, shared_minutes=shared_minutes)
    if method is None or rule not in ("train", "restore"):
        return needs
    return _as_configured(rule, needs, voxels, config["methods"][method], config["scheduling"])


def _processes(worth: float, cases: int, config: Mapping[str, Any]) -> int:
    """How many processes share a job's cases: as many as have enough to compute, ``worth``.

    On a dask cluster the job itself only waits.
    """
    most = 1 if config.get("dask_scheduler") else config["scheduling"]["case_threads"]
    return max(1, min(most, cases, int(worth)))


def _cost(rule: str, config: Mapping[str, Any], dataset: str | None, shown: int) -> Cost:
    """Cost of a rule for a data set: simulating scans takes more than reading them."""
    if rule == "convert" and dataset and config["datasets"][dataset].get("simulated", False):
        return SIMULATING
    cost = COSTS[rule]
    volumes = shown * PICTURE_BYTES_PER_VOXEL
    return replace(cost, bytes_per_voxel=cost.bytes_per_voxel + volumes)


def _as_configured(
    rule: str,
    needs: Reservation,
    voxels: int,
    method: Mapping[str, Any],
    scheduling: Mapping[str, int],
) -> Reservation:
    """By the method's entry, else by ``scheduling``, which is for networks only.

    A method that learns from the scan (fit: volume) trains when it restores.
    """
    torch = method["env"] == "torch"
    default_of = "train" if method["fit"] == "volume" else rule

    def configured(key: str, interpolation: int) -> int:
        default = scheduling[f"{default_of}_{key}"] if torch else interpolation
        return method.get(f"{rule}_{key}", default)

    floor_mb = needs.mem_mb if rule == "restore" else 0
    if floor_mb and torch:
        floor_mb += ceil(MARGIN * (TORCH_MB + TILED_BYTES_PER_VOXEL * voxels / 1e6))
    return Reservation(
        mem_mb=max(configured("mem_mb", needs.mem_mb), floor_mb),
        minutes=configured("minutes", needs.minutes),
        threads=configured("threads", needs.threads),
    )
