"""``thinslice weights``: show what a weights file holds, and which scans it was fitted on."""

import argparse
import json
from pathlib import Path
from typing import Any

from thinslice.restoration import methods
from thinslice.restoration.methods import MethodChoice


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("weights", help="show what a file of weights holds")
    parser.add_argument("what", choices=["info"], help="method, settings, what it was fitted on")
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print a JSON object, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if the weights are whole and their method takes them, 2 if not."""
    info = _info(arguments.file, methods.choose(weights=arguments.file))
    if arguments.json:
        print(json.dumps(info, indent=1))
    else:
        for name, value in info.items():
            print(f"{name:<11}{_words(value)}")
    return 0


def _info(path: Path, chosen: MethodChoice) -> dict[str, Any]:
    _, about = methods.card_of(path)
    return {
        "file": str(path),
        "sha256": chosen.weights_sha256,
        "method": chosen.card["name"],
        "module": chosen.card.get("module", chosen.card["name"]),
        "title": chosen.about.title,
        "fidelity": chosen.fidelity,
        "settings": dict(chosen.card.get("settings", {})),
        "parameters": chosen.method.parameters(),
        "fitted_on": dict(chosen.fitted_on or {}),
        "train": list(about.get("train", [])),
        "val": list(about.get("val", [])),
        "thinslice": about.get("thinslice"),  # version; older files do not say
    }


def _words(value: Any) -> str:
    """A value on one line: pairs as name value, ranges as low to high, lists by their length."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items()) or "not stated"
    if isinstance(value, list):
        numbers = len(value) == 2 and all(isinstance(item, int | float) for item in value)
        if numbers:
            low, high = (f"{item:.4g}" for item in value)
            return low if low == high else f"{low} to {high}"
        return f"{len(value)}: {', '.join(map(str, value))}" if len(value) > 3 else _listed(value)
    return "not stated" if value is None else str(value)


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values)) or "none"
