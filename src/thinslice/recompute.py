"""A table's row, computed again from the per-case scores it rests on.

The scores the row names are read from their own files and compared with the evidence; then the
analysis is run again and its row compared with the row on disk, cell by cell.
"""

import io
from pathlib import Path

import pandas as pd

from thinslice import evidence, plugins, provenance
from thinslice.provenance import BrokenLinkError


def row(table: Path, number: int) -> pd.Series:
    """Data row ``number`` of a table, the first being 1; text cells. BrokenLinkError if none."""
    if not table.is_file():
        raise BrokenLinkError(f"{table} is missing")
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    if not 1 <= number <= len(rows):
        raise BrokenLinkError(f"{table} has rows 1 to {len(rows)}, not {number}")
    return rows.iloc[number - 1]


def analysis_of(table: Path) -> pd.DataFrame:
    """The analysis behind a table, run again on the evidence; as text, like the file."""
    record = provenance.read(provenance.record_of(table))
    folder = Path(record["inputs"][0]["path"]).parent
    answer = plugins.build("analyses", record["cards"]["analysis"])(evidence.read(folder))
    return pd.read_csv(io.StringIO(answer.to_csv(index=False)), dtype=str, keep_default_na=False)


def differences(table: Path, number: int) -> list[str]:
    """Where the row on disk is not what the per-case scores give; empty where it is."""
    on_disk = row(table, number)
    again = analysis_of(table)
    if number > len(again):
        return [f"{table} row {number}: the analysis now gives {len(again)} rows only"]
    fresh = again.iloc[number - 1]
    return [
        f"{table} row {number}, {name}: {on_disk[name]!r} on disk, {fresh.get(name)!r} recomputed"
        for name in on_disk.index
        if on_disk[name] != fresh.get(name)
    ]


def unlike_their_source(table: Path, records: list[str], found: dict[str, Path]) -> list[str]:
    """Score records whose rows in the evidence differ from the per-case file they came from."""
    record = provenance.read(provenance.record_of(table))
    folder = Path(record["inputs"][0]["path"]).parent
    kept = evidence.read(folder)
    gathered = pd.concat([kept.scores, kept.pairs], ignore_index=True)
    problems = []
    for identity in records:
        if identity not in found:
            continue
        source = evidence.scores([found[identity]])
        here = gathered[gathered["record"] == identity][list(source.columns)]
        if here.to_csv(index=False) != source.to_csv(index=False):
            problems.append(f"evidence of record {identity} is not what {found[identity]} made")
    return problems
