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
    warnings: dict[str, list[str]] = {}
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
                warnings[case.name] = warnings_of(case.source)
                for words in warnings[case.name]:
                    print(f"warning: {case.name}: {words}", flush=True)
        job.output("thin", thin)
        job.output("thick", thick)
        job.fact("warnings", {name: words for name, words in warnings.items() if words})


def warnings_of(source: Mapping[str, Any]) -> list[str]:
    """What there is to know of a case's scans: of each as it was read, then of both together."""
    parts = [(f"{name} scan: ", source.get(name)) for name in ("thin", "thick")]
    return [
        lead + words
        for lead, part in (*parts, ("", source))
        if isinstance(part, Mapping)
        for words in part.get("warnings", ())
    ]


def target_of(case: Case) -> Grid:
    """The grid that restored volumes of a case are to be on; ValueError if it names none."""
    grid = case.thin.grid if case.thin is not None else case.target
    if grid is None:
        raise ValueError(
            f"{case.name} has neither thin slices nor a target grid: correct the data set"
        )
    return grid
