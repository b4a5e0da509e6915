"""Every row of an analysis as one table: what the page lets readers search, filter and sort."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from thinslice.columns import METRIC
from thinslice.report.html.cells import Entry, Place, places
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import best_row, entrant_name, rows_of, split_by, with_entrants
from thinslice.report.tables.typeset import AnalysisTable

Row = Mapping[str, Any]
TOGETHER = ("dataset", "degradation", "protocol", *METRIC)  # one scale for the bars


class Column(NamedTuple):
    """A column of a table on the page."""

    title: str
    word: bool = False
    filtered: bool = False  # readers choose among its values


class LongTable(NamedTuple):
    """Every row of an analysis."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Entry]]
    caption: str
    notes: Sequence[str] = ()


class _Part(NamedTuple):
    """A column, and its entry for a row."""

    column: Column
    entry: Callable[[Row], Entry]


def long_table(table: AnalysisTable) -> LongTable | None:
    """The rows of an analysis with a long form; None where its sheets are short enough."""
    if table.rows.empty or table.layout not in FORMS:
        return None
    rows = rows_of(table.rows)
    if table.layout in ENTRANTS:
        rows = with_entrants(rows)
    parts = [*_places_of(rows), *FORMS[table.layout](rows)]
    printed = [[part.entry(row) for part in parts] for row in _grouped(rows, table.layout)]
    everywhere, caption = _sim(rows), CAPTIONS[table.layout]
    same = [f"{key} {rows[0][key]}" for key in WORDS if key in rows[0] and not _varies(rows, key)]
    if len({wording.metric(row) for row in rows}) == 1:
        same.append(wording.metric(rows[0]))
    scope = f" ({', '.join(same)})" if same else ""
    notes = wording.footnotes(rows)
    return LongTable([p.column for p in parts], printed, f"{caption}{scope}{everywhere}.", notes)


def _sim(rows: Sequence[Row]) -> str:
    return " (sim)" if all(row["sim"] for row in rows) else ""


WORDS = ("dataset", "degradation", "protocol")


def _places_of(rows: Sequence[Row]) -> list[_Part]:
    """What was tested on and how it was measured: columns that differ, for readers to choose."""
    parts = [_word(key, key) for key in WORDS if key in rows[0] and _varies(rows, key)]
    if _varies(rows, "sim"):
        parts.append(_word("sim", "sim"))
    if "metric" in rows[0] and len({wording.metric(row) for row in rows}) > 1:
        parts.append(_Part(Column("metric", True, True), lambda row: Entry(wording.metric(row))))
    return parts


def _varies(rows: Sequence[Row], key: str) -> bool:
    return len({row[key] for row in rows}) > 1


def _word(title: str, key: str) -> _Part:
    return _Part(Column(title, True, True), lambda row: Entry(str(row[key])))


def _method() -> _Part:
    return _Part(Column("method", True, True), lambda row: Entry(entrant_name(row)))


def _number(title: str, key: str, words: Callable[[Any], str]) -> _Part:
    return _Part(Column(title), lambda row: Entry(words(row[key]), _sort(row[key])))


def _row_number() -> _Part:
    return _Part(Column("row"), lambda row: Entry(str(row["row"]), row["row"]))


def _sort(value: Any) -> float | str:
    return float(value) if value == value else ""


def _means(rows: Sequence[Row]) -> _Part:
    """The mean with its interval, a bar and a shade among the rows it can be compared with."""
    groups = split_by(rows, *(key for key in TOGETHER if key in rows[0])).values()
    at: dict[int, Place] = {}
    strong = set()
    for group in groups:
        at |= places(group)
        strong.add(best_row(group))

    def entry(row: Row) -> Entry:
        text, number = wording.mean_of(row), row["row"]
        return Entry(text, _sort(row["mean"]), number, number in strong, at.get(number))

    return _Part(Column("mean [95 % interval]"), entry)


def _benchmark(rows: Sequence[Row]) -> list[_Part]:
    published = any(row["published"] == row["published"] for row in rows)
    paper = _number("published", "published", lambda value: wording.number(value))
    return [
        _method(),
        _word("fidelity", "fidelity"),
        _means(rows),
        _number("n", "n", str),
        *([paper] if published else []),
        _row_number(),
    ]


