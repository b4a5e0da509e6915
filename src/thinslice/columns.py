"""Columns of the evidence and of every table: name, type and meaning. Standard library only.

A column has one type and one meaning wherever it occurs. "text" is never a number to a reader of
the CSV, even where it looks like one: ``phase_mm`` names a metric, like ``view`` does.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from thinslice.errors import Refused

RELATIONS = ("match", "near", "far")  # of a thick and a thin slice: at one place, 1 mm, 2 mm apart
VIEWS = ("axial", "coronal", "sagittal", "3d")
PHASE = re.compile(r"[0-9.]+mm")
SIMULATED = "simulated"  # the protocol of pairs' rows: simulated against acquired thick slices
TRUTH = "truth"  # the protocol of scores against known solids
SIM = "sim"  # printed beside numbers that rest on simulated data

SCORED_BY = ("score", "segment")  # rules whose rows are scores of a cell

CELL = ("dataset", "degradation", "method", "fitted_on")  # names a restore job
METRIC = ("metric", "view", "range", "phase_mm")  # names what was measured
LABELS = ("fidelity", "sim")
SCORES = (
    *CELL, "sim", "case", "patient", "fidelity", "protocol", "metric", "unit", "better", "value",
    "n", *METRIC[1:], "mask", "record",
)  # fmt: skip
RUNS = (
    *CELL, "sim", "case", "wall_s", "slices", "parameters", "peak_memory_gib", "gpu_memory_gib",
    "train_s", "device", "fidelity", "record",
)  # fmt: skip
CASES = (
    "dataset", "case", "patient", "split", "maker", "ratio", "kernel", "set_aside", "record",
)  # fmt: skip
STRATA = ("maker", "ratio", "kernel")  # what cases are told apart by
PAIRS = (
    "dataset", "degradation", "case", "sim", "patient", "split", "relation", "distance_mm",
    "protocol", "metric", "unit", "value", "n", "record",
)  # fmt: skip


class Column(NamedTuple):
    """One column: its name, "text", "float" or "int", and what it holds."""

    name: str
    dtype: str
    meaning: str


COLUMNS = (
    Column("dataset", "text", "data set of the test cases"),
    Column("degradation", "text", "how their thick slices came about; `acquired`: by the scanner"),
    Column("method", "text", "method, as the config names it"),
    Column("fitted_on", "text", "`dataset/degradation` of the training cases; empty: not trained"),
    Column("tested_on", "text", "`dataset/degradation` of the test cases"),
    Column("reference", "text", "the training cases that a drop is counted from"),
    Column("against", "text", "the other method of a pair"),
    Column("against_fitted_on", "text", "its training cases"),
    Column("against_fidelity", "text", "its fidelity"),
    Column("fidelity", "text", "what the method reproduces: `as-published`, `textbook`, ..."),
    Column("sim", "text", "`sim` where the scan or its thick slices are simulated, else empty"),
    Column("case", "text", "scan"),
    Column("patient", "text", "patient of the scan"),
    Column("split", "text", "`train`, `val` or `test`"),
    Column("maker", "text", "maker of the scanner, in one word; `unknown`: not stated"),
    Column("ratio", "text", "thickness of thin and thick slices, mm, as stated: `1/5`"),
    Column("kernel", "text", "of thin and thick slices: `same`, `different` or `unknown`"),
    Column("set_aside", "text", "why a case is not used; empty: it is"),
    Column("stratum", "text", "cases that the row is about: `maker ge`; `all`: every case"),
    Column("reason", "text", "what set cases aside, in one word"),
    Column("pairs", "int", "candidates for pairs of thin and thick slices"),
    Column("used", "int", "of these, the ones that are not set aside"),
    Column("simulation", "text", "how thick slices were simulated: `box`, `gaussian`, `fitted`"),
    Column("measured", "text", "what was measured: `restored`, `thin` or `thick` slices"),
    Column("best", "text", "the simulation nearest to the acquired slices: `best`, else empty"),
    Column("relation", "text", "of a thick and a thin slice: `match`, `near` or `far`"),
    Column("distance_mm", "float", "distance of the two slices, mm"),
    Column("protocol", "text", "scoring protocol"),
    Column("metric", "text", "what was measured, e.g. `rmse_hu`, `ssim`"),
    Column("view", "text", "`axial`, `coronal`, `sagittal`, `3d`; empty: the metric has no view"),
    Column("range", "text", "values compared: `scan`, `lung`, `soft`, `unit`; empty: all"),
    Column("phase_mm", "text", "distance of the slices from a thick one, mm; empty: all slices"),
    Column("unit", "text", "unit of the value; `1` where it has none"),
    Column("better", "text", "`lower`, `higher`, or empty where neither is"),
    Column("value", "float", "the number of one case, or of one patient (mean over the cases)"),
    Column("n", "int", "in the evidence: voxels, slices or pairs; in tables: patients"),
    Column("mask", "text", "SHA-256 of the case's body mask, first 8 hex digits; empty: no mask"),
    Column("record", "text", "id of the record behind the row"),
    Column("records", "text", "ids of the records behind the row, spaced"),
    Column("wall_s", "float", "seconds to restore a volume; in tables the mean"),
    Column("parameters", "int", "numbers learned from data"),
    Column("peak_memory_gib", "float", "highest memory of the restoring job, GiB"),
    Column("gpu_memory_gib", "float", "highest memory of tensors on the graphics card, GiB"),
    Column("train_s", "float", "seconds of training of the weights; empty: none beforehand"),
    Column("slices", "int", "slices of the restored volume"),
    Column("volumes", "int", "volumes timed"),
    Column("device", "text", "processor or graphics card"),
    Column("cases", "int", "scans of the patient"),
    Column("patch", "int", "number of a patch in the config, the first being 1"),
    Column("mean", "float", "mean over patients"),
    Column("low", "float", "lower end of the interval"),
    Column("high", "float", "upper end of the interval"),
    Column("sd", "float", "standard deviation over patients"),
    Column("interval", "text", "how the interval was computed"),
    Column("note", "text", "what limits the row, e.g. few patients"),
    Column("left_out", "text", "patients and scans that the mean is not over, with their value"),
    Column("published", "float", "a paper's own number"),
    Column("published_sd", "float", "its standard deviation"),
    Column("published_source", "text", "where it is printed"),
    Column("drop", "float", "loss against the reference, paired; positive is worse"),
    Column("drop_low", "float", "lower end of its interval"),
    Column("drop_high", "float", "upper end of its interval"),
    Column("median_gain", "float", "median paired gain of `method` over `against`"),
    Column("p", "float", "p over patients: one-sided Wilcoxon, or as `test` says"),
    Column("p_holm", "float", "p after Holm's correction"),
    Column("family", "int", "tests that Holm's correction runs over"),
    Column("n_paired", "int", "patients of a paired comparison"),
    Column("paper", "text", "short reference of the paper"),
    Column("table", "text", "table of the paper, as the config names it"),
    Column("title", "text", "its title"),
    Column("printed_row", "text", "label of its row"),
    Column("printed_column", "text", "head of its column"),
    Column("across", "int", "place of the column, the first being 1"),
    Column("paper_value", "float", "the number printed"),
    Column("paper_sd", "float", "its standard deviation"),
    Column("paper_mark", "text", "the paper's mark of significance"),
    Column("paper_n", "int", "patients of the paper"),
    Column("mark", "text", "our mark of significance, by the paper's test"),
    Column("test", "text", "test behind `p`; beside a paper's tables, what a mark of ours means"),
    Column("ours_on", "text", "the cell of our number"),
    Column(
        "stand_in",
        "text",
        "what stands in for the paper's own data, slices, method or metric, e.g. "
        "`ssim for ms_ssim`: `mean` and `unit` are then the stand-in's, the other columns name the "
        "paper's cell; empty where ours is that cell",
    ),
    Column("difference", "float", "ours minus the paper's, of the same cell"),
    Column("why", "text", "why there is no number of ours"),
)
TYPES = {column.name: column.dtype for column in COLUMNS}
TEXT = frozenset(name for name, dtype in TYPES.items() if dtype == "text")


def by_key(rows: Iterable[Mapping[str, Any]], *keys: str) -> dict[Any, dict[str, Any]]:
    """Rows by the value of a column, or by the values of several, as cells of a table are.

    Refused where two rows would be one cell: one of two numbers would silently stay.
    """
    out: dict[Any, dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        if key in out:
            place = ", ".join(f"{name} {value}" for name, value in zip(keys, key))
            differing = [k for k, v in out[key].items() if k in TEXT and v != row.get(k, v)]
            raise Refused(
                f"two rows of a table would be one cell ({place}); they differ in "
                f"{', '.join(differing) or 'nothing but their numbers'}: select one of them"
            )
        out[key] = dict(row)
    return {key[0]: row for key, row in out.items()} if len(keys) == 1 else out


def metric_of(name: str) -> dict[str, str]:
    """The columns METRIC of a metric as configs name it: ``ssim coronal lung``, ``rmse_hu 2mm``.

    Metric, view, range and phase with spaces between; those left out are empty, and ``ssim`` alone
    is another metric than ``ssim coronal``. ValueError for a name that is none.
    """
    metric, *variants = name.split() or [""]
    columns = {**dict.fromkeys(METRIC, ""), "metric": metric}
    for word in variants:
        column, value = _variant(word)
        if columns[column]:
            raise ValueError(f"metric {name!r} has two of {column}: {columns[column]} and {value}")
        columns[column] = value
    if not metric or name != metric_name(columns):
        raise ValueError(
            f"{name!r} is no metric; expected metric, view, range and phase with spaces between, "
            "e.g. 'ssim coronal lung' or 'rmse_hu 2mm'"
        )
    return columns


def metric_name(columns: Mapping[str, str]) -> str:
    """A metric in one string, as ``metric_of`` reads it."""
    phase = f"{columns['phase_mm']}mm" if columns["phase_mm"] else ""
    words = (columns["metric"], columns["view"], columns["range"], phase)
    return " ".join(word for word in words if word)


def _variant(word: str) -> tuple[str, str]:
    """The column of METRIC that a word after the metric belongs to, and its value there."""
    if word in VIEWS:
        return "view", word
    if PHASE.fullmatch(word):
        return "phase_mm", word.removesuffix("mm")
    return "range", word


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV, columns in order of first use: numbers to full precision, NaN and None empty.

    The same text as pandas writes, which takes a third of a second to import.
    """
    table = list(rows)
    names = list(dict.fromkeys(name for row in table for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(name, row.get(name)) for name in names] for row in table)
    return text.getvalue()


def _cell(name: str, value: Any) -> str:
    """A value as its column's type has it in a CSV."""
    if value is None or value != value:
        return ""
    if name in TEXT:
        return value
    return str(int(value) if TYPES[name] == "int" else float(value))
