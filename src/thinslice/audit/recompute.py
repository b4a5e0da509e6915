"""Compute a table again from the per-case scores behind it.

The scores a table names are read from their own files and compared with the evidence; then the
analysis is run again and its table compared with the one on disk: the requested row cell by cell,
and the whole as CSV, Markdown and LaTeX.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from thinslice import plugins
from thinslice.analyses import _evidence
from thinslice.audit import chain
from thinslice.columns import SCORED_BY
from thinslice.errors import Refused
from thinslice.interfaces import Evidence
from thinslice.provenance.records import read_record, record_path
from thinslice.report.tables import typeset


def row(table: Path, number: int) -> dict[str, str]:
    """Cells of data row ``number`` of a table, the first being 1. Refused if there is none."""
    rows = rows_of(table)
    if not 1 <= number <= len(rows):
        there = f"rows 1 to {len(rows)}, not {number}" if len(rows) else "no rows"
        raise Refused(f"{table} has {there}")
    return {str(name): str(cell) for name, cell in rows.iloc[number - 1].items()}


def rows_of(table: Path) -> pd.DataFrame:
    """The cells of a table as text."""
    return _rows(table.read_text(encoding="utf-8"))


def records_of(table: Path) -> list[str]:
    """Ids of every record a table rests on, each once."""
    rows = rows_of(table)
    lists = rows["records"] if "records" in rows else []
    return sorted({identity for ids in lists for identity in str(ids).split()})


def impossible(content: Mapping[str, Any]) -> str | None:
    """Why the table of an analysis' record cannot be computed again here; None if it can."""
    card = content["cards"].get("analysis")
    if card is None:
        return "its record names no analysis"
    if not chain.same_code("analysis", card):
        return f"the code of analysis {card['name']} that made it is not here"
    return None


def differences(table: Path, number: int | None = None) -> list[str]:
    """Where a table on disk is not what its evidence gives; the requested row first, by cell."""
    card = read_record(record_path(table))["cards"]["analysis"]
    evidence = _evidence_of(table)
    answer = plugins.build("analyses", card)(evidence)
    texts = typeset.texts(typeset.analysis_table(card, answer), evidence.skipped, evidence.scans)
    problems = [] if number is None else list(_cells(table, number, _rows(texts[".csv"])))
    for ending, text in texts.items():
        path = table.with_suffix(ending)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{path} is not what the per-case scores give")
    return problems


def unlike_their_source(table: Path, sources: dict[str, Path]) -> list[str]:
    """Records whose rows in the evidence differ from the files they came from.

    sources    id -> record, for every score, pairs and convert record to compare
    """
    evidence = _evidence_of(table)
    problems = []
    for identity, record in sources.items():
        rule = read_record(record)["rule"]
        if rule in SCORED_BY:
            same = _same(evidence.scores, _evidence.scores([record]), identity)
            if rule == "score":
                same = same and _same(evidence.runs, _evidence.runs([record]), identity)
        elif rule == "convert":
            same = _same(_cases(evidence), _evidence.cases([record]), identity)
        else:
            same = _same(evidence.pairs, _evidence.pairs([record]), identity)
        if not same:
            problems.append(f"evidence of record {identity} is not what {record} made")
    return problems


def _cases(evidence: Evidence) -> pd.DataFrame:
    return pd.DataFrame() if evidence.cases is None else evidence.cases


def _evidence_of(table: Path) -> Evidence:
    record = read_record(record_path(table))
    return _evidence.read_evidence(Path(record["inputs"]["evidence"]["path"]).parent)


def _same(gathered: pd.DataFrame, source: pd.DataFrame, identity: str) -> bool:
    """Whether the evidence holds the rows of one record unchanged, by their text."""
    if not set(source.columns) <= set(gathered.columns):
        return False
    here = pd.DataFrame(gathered.loc[gathered["record"] == identity], columns=source.columns)
    return here.to_csv(index=False) == source.to_csv(index=False)


def _cells(table: Path, number: int, again: pd.DataFrame) -> Iterator[str]:
    on_disk = row(table, number)
    if number > len(again):
        yield f"{table} row {number}: the analysis now gives {len(again)} rows only"
        return
    fresh = again.iloc[number - 1]
    for name, cell in on_disk.items():
        if cell != fresh.get(name):
            yield f"{table} row {number}, {name}: {cell!r} on disk, {fresh.get(name)!r} recomputed"


def _rows(text: str) -> pd.DataFrame:
    """A table's cells as text."""
    try:
        return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
