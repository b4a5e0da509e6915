"""Read the evidence of the analyses: scores, runs and slice pairs.

Every row carries ``record``, the id of the job record its numbers came from.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from thinslice.columns import CASES, PAIRS, TEXT
from thinslice.interfaces import Evidence
from thinslice.provenance.records import SUFFIX, BrokenLinkError, output_of, read_record


def read_evidence(folder: Path) -> Evidence:
    """The evidence in ``folder``, as the evidence job wrote it."""
    skipped = read_table(folder / "skipped.csv")
    warned = folder / "scans.csv"  # not there in results of 0.1.0
    scans = read_table(warned) if warned.exists() else scan_notes([])
    cases = folder / "cases.csv"  # not there in results of 0.3.0
    return Evidence(
        scores=read_table(folder / "scores.csv"),
        runs=read_table(folder / "runs.csv"),
        pairs=read_table(folder / "pairs.csv"),
        skipped=tuple(zip(skipped["cells"], skipped["reason"])),
        scans=tuple(zip(scans["dataset"], scans["note"])),
        cases=read_table(cases) if cases.exists() else None,
    )


def scores(records: Sequence[Path]) -> pd.DataFrame:
    """The rows of every scores CSV, each with the id of its record."""
    return _stack(_rows_of(record, "scores") for record in records)


def runs(records: Sequence[Path]) -> pd.DataFrame:
    """Seconds, memory and parameters of every restored case behind the scores, once a cell."""
    scored = [each for each in map(read_record, records) if each.get("rule") != "segment"]
    return pd.DataFrame([row for each in scored for row in _runs(each)])


def pairs(records: Sequence[Path]) -> pd.DataFrame:
    """The rows of every slice-pairs CSV, each with the id of its record."""
    rows = _stack(_rows_of(record, "pairs") for record in records)
    return rows if len(rows.columns) else pd.DataFrame(columns=list(PAIRS))


def scan_notes(records: Sequence[Path]) -> pd.DataFrame:
    """What readers warned of, from records of convert jobs: one row a data set and warning.

    Cases that share a warning share its row.
    """
    named: dict[tuple[str, str], list[str]] = {}
    for record in map(read_record, records):
        for case, notes in record["facts"].get("warnings", {}).items():
            for note in notes:
                named.setdefault((record["cards"]["dataset"]["name"], note), []).append(case)
    rows = [(dataset, f"{', '.join(cases)}: {note}") for (dataset, note), cases in named.items()]
    return pd.DataFrame(rows, columns=["dataset", "note"])


def cases(records: Sequence[Path]) -> pd.DataFrame:
    """The cases with thin and acquired thick slices, by records of convert jobs."""
    rows = [
        {"dataset": record["cards"]["dataset"]["name"], **case, "record": record["id"]}
        for record in map(read_record, records)
        for case in record["facts"].get("cases", [])
    ]
    return pd.DataFrame(rows, columns=list(CASES))


def set_aside(table: pd.DataFrame) -> list[tuple[str, str]]:
    """(cells, reason) of the cases that a data set did not give."""
    rows = table.loc[table["set_aside"] != ""]
    return [
        (f"{dataset}: case {case}", why)
        for dataset, case, why in zip(rows["dataset"], rows["case"], rows["set_aside"])
    ]


def joined(records: Sequence[Path], name: str) -> pd.DataFrame:
    """One table of several gather jobs, "scores" or "runs", under each other."""
    return _stack(read_output(record, name) for record in records)


def record_of(folder: Path) -> Path:
    """The record of the evidence in ``folder``."""
    return folder / f"evidence{SUFFIX}"


def read_output(record: Path, name: str) -> pd.DataFrame:
    """A table that a job made, by its name in the record."""
    return read_table(output_of(record, name))


def _rows_of(record: Path, name: str) -> pd.DataFrame:
    return read_output(record, name).assign(record=read_record(record)["id"])


def _runs(score: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per case, from the restore record that a score record links to.

    The row carries the score record's id: its chain holds the restore record.
    """
    cell = score["cards"]["cell"]
    restore = _record_behind(score["inputs"]["restored"])
    facts = restore["facts"]
    slices = facts.get("slices", {})
    shared = {
        "parameters": facts["parameters"],
        "peak_memory_gib": facts.get("peak_memory_gib", restore["peak_memory_gib"]),  # of shards
        "gpu_memory_gib": facts.get("gpu_memory_gib"),
        "train_s": _train_s(restore),
        "device": facts["device"],
        "fidelity": facts["fidelity"],
        "record": score["id"],
    }
    return [
        {**cell, "case": case, "wall_s": s, "slices": slices.get(case), **shared}
        for case, s in facts["wall_s"].items()
    ]


def _train_s(restore: Mapping[str, Any]) -> float | None:
    """Seconds of the training behind a restore record; None without one, or where it is unknown."""
    weights = restore["inputs"].get("weights", {})
    if not weights.get("record"):
        return None
    return _record_behind(weights)["facts"].get("train_s")


def _record_behind(link: Mapping[str, Any]) -> dict[str, Any]:
    """The record that an input names; BrokenLinkError if another one lies there now."""
    record = read_record(Path(link["record"]))
    if record["id"] != link["record_id"]:
        raise BrokenLinkError(
            f"{link['record']} is record {record['id']}, but what rests on it was made from "
            f"{link['record_id']}; run the workflow again"
        )
    return record


def _stack(tables: Any) -> pd.DataFrame:
    """Concatenate tables; empty ones are left out, since they have no dtypes."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def read_table(path: Path) -> pd.DataFrame:
    """A CSV of ours: names stay text even where they look like numbers, an empty number is nan."""
    try:
        columns = pd.read_csv(path, nrows=0).columns
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    text = [name for name in columns if name in TEXT]
    table = pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""])
    return table.assign(**{name: table[name].fillna("") for name in text})
