"""One page that opens anywhere: tables, figures and what they answer, in a single HTML file.

Nothing is loaded from elsewhere; figures are embedded. Every number says on hover which row of
which CSV it is, which is what ``thinslice audit`` asks for.
"""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType

from thinslice.columns import SIM
from thinslice.report import findings
from thinslice.report.tables import benchmark, typeset
from thinslice.report.tables.sheet import Cell, Sheet
from thinslice.report.tables.typeset import AnalysisTable

CSS = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.15rem; margin-top: 2.4rem }
p, li { max-width: 52rem } .quiet { color: #6b6b6b; font-size: .88rem }
.sim { background: #fff6df; border-left: 4px solid #e69f00; padding: .5rem .8rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .9rem; margin: .4rem 0 }
caption { text-align: left; color: #444; padding-bottom: .4rem; max-width: 60rem }
th, td { padding: .22rem .7rem; text-align: right; white-space: nowrap;
         font-variant-numeric: tabular-nums }
th { border-bottom: 1px solid #999; font-weight: 600 } tr:hover td { background: #f4f7fa }
.word { text-align: left } figure { margin: 1.2rem 0 } img { max-width: 100%; height: auto }
figcaption { color: #444; font-size: .9rem } summary { cursor: pointer; margin: .6rem 0 }
code { background: #f3f3f3; padding: .1rem .3rem }
ul.notes { color: #6b6b6b; font-size: .85rem; margin: .2rem 0 1rem; padding-left: 1.1rem }
"""
OPENED = ("domain_gap", "published")  # layouts; tables of the others are folded up


def html(
    tables: Sequence[AnalysisTable],
    captions: Mapping[Path, str] = MappingProxyType({}),
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
    *,
    title: str = "Thin slices from thick ones",
) -> str:
    """The whole page as text.

    tables      of every analysis, rows as in results/tables/NAME.csv
    captions    PNG file of a figure -> what it shows
    skipped     cells that were not run, with the reason in words
    scans       data sets, with what readers warned of
    """
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{CSS}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            *_sim_banner(tables),
            *_main(tables),
            *_answers(tables),
            *_figures(captions),
            *_skipped(skipped),
            *_scans(scans),
            *_details(tables),
            *_provenance(tables),
            "</body></html>\n",
        ]
    )


def _sim_banner(tables: Sequence[AnalysisTable]) -> list[str]:
    """What ``sim`` means, where anything shown carries it."""
    if not any((table.rows["sim"] == SIM).any() for table in tables if "sim" in table.rows):
        return []
    return [
        '<p class="sim"><b>sim</b>: numbers so labelled come from simulated scans, or from thick '
        "slices that were simulated from thin ones, and not from what a scanner made.</p>"
    ]


def _main(tables: Sequence[AnalysisTable]) -> list[str]:
    """The main table of every benchmark."""
    parts = ["<h2>Which method restores best?</h2>"]
    for table in tables:
        if table.layout == "benchmark":
            parts += [_table(sheet, table.name) for sheet in benchmark.main_sheets(table.rows)]
    return parts if len(parts) > 1 else [*parts, "<p>Nothing was scored.</p>"]


def _answers(tables: Sequence[AnalysisTable]) -> list[str]:
    """Sentences that answer the tables' questions."""
    sentences = findings.sentences(tables)
    return ["<h2>What it says</h2>", _list(sentences, "")] if sentences else []


def _figures(captions: Mapping[Path, str]) -> list[str]:
    figures = [_figure(png, caption) for png, caption in captions.items()]
    return ["<h2>Figures</h2>", *figures] if figures else []


def _figure(png: Path, caption: str) -> str:
    data = base64.b64encode(png.read_bytes()).decode()
    words = escape(caption)
    image = f'<img alt="{words}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>"


def _skipped(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """Cells that were not run, with reasons."""
    if not skipped:
        return []
    return ["<h2>What was not run, and why</h2>", _list([f"{c}: {why}" for c, why in skipped], "")]


def _scans(scans: Sequence[tuple[str, str]]) -> list[str]:
    """What readers warned of."""
    if not scans:
        return []
    return ["<h2>Notes on the scans</h2>", _list([f"{name}, {note}" for name, note in scans], "")]


def _details(tables: Sequence[AnalysisTable]) -> list[str]:
    """Every table in full, collapsed except the domain gap and papers' tables."""
    parts = ["<h2>All tables</h2>"]
    for table in tables:
        body = "".join(_table(sheet, table.name) for sheet in typeset.sheets(table))
        opened = " open" if table.layout in OPENED else ""
        parts.append(
            f"<details{opened}><summary>{escape(typeset.question(table))} <span class='quiet'>"
            f"({escape(table.name)}.csv)</span></summary>{body or '<p>No rows.</p>'}</details>"
        )
    return parts


def _provenance(tables: Sequence[AnalysisTable]) -> list[str]:
    """How to follow a number to its scan."""
    name = tables[0].name if tables else "benchmark"
    return [
        "<h2>Where a number comes from</h2>",
        "<p>Hover over a number to see its row. Then, in the folder of the run, "
        f"<code>thinslice audit results/tables/{escape(name)}.csv --row N</code> prints the chain "
        "from that row to the raw scans, checks every hash in it and computes the number again."
        "</p>",
    ]


def _table(sheet: Sheet, name: str) -> str:
    def entry(cell: Cell, k: int) -> str:
        words = f"<b>{escape(cell.text)}</b>" if cell.strong else escape(cell.text)
        kind = ' class="word"' if k < sheet.left else ""
        hint = f' title="{escape(name)}.csv, row {cell.row}"' if cell.row else ""
        return f"<td{kind}{hint}>{words}</td>"

    titles = "".join(
        f"<th{' class=word' if k < sheet.left else ''}>{escape(title)}</th>"
        for k, title in enumerate(sheet.head)
    )
    rows = "".join(
        f"<tr>{''.join(entry(cell, k) for k, cell in enumerate(row))}</tr>\n" for row in sheet.rows
    )
    return (
        f'<div class="wide"><table><caption>{escape(sheet.caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>\n{rows}</tbody></table></div>"
        + _list(sheet.notes, "notes")
    )


def _list(items: Sequence[str], kind: str) -> str:
    if not items:
        return ""
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<ul class="{kind}">{lines}</ul>' if kind else f"<ul>{lines}</ul>"
