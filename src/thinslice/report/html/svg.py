"""A figure's SVG as a part of the page: its ids made its own, its marks tied to table rows.

A figure names a mark after the row it draws: the group's id is ``row-12``. On the page the group
gets a title, which browsers show on hover, and the table and row that the side panel opens.
"""

import re
from html import escape

HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)  # XML declaration and document type
METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
ROOT = re.compile(r"<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
MARK = re.compile(r'<g id="row-(\d+)(?:-\d+)?">')
ID, URL, HREF = re.compile(r'\bid="([^"]+)"'), re.compile(r"url\(#([^)]+)\)"), "xlink:href"


def inline(text: str, name: str, table: str, label: str) -> str:
    """The ``<svg>`` element alone; ``name`` is put before every id in it.

    table    name of the analysis whose rows the marks are
    label    what a screen reader says of the figure
    """
    text = METADATA.sub("", HEAD.sub("", text))
    found = ROOT.search(text)
    if found is None:
        raise ValueError(f"figure {name!r}: no <svg> with a viewBox in its file")
    width = found[1].split()[2]
    root = (
        f'<svg viewBox="{found[1]}" style="--drawn:{float(width):.0f}px" role="img" '
        f'aria-label="{escape(label)}">'
    )
    text = root + text[found.end() :]
    text = MARK.sub(lambda m: _mark(table, m[1]), text)
    text = ID.sub(rf'id="{name}-\1"', text)
    text = URL.sub(rf"url(#{name}-\1)", text)
    return text.replace(f'{HREF}="#', f'href="#{name}-').strip()


def _mark(table: str, row: str) -> str:
    file = f"{escape(table)}.csv"
    return (
        f'<g class="mark" data-table="{escape(table)}" data-row="{row}">'
        f"<title>{file}, row {row}</title>"
    )
