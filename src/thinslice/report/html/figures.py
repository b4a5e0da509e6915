"""Figures on the page: drawn inline where they are SVG, each with links to its files."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from thinslice.report.html import svg
from thinslice.report.html.elements import Section, anchor, heading, link


class Picture(NamedTuple):
    """A figure, and the files it is in."""

    name: str
    png: Path
    caption: str
    table: str = ""  # name of the analysis it is drawn from; "" for pictures of volumes
    svg: Path | None = None
    files: Sequence[str] = ()  # from the page's folder


def figures(pictures: Sequence[Picture]) -> list[Section]:
    """The section of all figures; none where there is none."""
    if not pictures:
        return []
    parts = [(anchor("figure", each.name), each.name) for each in pictures]
    body = [_figure(each, name) for each, (name, _) in zip(pictures, parts)]
    return [Section("figures", "Figures", body, parts)]


def _figure(picture: Picture, name: str) -> str:
    words = escape(picture.caption)
    files = ", ".join(link(file, file.rsplit(".", 1)[-1].upper()) for file in picture.files)
    files = f' <span class="quiet">{files}</span>' if files else ""
    return (
        f"{heading(name, picture.name)}<figure>"
        f'<div class="wide paper" tabindex="0" role="group" aria-label="{escape(picture.name)}">'
        f"{_drawing(picture, name)}</div><figcaption>{words}{files}</figcaption></figure>"
    )


def _drawing(picture: Picture, name: str) -> str:
    if picture.svg is not None:
        text = picture.svg.read_text(encoding="utf-8")
        return svg.inline(text, name, picture.table, picture.caption)
    data = base64.b64encode(picture.png.read_bytes()).decode()
    return f'<img alt="{escape(picture.caption)}" src="data:image/png;base64,{data}">'
