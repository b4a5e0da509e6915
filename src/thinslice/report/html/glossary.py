"""Words explained on the page: those of the docs' glossary, and names of the run's config.

``glossary.md`` is the docs' own page (docs/reference/glossary.md), byte for byte: a test compares.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape, unescape
from pathlib import Path

from thinslice.report.html.elements import anchor

FILE = Path(__file__).parent / "assets" / "glossary.md"
ROW = re.compile(r"^\| (?P<words>[^|]+) \| (?P<meaning>[^|]+) \|", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
COMMON = {
    "card",
    "case",
    "cell",
    "method",
    "plane",
    "record",
    "scan",
    "slice",
    "through-plane",
    "work",
}
PARENTHESIS = re.compile(r"\s*\([^)]*\)")


class Glossary:
    """Words with their meanings; the first of each in a text becomes a link to its meaning."""

    def __init__(self, meanings: Mapping[str, str]):
        """Take the meaning of each word, in the order the page lists them."""
        self.meanings = dict(meanings)
        self._meanings = {word.lower(): meaning for word, meaning in meanings.items()}
        marked = [word for word in self.meanings if word not in COMMON]
        longest = sorted(marked, key=len, reverse=True)
        either = "|".join(re.escape(escape(word)) for word in longest)
        pattern = rf"(?<![\w-])(?:{either})(?![\w-])"
        self._words = re.compile(pattern, re.IGNORECASE) if longest else None

    def mark(self, text: str) -> str:
        """Text as HTML, the first of each word in it linked to its meaning."""
        met: set[str] = set()

        def linked(match: re.Match[str]) -> str:
            word = match[0]
            key = unescape(word).lower()
            if key in met:
                return word
            met.add(key)
            meaning = escape(self._meanings[key])
            return f'<a class="term" href="#{name_of(word)}" title="{meaning}">{word}</a>'

        return self._words.sub(linked, escape(text)) if self._words else escape(text)

    def listed(self) -> str:
        """Every word with its meaning, each with the id that links lead to."""
        entries = "".join(
            f'<div id="{name_of(word)}"><dt>{escape(word)}</dt><dd>{escape(meaning)}</dd></div>'
            for word, meaning in self.meanings.items()
        )
        return f'<dl class="glossary">{entries}</dl>'


def name_of(word: str) -> str:
    """The id of a word's meaning."""
    return anchor("word", word)


def of_docs() -> dict[str, str]:
    """Words of the docs' glossary and their meanings, as plain text."""
    meanings: dict[str, str] = {}
    for row in ROW.finditer(FILE.read_text(encoding="utf-8")):
        meaning = CODE.sub(r"\1", row["meaning"]).strip()
        if meaning in ("meaning", "---"):
            continue
        for word in _words(row["words"]):
            meanings.setdefault(word, meaning)
    return meanings


def _words(entry: str) -> Sequence[str]:
    """The words of one entry: "overlap, gap" are two, "fit: none, population, volume" is one."""
    plain = PARENTHESIS.sub("", CODE.sub(r"\1", entry)).strip()
    return [plain] if ":" in plain else [word.strip() for word in plain.split(",")]
