"""One page that opens anywhere: tables, figures and what they answer, in a single HTML file.

Nothing is loaded from elsewhere, and all of it can be read without JavaScript. Every number of a
table is a link to its row of the CSV, which is what ``thinslice audit`` asks for.
"""

from collections.abc import Sequence
from html import escape

from thinslice.columns import SIM
from thinslice.report import findings
from thinslice.report.html import assets, costs, files, names, row_data, tables, viewer
from thinslice.report.html.cells import column_places
from thinslice.report.html.elements import Section, anchor, copyable, heading, items, section
from thinslice.report.html.figures import Picture, figures
from thinslice.report.html.glossary import Glossary, of_docs
from thinslice.report.html.long_table import long_table, says_nothing
from thinslice.report.html.run import Run, card, title
from thinslice.report.tables import benchmark, typeset
from thinslice.report.tables.sheet import Sheet, rows_of, with_entrants
from thinslice.report.tables.typeset import AnalysisTable

OPENED = ("domain_gap", "published")  # layouts; tables of the others are folded up
SIM_WORDS = (
    "numbers so labelled come from simulated scans, or from thick slices that were simulated from "
    "thin ones, and not from what a scanner made."
)


def html(
    analysed: Sequence[AnalysisTable],
    pictures: Sequence[Picture] = (),
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
    *,
    run: Run | None = None,
    viewed: Sequence[viewer.Slices] = (),
    page: str = "results/report.html",
) -> str:
    """Put the whole page together.

    analysed    tables of every analysis, rows as in results/tables/NAME.csv
    pictures    figures, and pictures of volumes
    skipped     cells that were not run, with the reason in words
    scans       data sets, with what readers warned of
    run         what the records behind the evidence say of the run
    viewed      slices of test cases, a document of ``pictures.slices`` each
    page        path of the page, as commands of the run name it
    """
    sections = _sections(analysed, pictures, skipped, scans, run, viewed)
    return "\n".join(
        [
            *_head(title(run)),
            _menu(sections),
            '<main id="main">',
            f"<header><h1>{escape(title(run))}</h1>{card(run, page)}</header>",
            *_sim_banner(analysed),
            *viewer.overview(viewed, analysed),
            *(section(each) for each in sections),
            "</main>",
            row_data.script(analysed, run, page),
            viewer.data(viewed),
            assets.scripts(),
            "</body></html>\n",
        ]
    )


def _sections(
    analysed: Sequence[AnalysisTable],
    pictures: Sequence[Picture],
    skipped: Sequence[tuple[str, str]],
    scans: Sequence[tuple[str, str]],
    run: Run | None,
    viewed: Sequence[viewer.Slices],
) -> list[Section]:
    """Every section, in the order of the menu."""
    words = Glossary({**of_docs(), **_names(run)})
    return [
        _best(analysed, words),
        *_findings(analysed, words),
        *viewer.viewer(viewed, analysed),
        *figures(pictures),
        _all_tables(analysed, words),
        *_training(run),
        *_skipped(skipped),
        *_scans(scans),
        *_settings(run),
        Section("glossary", "Glossary", [words.listed()]),
        *files.files(analysed, pictures, run),
        _provenance(analysed),
    ]


def _head(words: str) -> list[str]:
    return [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(words)}</title>",
        assets.head(),
        '</head><body id="top"><a class="skip" href="#main">Skip to the content</a>',
    ]


def _names(run: Run | None) -> dict[str, str]:
    return {line.name: names.meaning(line) for line in run.named} if run else {}


def _menu(sections: Sequence[Section]) -> str:
    """The menu: every section, and every table and figure in it."""

    def entry(each: Section) -> str:
        inner = "".join(f'<li><a href="#{a}">{escape(t)}</a></li>' for a, t in each.parts)
        below = f"<ul>{inner}</ul>" if inner else ""
        return f'<li><a href="#{each.anchor}">{escape(each.title)}</a>{below}</li>'

    entries = "".join(entry(each) for each in sections)
    return f'<nav aria-label="Contents"><ul><li><a href="#top">Top</a></li>{entries}</ul></nav>'


def _sim_banner(analysed: Sequence[AnalysisTable]) -> list[str]:
    """What ``sim`` means, where anything shown carries it."""
    if not any((table.rows["sim"] == SIM).any() for table in analysed if "sim" in table.rows):
        return []
    return [f'<p class="sim"><b>sim</b>: {SIM_WORDS}</p>']


