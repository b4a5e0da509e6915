"""Compare thin and acquired thick slices of one dataset by their distance along z."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.columns import SIMULATED, csv_text
from thinslice.fs.atomic import write_text
from thinslice.interfaces import ACQUIRED
from thinslice.jobs.case_workers import ALONE, CaseWorkers
from thinslice.metrics.slice_pairs import slice_pairs
from thinslice.pairs.simulated import simulated
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.runtime.over_cases import over_cases
from thinslice.volume import Volume


def pairs(thin: Path, thick: Path, sim: str, out: Path, run: CaseWorkers = ALONE) -> None:
    """Write how alike thin and thick slices are, case by case, as CSV: one number a row.

    thin, thick    stores of volumes of the same patients
    sim            "sim" where the scans are simulated, or empty
    """
    inputs = {"thin": thin, "thick": thick}
    with recorded_job(record_path(out), rule="pairs", cards={}, inputs=inputs) as job:
        cases = store.open_store(thick).cases()
        kept = run.kept(job)
        compared = over_cases(partial(pair_case, thin, thick), cases, run.workers, kept)
        rows = []
        for case, (about, found) in zip(cases, compared, strict=True):
            cell = {"dataset": out.stem, "degradation": ACQUIRED, "case": case, "sim": sim}
            rows += [{**cell, **about, **row} for row in found]
        write_text(out, csv_text(rows))
        job.output("pairs", out)
    if kept:
        kept.done()


def pair_case(thin: Path, thick: Path, case: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Patient and split of one case, and its rows."""
    thin_store, thick_store = store.open_store(thin), store.open_store(thick)
    about = {key: thin_store.about(case)[key] for key in ("patient", "split")}
    volumes = thin_store.read(case), thick_store.read(case)
    return about, [*pair_rows(slice_pairs(*volumes)), *simulated_rows(*volumes)]


def simulated_rows(thin: Volume, thick: Volume) -> Iterator[dict[str, Any]]:
    """Simulated thick slices against the acquired ones, long; none of CT that varies too little."""
    if thin.modality != "CT":
        return
    try:
        rows = simulated(thin, thick)
    except ValueError as error:
        print(f"no simulation is compared: {error}", file=sys.stderr, flush=True)
        return
    for row in rows:
        same = {"degradation": row.simulation, "relation": "match", "distance_mm": 0.0}
        for metric, unit in {"rmse_hu": "HU", "bias_hu": "HU", "fwhm_mm": "mm"}.items():
            number = {"metric": metric, "unit": unit, "value": getattr(row, metric), "n": row.n}
            yield {**same, "protocol": SIMULATED, **number}


def pair_rows(comparisons: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Slice-pair comparisons as long rows, one number each; relations without a pair left out."""
    units = {"psnr_db": "dB", "ssim": "1"}
    for comparison in comparisons:
        same = {
            "relation": comparison["relation"].lower(),
            "distance_mm": comparison["distance_mm"],
            "protocol": "pairs",
            "n": comparison["n"],
        }
        for metric, unit in units.items():
            if comparison["n"]:
                yield {**same, "metric": metric, "unit": unit, "value": comparison[metric]}
