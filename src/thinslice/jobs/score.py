"""Score the restored cases of one cell by every protocol."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thinslice import plugins, store
from thinslice.columns import csv_text
from thinslice.errors import UnusableCaseError
from thinslice.fs.atomic import write_text
from thinslice.interfaces import (
    ACQUIRED,
    Degradation,
    PlaneDegradation,
    ScoringInput,
    ScoringProtocol,
)
from thinslice.jobs.case_workers import ALONE, CaseWorkers
from thinslice.jobs.known_truth import truth_rows
from thinslice.jobs.left_out import FACT, LeftOut, fact_of, of_store, refuse_none_left
from thinslice.operators import profile_fit
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path
from thinslice.runtime.over_cases import over_cases
from thinslice.volume import Volume

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def score(
    protocols: Sequence[Mapping[str, Any]],
    degradation: Mapping[str, Any],
    cell: Mapping[str, Any],
    restored: Path,
    thin: Path,
    thick: Path,
    out: Path,
    run: CaseWorkers = ALONE,
) -> None:
    """Write one long table of scores as CSV, one number a row.

    protocols               entries of config.yaml
    degradation             entry of config.yaml; only its name where thick was acquired
    cell                    columns that name the cell
    restored, thin, thick   stores of volumes of the same cases
    """
    modules = [plugins.module_name("protocols", card) for card in protocols]
    if degradation["name"] != ACQUIRED:
        modules.append(plugins.module_name("degradations", degradation))
    with recorded_job(
        record_path(out),
        rule="score",
        cards={"protocols": protocols, "degradation": degradation, "cell": cell},
        inputs={"restored": restored, "thin": thin, "thick": thick},
        plugins=modules,
    ) as job:
        cases = store.open_store(restored).cases()
        fidelity = read_record(record_path(restored))["facts"]["fidelity"]
        task = partial(score_case, protocols, degradation, (restored, thin, thick))
        kept = run.kept(job)
        scored = over_cases(task, cases, run.workers, kept)
        table, left_out = [], []
        for case, (patient, found, unusable) in zip(cases, scored, strict=True):
            start = {**cell, "case": case, "patient": patient, "fidelity": fidelity}
            table += [{**start, **row} for row in found]
            left_out += [LeftOut(case, *each) for each in unusable]
        for name in (card["name"] for card in protocols):
            missing = [each for each in left_out if each.protocol == name]
            refuse_none_left(missing, cases, f"{name} can score no case")
        tests = store.open_store(thin).cases("test")
        left_out += [each for each in of_store(thick) if each.case in tests]
        write_text(out, csv_text(table))
        job.output("scores", out)
        job.fact("cases", len(cases))
        job.fact(FACT, fact_of(left_out))
    if kept:
        kept.done()


def score_case(
    protocols: Sequence[Mapping[str, Any]],
    degradation: Mapping[str, Any],
    stores: tuple[Path, Path, Path],
    case: str,
) -> tuple[str, list[dict[str, Any]], list[tuple[str, str]]]:
    """Patient of one case, its rows, and the protocols that cannot score it, with why.

    stores    of restored, thin and thick volumes
    """
    restored, thin, thick = map(store.open_store, stores)
    built = {card["name"]: plugins.build("protocols", card) for card in protocols}
    volumes = (each.read(case) for each in (restored, thin, thick))
    scored = scoring_input(*volumes, simulation=degradation_of(degradation))
    table, unusable = rows(scored, built)
    about = thin.about(case)
    return about["patient"], [*table, *truth_rows(scored, about["source"])], unusable


def degradation_of(card: Mapping[str, Any]) -> Degradation | None:
    """The simulation behind a thick store; None for the acquired series."""
    return None if card["name"] == ACQUIRED else plugins.build("degradations", card)


def scoring_input(
    restored: Volume, thin: Volume, thick: Volume, simulation: Degradation | None
) -> ScoringInput:
    """One case for the protocols, with the matrices by which its thick slices arise from thin ones.

    Simulated thick: the declared ones. Acquired thick: taps fitted to this case's own pair, since
    no scanner declares its profile; none where its pixels are not the thin scan's.
    """
    if simulation is None:
        return ScoringInput(restored, thin, thick, _measured(thin, thick))
    grids = (thin.grid, thick.grid)
    planes = simulation.planes(*grids) if isinstance(simulation, PlaneDegradation) else None
    return ScoringInput(restored, thin, thick, simulation.matrix(*grids), planes)


def _measured(thin: Volume, thick: Volume) -> "csr_array | None":
    """The pair's own taps as a matrix; None, with a message, where they cannot be fitted."""
    try:
        return profile_fit.matrix_from_taps(
            profile_fit.fit_taps(thin, thick), thin.grid, thick.grid
        )
    except ValueError as error:
        print(f"data consistency is not scored: {error}", file=sys.stderr)
        return None


def rows(
    scored: ScoringInput, protocols: Mapping[str, ScoringProtocol]
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """One row per protocol and metric; and the protocols that cannot score the case, with why."""
    table, unusable = [], []
    for name, protocol in protocols.items():
        try:
            numbers = protocol.score(scored)
        except UnusableCaseError as error:
            print(f"left out of protocol {name}: {error}", file=sys.stderr, flush=True)
            unusable.append((name, str(error)))
            continue
        table += [{"protocol": name, **number._asdict()} for number in numbers]
    return table, unusable
