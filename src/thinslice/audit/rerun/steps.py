"""The jobs that make one cell, from raw data to its scores, as their records have them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.errors import Refused
from thinslice.provenance.job import SCRIPTS
from thinslice.provenance.records import read_record

CLUSTER = "--dask="
JOINED, WHOLE = "join_shards.py", "restore.py"
FITTING = ("train", "segmenter")  # rules whose results are weights


class Step(NamedTuple):
    """One job.

    record    where its record lies, relative to the folder of the run
    content   the record
    as_input  whether its results are inputs of the others, and it is not run
    """

    record: Path
    content: Mapping[str, Any]
    as_input: bool

    @property
    def command(self) -> list[str]:
        """Script and flags, without the cluster that computed then; of a cell joined from shards,
        those of one job for all of it."""
        script, *flags = self.content["command"]
        flags = [flag for flag in flags if not flag.startswith(CLUSTER)]
        if script != JOINED:
            return [script, *flags]
        first = flags.index("--shards")
        after = next((k for k in range(first + 1, len(flags)) if flags[k].startswith("--")), None)
        rest = flags[:first] + ([] if after is None else flags[after:])
        return [WHOLE, "--work", "results/work", "--device", "auto", *rest]


def of_cell(score: Path, *, keep_weights: bool = False) -> list[Step]:
    """The jobs of the cell that a score record is of, each after those it rests on.

    keep_weights   take the weights as they are, and train nothing

    Raises Refused where one of them was made by a command that is not here, or into a folder that
    is not below ``results``: records may be a stranger's.
    """
    steps = list(_upstream(score, keep_weights, set()))
    for step in steps:
        for path in (step.record, *(each["path"] for each in step.content["outputs"].values())):
            if ".." in Path(path).parts or Path(path).parts[:1] != ("results",):
                raise Refused(f"{step.record} made {path}: found a path outside results; not run")
        script = step.content["command"][0]
        if not step.as_input and step.command[0] not in {
            path.name for path in SCRIPTS.glob("*.py")
        }:
            raise Refused(
                f"{step.record} was made by {script}, which is not here; run this in the checkout "
                "of the workflow"
            )
    return steps


def _upstream(record: Path, keep_weights: bool, seen: set[str]) -> Iterator[Step]:
    content = read_record(record)
    if content["id"] in seen:
        return
    seen.add(content["id"])
    as_input = keep_weights and content["rule"] in FITTING
    if not as_input:
        for link in content["inputs"].values():
            if link["record"] is not None:
                yield from _upstream(Path(link["record"]), keep_weights, seen)
    yield Step(record, content, as_input)
