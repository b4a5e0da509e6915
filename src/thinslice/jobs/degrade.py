"""Simulate the thick volumes of one dataset."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.errors import UnusableCaseError, in_case
from thinslice.interfaces import SPLITS
from thinslice.jobs.left_out import FACT, LeftOut, fact_of, refuse_none_left
from thinslice.operators.degradation import thick_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path


def degrade(card: Mapping[str, Any], thin: Path, out: Path) -> None:
    """Store the thick volume of every case at ``out``, with its thin grid as the target.

    A scan too short for one thick slice is left out, and named in the record; Refused where a split
    would be left without a case.

    card    degradation entry of config.yaml
    thin    store of thin volumes
    """
    degradation = plugins.build("degradations", card)
    thin_store = store.open_store(thin)
    with recorded_job(
        record_path(out),
        rule="degrade",
        cards={"degradation": card},
        inputs={"thin": thin},
        plugins=[plugins.module_name("degradations", card)],
    ) as job:
        left_out: list[LeftOut] = []
        with store.writing(out) as writer:
            for case in thin_store.cases():
                scan = thin_store.scan(case)
                about = {**thin_store.about(case), "target": scan.grid.to_json()}
                about["source"] = made_from(about["source"])
                try:
                    with in_case(case):
                        writer.add(case, thick_of(degradation, scan), **about)
                except UnusableCaseError as error:
                    print(f"left out: {error}", file=sys.stderr, flush=True)
                    reason = str(error).removeprefix(f"case {case}: ")
                    left_out.append(LeftOut(case, "", reason))
            for split in SPLITS:
                refuse_none_left(left_out, thin_store.cases(split), f"no {split} case is left")
        job.output("thick", out)
        job.fact(FACT, fact_of(left_out))


def made_from(source: Mapping[str, Any]) -> dict[str, Any]:
    """The source of simulated slices: that of their thin scan, not of the scanner's thick one."""
    return {name: part for name, part in source.items() if name != "thick"}
