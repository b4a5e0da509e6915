"""The evidence of the analyses: scores, runs and slice pairs, read from where jobs left them.

Every row carries ``record``, the id of the job record its numbers came from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from thinslice import provenance
from thinslice.seams import Evidence

TEXT = (
    "dataset", "degradation", "method", "fitted_on", "sim", "fidelity", "better", "unit", "patient",
    "case", "device", "record", "records",
)  # fmt: skip
PAIRS = (
    "dataset", "degradation", "case", "sim", "patient", "split", "relation", "distance_mm",
    "protocol", "metric", "unit", "value", "n", "record",
)  # fmt: skip


def read(folder: Path) -> Evidence:
    """The evidence a run left in ``folder``."""
    skipped = _table(folder / "skipped.csv")
    return Evidence(
        scores=_table(folder / "scores.csv"),
        runs=_table(folder / "runs.csv"),
        pairs=_table(folder / "pairs.csv"),
        skipped=tuple(zip(skipped["cells"], skipped["reason"])),
    )


def scores(records: Sequence[Path]) -> pd.DataFrame:
    """The rows of every scores CSV, each with the id of its record."""
    return _stack(_outputs(record) for record in records)


def runs(records: Sequence[Path]) -> pd.DataFrame:
    """Seconds, memory and parameters of every restored case behind the scores."""
    return pd.DataFrame([row for record in records for row in _runs(provenance.read(record))])


def pairs(records: Sequence[Path]) -> pd.DataFrame:
    """The rows of every slice-pairs CSV, each with the id of its record."""
    found = _stack(_outputs(record) for record in records)
    return found if len(found.columns) else pd.DataFrame(columns=list(PAIRS))


def pair_rows(found: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Slice-pair comparisons as long rows, one number each; relations without a pair left out."""
    units = {"psnr_db": "dB", "ssim": "1"}
    for row in found:
        same = {
            "relation": row["relation"].lower(),
            "distance_mm": row["distance_mm"],
            "protocol": "pairs",
            "n": row["n"],
        }
        for metric, unit in units.items():
            if row["n"]:
                yield {**same, "metric": metric, "unit": unit, "value": row[metric]}


def joined(records: Sequence[Path], name: str) -> pd.DataFrame:
    """One table of several gather jobs, under each other."""
    return _stack(_table(record.with_name(_named(record, name))) for record in records)


def _named(record: Path, name: str) -> str:
    return record.name.replace(provenance.SUFFIX, f".{name}.csv")


def _outputs(path: Path) -> pd.DataFrame:
    record = provenance.read(path)
    table = _table(Path(record["outputs"][0]["path"]))
    return table.assign(record=record["id"])


def _runs(score: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per case, from the restore record that a score record links to.

    The row carries the score record's id: its chain holds the restore record.
    """
    cell = score["cards"]["cell"]
    restore = provenance.read(Path(score["inputs"][0]["record"]))
    facts = restore["facts"]
    shared = {
        "parameters": facts["parameters"],
        "peak_memory_gib": restore["peak_memory_gib"],
        "device": facts["device"],
        "fidelity": facts["fidelity"],
        "record": score["id"],
    }
    return [{**cell, "case": case, "wall_s": s, **shared} for case, s in facts["wall_s"].items()]


def _stack(tables: Any) -> pd.DataFrame:
    """Tables under each other; the empty ones say nothing of dtypes."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _table(path: Path) -> pd.DataFrame:
    """A CSV whose text columns stay text even where they are empty or look like numbers."""
    try:
        head = pd.read_csv(path, nrows=0)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    text = {name: str for name in TEXT if name in head.columns}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values={"value": ["nan"]})
