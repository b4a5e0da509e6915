"""What a job asks of the machine: memory, minutes, threads. Standard library only.

By rule, by the method's line and by the size of the data, as the config states it: no scan is
opened. Whoever schedules reserves that much; no result depends on it, so nothing here reruns
anything. A number of a method's line stands before that of ``scheduling:``, and both before what
is said here, but restoring never asks for less memory than the scans alone take.

What was measured: docs/reference/config.md, "What jobs reserve"; half as much again is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

from thinslice.columns import SPLITS

CAUTIOUS_SHAPE = (400, 512, 512)  # of a thin scan the config says nothing of: z, y, x
CAUTIOUS_CASES = 100  # of every split it says nothing of
MARGIN = 1.5
BESIDE_MB = 300  # on a cluster Snakemake itself runs beside the job: 290 for a plan of 6,306 jobs


@dataclass(frozen=True)
class Ask:
    """What one try of a job is given."""

    mem_mb: int
    minutes: int
    threads: int = 1

    def at(self, attempt: int) -> "Ask":
        """The n-th try's: n times the memory and time, for want of which the last may have died."""
        return replace(self, mem_mb=attempt * self.mem_mb, minutes=attempt * self.minutes)


@dataclass(frozen=True)
class Cost:
    """Of a rule's job: memory goes by its largest scan, time by all of them."""

    base_mb: int
    bytes_per_voxel: float = 0.0
    base_minutes: int = 10
    minutes_per_gigavoxel: float = 0.0
    splits: tuple[str, ...] = SPLITS  # the cases it goes through


COSTS = {
    "fetch": Cost(200, base_minutes=1440),  # a slow mirror
    "convert": Cost(150, 20.0, minutes_per_gigavoxel=10),
    "degrade": Cost(110, 6.0, minutes_per_gigavoxel=5),
    "train": Cost(0),  # as configured
    "restore": Cost(100, 12.0, minutes_per_gigavoxel=10, splits=("test",)),
    "join": Cost(100, 4.0, minutes_per_gigavoxel=2, splits=("test",)),
    "score": Cost(140, 36.0, minutes_per_gigavoxel=15, splits=("test",)),
    "pairs": Cost(100, 12.0, minutes_per_gigavoxel=10),
    "panels": Cost(110, 18.0),
    **dict.fromkeys(("gather", "evidence", "analyse", "figure", "page"), Cost(500)),
    **dict.fromkeys(("clean_restored", "clean_work"), Cost(200, base_minutes=60)),
}
SIMULATING = Cost(240, 70.0, minutes_per_gigavoxel=150)  # convert, where scans are made, not read
PICTURE_BYTES_PER_VOXEL = 4.0  # panels hold one restored volume for each method they show
TORCH_MB = 300  # torch itself, beside what an interpolation needs
TILED_BYTES_PER_VOXEL = 8.0  # of a network: what tiles are summed in, and their weights


def ask(
    rule: str,
    config: Mapping[str, Any],
    dataset: str | None = None,
    method: str | None = None,
    shown: int = 0,
) -> Ask:
    """What the first try of a rule's job asks for; LookupError for a rule that is not known.

    dataset    whose scans the job goes through; None where it reads tables alone
    method     its line decides, where the rule trains or restores
    shown      how many restored volumes a picture shows
    """
    if rule not in COSTS:
        raise LookupError(f"no cost is known of a job of {rule!r}; known are {', '.join(COSTS)}")
    cost = _cost(rule, config, dataset, shown)
    line = config["datasets"][dataset] if dataset else {}
    voxels = prod(line.get("scan_shape", CAUTIOUS_SHAPE)) if dataset else 0
    cases = sum(line.get("cases", {}).get(split, CAUTIOUS_CASES) for split in cost.splits)
    time = cost.base_minutes + cost.minutes_per_gigavoxel * voxels * cases / 1e9
    memory_mb = cost.base_mb + cost.bytes_per_voxel * voxels / 1e6
    needs = Ask(BESIDE_MB + ceil(MARGIN * memory_mb), ceil(MARGIN * time))
    if method is None or rule not in ("train", "restore"):
        return needs
    return _as_configured(rule, needs, voxels, config["methods"][method], config["scheduling"])


def _cost(rule: str, config: Mapping[str, Any], dataset: str | None, shown: int) -> Cost:
    """Of a rule, for this data set: making scans takes more than reading them."""
    if rule == "convert" and dataset and config["datasets"][dataset].get("simulated", False):
        return SIMULATING
    cost = COSTS[rule]
    volumes = shown * PICTURE_BYTES_PER_VOXEL
    return replace(cost, bytes_per_voxel=cost.bytes_per_voxel + volumes)


def _as_configured(
    rule: str, needs: Ask, voxels: int, line: Mapping[str, Any], usual: Mapping[str, int]
) -> Ask:
    """By the method's line, else as usual; a method that learns from the scan restores by training.

    An interpolation needs what its scans do, whatever is usual for networks.
    """
    torch = line["env"] == "torch"
    of = "train" if line["fit"] == "volume" else rule

    def figure(key: str, interpolation: int) -> int:
        default = usual[f"{of}_{key}"] if torch else interpolation
        return line.get(f"{rule}_{key}", default)

    floor_mb = needs.mem_mb if rule == "restore" else 0
    if floor_mb and torch:
        floor_mb += ceil(MARGIN * (TORCH_MB + TILED_BYTES_PER_VOXEL * voxels / 1e6))
    return Ask(
        mem_mb=max(figure("mem_mb", needs.mem_mb), floor_mb),
        minutes=figure("minutes", needs.minutes),
        threads=figure("threads", needs.threads),
    )