def _best(analysed: Sequence[AnalysisTable], words: Glossary) -> Section:
    """The main table of every benchmark."""
    body = []
    for table in analysed:
        if table.layout == "benchmark" and not table.rows.empty:
            rows = benchmark.main_metric(with_entrants(rows_of(table.rows)))
            at = column_places(rows)
            sheets = benchmark.main_sheets(table.rows)
            body += [tables.sheet(each, table.name, words, at) for each in sheets]
    return Section("best", "Which method restores best?", body or ["<p>Nothing was scored.</p>"])


def _findings(analysed: Sequence[AnalysisTable], words: Glossary) -> list[Section]:
    """Sentences that answer the tables' questions."""
    found = findings.findings(analysed)
    if not found:
        return []
    lines = "".join(f"<li>{words.mark(each.sentence)} {_rows(each)}</li>" for each in found)
    return [Section("findings", "Key findings", [f"<ul>{lines}</ul>"])]


def _rows(finding: findings.Finding) -> str:
    """The rows that a sentence's numbers are from, each a link."""
    name = escape(finding.table)
    links = (
        f'<a class="num" href="#{name}-{row}" data-table="{name}" data-row="{row}" '
        f'title="{name}.csv, row {row}">row {row}</a>'
        for row in finding.rows
    )
    return f'<span class="quiet">[{name}: {", ".join(links)}]</span>'


def _all_tables(analysed: Sequence[AnalysisTable], words: Glossary) -> Section:
    """Every table in full, folded up except the domain gap and papers' tables."""
    parts = [(anchor("table", table.name), typeset.question(table)) for table in analysed]
    body = [_table(table, name, words) for table, (name, _) in zip(analysed, parts)]
    return Section("tables", "All tables", body, parts)


def _table(table: AnalysisTable, name: str, words: Glossary) -> str:
    head = heading(name, typeset.question(table))
    if silent := says_nothing(table):
        return f"{head}<p>{escape(silent)}</p>"
    body = "".join(tables.sheet(each, table.name, words) for each in _sheets(table))
    form = long_table(table)
    if form:
        body += tables.long(form, table.name, words)
    opened = " open" if table.layout in OPENED else ""
    summary = f"{len(table.rows)} rows of {escape(table.name)}.csv"
    return (
        f"{head}<details{opened}><summary>{summary}</summary>{body or '<p>No rows.</p>'}</details>"
    )


def _sheets(table: AnalysisTable) -> Sequence[Sheet]:
    """The sheets shown before all rows: of the domain gap the first matrix, else all or none."""
    sheets = typeset.sheets(table)
    if table.layout == "domain_gap":
        return sheets[:1]
    return [] if long_table(table) else sheets


def _training(run: Run | None) -> list[Section]:
    """How networks learned, and what the run cost."""
    if run is None:
        return []
    drawn = costs.curves(run.trainings)
    curves = (
        "<p>Training loss (thin line) and validation loss (thick line) over steps, on a "
        f"logarithmic scale.</p>{drawn}"
    )
    learned = [Section("curves", "How the networks learned", [curves])] if drawn else []
    return [*learned, Section("costs", "What it cost", [costs.costs(run)])]


def _skipped(skipped: Sequence[tuple[str, str]]) -> list[Section]:
    """Cells that were not run, with reasons."""
    if not skipped:
        return []
    lines = items([f"{cells}: {why}" for cells, why in skipped])
    return [Section("skipped", "What was not run, and why", [lines])]


def _scans(scans: Sequence[tuple[str, str]]) -> list[Section]:
    """What readers warned of."""
    if not scans:
        return []
    return [
        Section("scans", "Notes on the scans", [items([f"{name}, {note}" for name, note in scans])])
    ]


def _settings(run: Run | None) -> list[Section]:
    """What the names in the tables stand for."""
    if run is None or not run.named:
        return []
    return [Section("names", "Names and settings", [names.table(run.named)])]


def _provenance(analysed: Sequence[AnalysisTable]) -> Section:
    """How to follow a number to its scan."""
    name = analysed[0].name if analysed else "benchmark"
    command = copyable(f"thinslice audit results/tables/{name}.csv --row N")
    return Section(
        "provenance",
        "Where a number comes from",
        [
            "<p>Click a number to see its row, and the records and settings behind it; without "
            "JavaScript it leads to the row in the full table. Then, in the folder of the run, "
            f"{command} prints the chain from that row to the raw scans, checks every hash in it "
            "and computes the number again.</p>"
        ],
    )
