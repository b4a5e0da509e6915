"""Plug-ins are modules: ``methods/edsr.py`` is the method "edsr"; each exposes ``build``."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGES = {  # of each kind, below thinslice
    "datasets": "datasets",
    "degradations": "degradations",
    "methods": "methods",
    "protocols": "protocols",
    "analyses": "analyses",
    "figures": "report.figures",
}
KINDS = tuple(PACKAGES)


def module_name(kind: str, card: Mapping[str, Any]) -> str:
    """Dotted name of the module behind a card: ``module``, a figure's ``kind``, or ``name``."""
    if kind not in KINDS:
        raise ValueError(f"no plug-ins of kind {kind!r}; kinds are {', '.join(KINDS)}")
    name = card.get("kind" if kind == "figures" else "module", card["name"])
    full = f"thinslice.{PACKAGES[kind]}.{name}"
    if "." in name or find_spec(full) is None:
        near = get_close_matches(name, names(kind), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names(kind))}"
        raise LookupError(f"{kind} has no module {name!r}{hint} (it would be {full})")
    return full


def names(kind: str) -> list[str]:
    """Modules of one kind, by file name."""
    folder = Path(__file__).parent.joinpath(*PACKAGES[kind].split("."))
    return sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_"))


def module(kind: str, card: Mapping[str, Any]):
    """Import the one module behind a card; nothing else loads."""
    return import_module(module_name(kind, card))


def build(kind: str, card: Mapping[str, Any]):
    """The plug-in of a card: its module's ``build(**settings)``."""
    try:
        return module(kind, card).build(**card.get("settings", {}))
    except TypeError as error:
        raise TypeError(f"{kind} {card['name']!r}: {error}") from error
