"""What the names in the tables stand for: the config's lines, with their settings."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from thinslice.report.html.elements import anchor
from thinslice.report.html.run import Named


def meaning(line: Named) -> str:
    """A line of the config in words: "degradation: profile, thickness_mm 5, shape box"."""
    if line.kind == "degradation" and line.name == "acquired":
        return "thick slices that the scanner reconstructed itself"
    words = [line.module] if line.module != line.name else []
    return f"{line.kind} of this run: {', '.join([*words, *_settings(line.settings)])}".strip(": ")


def _settings(settings: Mapping[str, Any]) -> list[str]:
    return [f"{name} {value}" for name, value in settings.items()]


def table(lines: Sequence[Named]) -> str:
    """Every line with its module and settings."""
    rows = "\n".join(_row(line) for line in lines)
    head = "".join(
        f'<th scope="col" class="word">{title}</th>'
        for title in ("name", "what it is", "module", "settings")
    )
    return (
        '<div class="wide" tabindex="0" role="group" aria-label="Names and settings">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(line: Named) -> str:
    settings = ", ".join(_settings(line.settings)) or "defaults"
    cells = (line.kind, line.module, settings)
    rest = "".join(f'<td class="word">{escape(text)}</td>' for text in cells)
    name = anchor("name", line.kind, line.name)
    return f'<tr id="{name}"><th scope="row" class="word">{escape(line.name)}</th>{rest}</tr>'
