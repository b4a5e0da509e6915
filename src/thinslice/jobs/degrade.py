"""Simulate the thick volumes of one dataset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.operators.degradation import thick_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path


def degrade(card: Mapping[str, Any], thin: Path, out: Path) -> None:
    """Store the thick volume of every case at ``out``, with its thin grid as the target.

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
        with store.writing(out) as writer:
            for case in thin_store.cases():
                scan = thin_store.scan(case)
                about = {**thin_store.about(case), "target": scan.grid.to_json()}
                about["source"] = made_from(about["source"])
                writer.add(case, thick_of(degradation, scan), **about)
        job.output("thick", out)


def made_from(source: Mapping[str, Any]) -> dict[str, Any]:
    """The source of simulated slices: that of their thin scan, not of the scanner's thick one."""
    return {name: part for name, part in source.items() if name != "thick"}
