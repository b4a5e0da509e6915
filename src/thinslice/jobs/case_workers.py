"""Flags of jobs that go through cases: how many processes, which dask cluster, where to keep.

None of them changes a result; they are no part of a record's request beyond its command.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thinslice.provenance.job import Job
from thinslice.runtime.kept_results import Kept, anything
from thinslice.runtime.over_cases import Workers


@dataclass(frozen=True)
class CaseWorkers:
    """Who computes the cases of a job, and where finished ones of a killed job are looked for."""

    workers: Workers = field(default_factory=Workers)
    work: Path | None = None

    @staticmethod
    def add_flags(p: ArgumentParser) -> None:
        """The flags of a script."""
        p.add_argument(
            "--threads", type=int, default=1, help="processes or threads, a case each at a time"
        )
        p.add_argument("--dask", default="", help="address of a dask scheduler, instead")
        p.add_argument("--work", type=Path, help="folder for finished cases of unfinished jobs")

    @classmethod
    def from_flags(cls, threads: int, dask: str, work: Path | None) -> "CaseWorkers":
        """From the values of the flags."""
        return cls(Workers(threads, dask or None), work)

    def kept(self, job: Job, counts: Callable[[str, Any], bool] = anything) -> Kept | None:
        """Results of a job with the same request that was killed, and of this one."""
        if self.work is None:
            return None
        return Kept(self.work / job.rule / job.key(), counts)


ALONE = CaseWorkers()  # one process, and nothing is looked for
