"""The page of a study: one HTML file that needs no network and says nothing of any method.

What it shows of a pair (both sides, and the reference where there is one) is one compressed block,
so that not even the size of a side tells which it is. The page holds a digest of every block, and
computes in the browser one of all that it is (``page``) and of what it asks (``study``).
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.study.documents import sha256_of

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("sha256.js", "image.js", "answers.js", "study.js")
POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
NO_SCRIPT = "This page needs JavaScript. It loads nothing from anywhere."


class Block(NamedTuple):
    """A pair as the page holds it.

    about   shape, mm of a pixel, windows: what its drawing needs
    data    base64 of the compressed images
    """

    about: dict[str, Any]
    data: str


class Page(NamedTuple):
    """A page and what names it."""

    html: str
    study: str
    page: str


def block(levels: np.ndarray, about: Mapping[str, Any]) -> Block:
    """Images [n, rows, columns] of int16 as one block: left, right, reference.

    Each pixel is stored as the difference from the one on its left, modulo 2**16.
    """
    values = levels.astype("<i2").view("<u2")
    steps = values.copy()
    steps[..., 1:] -= values[..., :-1]
    data = base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()
    return Block({**about, "shape": list(levels.shape), "sha256": sha256_of(data)}, data)


def build(head: Mapping[str, Any], blocks: Sequence[Block]) -> Page:
    """The whole page.

    head   title, question, groups, windows; anything that is shown beside the images
    """
    text = json.dumps(
        {**head, "pairs": [each.about for each in blocks]}, separators=(",", ":")
    ).replace("<", "\\u003c")
    style = _read("study.css")
    script = "\n".join(map(_read, SCRIPTS))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>{escape(str(head['title']))}</title>",
        f'<style id="style">{style}</style></head>',
        f'<body><main id="main"><noscript>{NO_SCRIPT}</noscript></main>',
        f'<script type="application/json" id="head">{text}</script>',
        *(
            f'<script type="text/plain" id="pair{k}">{each.data}</script>'
            for k, each in enumerate(blocks)
        ),
        f'<script id="code">{script}</script>',
        "</body></html>\n",
    ]
    return Page("\n".join(parts), sha256_of(text), sha256_of("\n".join([style, script, text])))


def _read(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
