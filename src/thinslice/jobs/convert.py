"""Convert the raw files of one dataset to stores of volumes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from thinslice import plugins, store
from thinslice.errors import Refused, SetAside, all_refused, in_case
from thinslice.interfaces import Case, ComparedByCase, ReadByCase
from thinslice.jobs.case_workers import ALONE, CaseWorkers
from thinslice.jobs.strata import of_set_aside, stratum_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.runtime.over_cases import over_cases
from thinslice.volume import Grid


def convert(
    card: Mapping[str, Any],
    raw: Path,
    raw_record: Path,
    thin: Path,
    thick: Path,
    run: CaseWorkers = ALONE,
) -> None:
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
        key = job.key()
        with store.writing(thin, key) as thin_writer, store.writing(thick, key) as thick_writer:
            kept = run.kept(job, partial(_is_stored, thin_writer.cases, thick_writer.cases))
            writers = Writers(thin_writer.elsewhere, thick_writer.elsewhere)
            if isinstance(dataset, ReadByCase):
                readers = dataset.readers(raw)
                task = partial(convert_case, readers, writers)
                converted = over_cases(task, list(readers), run.workers, kept)
                if isinstance(dataset, ComparedByCase):
                    dataset.compare({each["case"]: each["digest"] for each in converted})
            else:
                converted = [store_case(case, writers) for case in distinct(dataset.cases(raw))]
            refuse_all_set_aside(converted)
            thin_writer.include()
            thick_writer.include()
        job.output("thin", thin)
        job.output("thick", thick)
        job.fact("cases", [each["stratum"] for each in converted if each["stratum"]])
        job.fact("warnings", {each["case"]: w for each in converted if (w := each["warnings"])})
    if kept:
        kept.done()


def distinct(cases: Iterable[Case]) -> Iterator[Case]:
    """The same cases; ValueError where a name comes again."""
    names = set()
    for case in cases:
        if case.name in names:
            raise ValueError(f"case {case.name!r} came already: correct the data set")
        names.add(case.name)
        yield case


class Writers(NamedTuple):
    """Writers of the two stores; a scan's thick one may stay without the case."""

    thin: store.CaseWriter
    thick: store.CaseWriter


def convert_case(
    readers: Mapping[str, Callable[[], Case]], writers: Writers, name: str
) -> dict[str, Any]:
    """Read and store one case, or set it aside."""
    try:
        case = readers[name]()
    except SetAside as error:
        stratum = of_set_aside(name, error)
        print(f"set aside {name}: {stratum['set_aside']}", flush=True)
        nothing = {"thin": False, "thick": False, "warnings": [], "digest": ""}
        return {"case": name, **nothing, "stratum": stratum}
    if case.name != name:
        raise ValueError(f"the reader of case {name!r} gave {case.name!r}: correct the data set")
    return store_case(case, writers)


def store_case(case: Case, writers: Writers) -> dict[str, Any]:
    """Store the scans of a case; its name, which scans it has, its warnings, and the digest of its
    thin voxels."""
    about = {"patient": case.patient, "split": case.split, "source": dict(case.source)}
    with in_case(case.name):
        target = target_of(case).to_json()
        if case.thin is not None:
            writers.thin.add(case.name, case.thin, **about)
        if case.thick is not None:
            writers.thick.add(case.name, case.thick, target=target, **about)
    print(f"converted {case.name} ({case.split})", flush=True)
    warnings = warnings_of(case.source)
    for words in warnings:
        print(f"warning: {case.name}: {words}", flush=True)
    has = {"thin": case.thin is not None, "thick": case.thick is not None}
    digest = case.thin.digest() if case.thin is not None else ""
    facts = {"digest": digest, "stratum": stratum_of(case)}
    return {"case": case.name, **has, "warnings": warnings, **facts}


def refuse_all_set_aside(converted: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a data set that sets every case aside, with each reason."""
    reasons = [each["stratum"]["set_aside"] for each in converted if each["stratum"]]
    if reasons and len(reasons) == len(converted) and all(reasons):
        named = zip(converted, reasons)
        raise all_refused([Refused(f"case {each['case']}: {why}") for each, why in named])


def _is_stored(
    thin: frozenset[str], thick: frozenset[str], name: str, converted: Mapping[str, Any]
) -> bool:
    """Whether the scans of a case that was converted before are still in the unfinished stores."""
    case = converted["case"]
    return (not converted["thin"] or case in thin) and (not converted["thick"] or case in thick)


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
