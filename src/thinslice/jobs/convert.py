"""Convert the raw files of one dataset to stores of volumes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.errors import in_case
from thinslice.interfaces import Case
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.volume import Grid


def convert(card: Mapping[str, Any], raw: Path, raw_record: Path, thin: Path, thick: Path) -> None:
    """Store a dataset's thin volumes at ``thin`` and those acquired thick at ``thick``.

    card    dataset entry of config.yaml
    raw     folder of the files that ``raw_record`` names
    """
    dataset = plugins.build("datasets", card)
    with recorded_job(
        record_path(thin),
        record_path(thick),
        rule="convert",
        cards={"dataset": card},
        inputs={"raw": raw_record},
        plugins=[plugins.module_name("datasets", card)],
    ) as job:
        with store.writing(thin) as thin_writer, store.writing(thick) as thick_writer:
            for case in dataset.cases(raw):
                about = {"patient": case.patient, "split": case.split, "source": dict(case.source)}
                with in_case(case.name):
                    target = target_of(case).to_json()
                    if case.thin is not None:
                        thin_writer.add(case.name, case.thin, **about)
                    if case.thick is not None:
                        thick_writer.add(case.name, case.thick, target=target, **about)
                print(f"converted {case.name} ({case.split})", flush=True)
        job.output("thin", thin)
        job.output("thick", thick)


def target_of(case: Case) -> Grid:
    """The grid that restored volumes of a case are to be on; ValueError if it names none."""
    grid = case.thin.grid if case.thin is not None else case.target
    if grid is None:
        raise ValueError(
            f"{case.name} has neither thin slices nor a target grid: correct the data set"
        )
    return grid