def _efficiency(rows: Sequence[Row]) -> list[_Part]:
    return [
        _method(),
        _word("fidelity", "fidelity"),
        _means(rows),
        _number("parameters", "parameters", wording.count),
        _number("s / volume", "wall_s", wording.seconds),
        _number("GiB", "peak_memory_gib", lambda value: wording.number(value, "mm")),
        _word("device", "device"),
        _number("volumes", "volumes", wording.count),
        _number("n", "n", str),
        _row_number(),
    ]


def _domain_gap(rows: Sequence[Row]) -> list[_Part]:
    def drop(row: Row) -> Entry:
        text = wording.gain(row["drop"], row["drop_low"], row["drop_high"], row["unit"])
        return Entry(text, _sort(row["drop"]))

    compared = [row for row in rows if row["p"] == row["p"]]
    tests = [
        _number("p", "p", wording.p_value),
        _number("p (Holm)", "p_holm", wording.p_value),
    ]
    enough = any(row["n_paired"] >= wording.FEW for row in compared)
    fitted = Column("fitted on", True, True)
    return [
        _word("method", "method"),
        _Part(fitted, lambda row: Entry(wording.fitted_on(row["fitted_on"]))),
        _word("tested on", "tested_on"),
        _mean_alone(),
        _Part(Column("change against acquired-trained"), drop),
        *(tests if enough else []),
        _number("n", "n", str),
        _row_number(),
    ]


def _mean_alone() -> _Part:
    def entry(row: Row) -> Entry:
        return Entry(wording.mean_of(row), _sort(row["mean"]), row["row"])

    return _Part(Column("mean [95 % interval]"), entry)


def _significance(rows: Sequence[Row]) -> list[_Part]:
    def gain(row: Row) -> Entry:
        text = wording.gain(row["median_gain"], row["low"], row["high"], row["unit"])
        return Entry(text, _sort(row["median_gain"]), row["row"])

    return [
        _word("method", "method"),
        _word("against", "against"),
        _Part(Column("median gain [95 % interval]"), gain),
        _number("p", "p", wording.p_value),
        _number("p (Holm)", "p_holm", wording.p_value),
        _number("n", "n", str),
        _row_number(),
    ]


def _patients(rows: Sequence[Row]) -> list[_Part]:
    """One column a patient: the row stands for all patients of a cell."""
    names = sorted({row["patient"] for row in rows})

    def value(name: str) -> Callable[[Row], Entry]:
        def entry(row: Row) -> Entry:
            own = row["of_patients"].get(name)
            if own is None:
                return Entry(wording.NOTHING)
            return Entry(wording.number(own["value"], own["unit"]), _sort(own["value"]), own["row"])

        return entry

    columns = [_Part(Column(name), value(name)) for name in names]
    return [_method(), _word("fidelity", "fidelity"), *columns]


def _grouped(rows: Sequence[Row], layout: str) -> list[Row]:
    """Rows as the table shows them: those of one cell together where patients lie across."""
    if layout != "patients":
        return list(rows)
    keys = ("dataset", "degradation", "method", "fitted_on", "fidelity", "protocol", *METRIC)
    return [
        {**part[0], "of_patients": {row["patient"]: row for row in part}}
        for part in split_by(rows, *keys).values()
    ]


ENTRANTS = ("benchmark", "efficiency", "patients")
FORMS = {
    "benchmark": _benchmark,
    "domain_gap": _domain_gap,
    "efficiency": _efficiency,
    "patients": _patients,
    "significance": _significance,
}
CAPTIONS = {
    "benchmark": "Every metric: mean over n test patients",
    "domain_gap": "Every number by what the weights were fitted on and tested on; + is worse",
    "efficiency": "What a better number costs: learned parameters, mean seconds per volume, "
    "highest memory",
    "patients": "Every test patient; scans of one patient are averaged",
    "significance": "Median paired gain of a method over another, one-sided Wilcoxon p, and "
    "Holm's p over the family",
}


def says_nothing(table: AnalysisTable) -> str:
    """Why a table of tests is not shown, or ""; with few patients no test can tell anything."""
    if table.layout != "significance" or table.rows.empty:
        return ""
    most = max(table.rows["n"].tolist())
    if most >= wording.FEW:
        return ""
    return (
        f"Not shown: with {wording.patients([most])} patients a one-sided Wilcoxon test of one "
        f"pair cannot give a p below {0.5**most:.3g}, and Holm's correction only raises it. It "
        f"takes at least {wording.FEW} patients. The numbers are in tables/{table.name}.csv."
    )
