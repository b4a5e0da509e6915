"""Simulate the thick volumes of one dataset."""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.errors import UnusableCaseError, in_case
from thinslice.interfaces import SPLITS
from thinslice.jobs.case_workers import ALONE, CaseWorkers
from thinslice.jobs.left_out import FACT, LeftOut, fact_of, refuse_none_left
from thinslice.operators.degradation import thick_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.runtime.over_cases import over_cases
from thinslice.runtime.shared_cases import thread


def degrade(card: Mapping[str, Any], thin: Path, out: Path, run: CaseWorkers = ALONE) -> None:
    """Store the thick volume of every case at ``out``, with its thin grid as the target.

    A scan too short for one thick slice is left out, and named in the record; Refused where a split
    would be left without a case.

    card    degradation entry of config.yaml
    thin    store of thin volumes
    """
    thin_store = store.open_store(thin)
    with recorded_job(
        record_path(out),
        rule="degrade",
        cards={"degradation": card},
        inputs={"thin": thin},
        plugins=[plugins.module_name("degradations", card)],
    ) as job:
        with store.writing(out, job.key()) as writer:
            missing = [case for case in thin_store.cases() if case not in writer.cases]
            task = partial(degrade_case, card, thin, writer.elsewhere)
            # decoding, sparse products and encoding release Python's lock
            degraded = over_cases(task, missing, run.workers, beside=thread)
            reasons = dict(zip(missing, degraded, strict=True))
            left_out = [LeftOut(case, "", why) for case, why in reasons.items() if why]
            for split in SPLITS:
                refuse_none_left(left_out, thin_store.cases(split), f"no {split} case is left")
            writer.include()
        job.output("thick", out)
        job.fact(FACT, fact_of(left_out))


def degrade_case(
    card: Mapping[str, Any], thin: Path, writer: store.CaseWriter, case: str
) -> str | None:
    """Store the thick volume of one case; why it is left out, or None."""
    thin_store = store.open_store(thin)
    scan = thin_store.scan(case)
    about = {**thin_store.about(case), "target": scan.grid.to_json()}
    about["source"] = made_from(about["source"])
    degradation = plugins.build("degradations", card)
    try:
        with in_case(case):
            writer.add(case, thick_of(degradation, scan), **about)
    except UnusableCaseError as error:
        print(f"left out: {error}", file=sys.stderr, flush=True)
        return str(error).removeprefix(f"case {case}: ")
    return None


def made_from(source: Mapping[str, Any]) -> dict[str, Any]:
    """The source of simulated slices: that of their thin scan, not of the scanner's thick one."""
    return {name: part for name, part in source.items() if name != "thick"}
