"""Elements of the page: sections with an anchor, lists, links, lines to copy."""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple


class Section(NamedTuple):
    """A part of the page with an entry in its menu."""

    anchor: str
    title: str
    body: Sequence[str]  # HTML
    parts: Sequence[tuple[str, str]] = ()  # anchors and titles of what lies in it, for the menu


def section(content: Section) -> str:
    """A section with its heading, which links to itself."""
    heading = escape(content.title)
    return (
        f'<section id="{content.anchor}" aria-labelledby="{content.anchor}-h">'
        f'<h2 id="{content.anchor}-h">{heading}{permalink(content.anchor, content.title)}</h2>\n'
        + "\n".join(content.body)
        + "\n</section>"
    )


def heading(anchor: str, title: str) -> str:
    """The heading of a part of a section."""
    return f'<h3 id="{anchor}">{escape(title)}{permalink(anchor, title)}</h3>'


def permalink(anchor: str, title: str) -> str:
    """A link from a heading to itself."""
    return f'<a class="here" href="#{anchor}" aria-label="Link to {escape(title)}">#</a>'


def anchor(*words: str) -> str:
    """An id from words: lower case, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-") or "part"


def items(lines: Sequence[str], kind: str = "") -> str:
    """A list of plain sentences; nothing where there are none."""
    if not lines:
        return ""
    entries = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{kind}">{entries}</ul>' if kind else f"<ul>{entries}</ul>"


def pairs(entries: Sequence[tuple[str, str]]) -> str:
    """A list of names and what they are; the second is HTML."""
    rows = "".join(f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" for k, v in entries if v)
    return f'<dl class="facts">{rows}</dl>'


def copyable(command: str) -> str:
    """A line for a terminal; with JavaScript it has a button that copies it."""
    return f'<code class="copy">{escape(command)}</code>'


def link(path: str, words: str) -> str:
    """A link to a file beside the page."""
    return f'<a href="{escape(path)}">{escape(words)}</a>'
