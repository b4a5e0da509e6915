"""``thinslice weights``: show what a weights file holds, or write it in another format."""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from thinslice.errors import refused
from thinslice.restoration import methods
from thinslice.restoration.methods import MethodChoice


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("weights", help="show what a file of weights holds, or convert it")
    parser.of_file = "info"
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="method, settings, what it was fitted on")
    info.add_argument("file", type=Path)
    info.add_argument("--json", action="store_true", help="print a JSON object, for programs")
    info.set_defaults(run=run)
    pack = actions.add_parser("pack", help="write the same weights to another file")
    pack.add_argument("file", type=Path)
    pack.add_argument("out", type=Path, metavar="OUT", help=".safetensors; else NumPy's .npz")
    pack.add_argument("--about", type=Path, metavar="JSON", help="an object, added to its record")
    pack.add_argument("--curve", type=Path, metavar="CSV", help="learning curve, added likewise")
    pack.set_defaults(run=run_pack)


def run_pack(arguments: argparse.Namespace) -> int:
    """0 if OUT is written, 2 if FILE is not whole or OUT is taken."""
    from thinslice.training import weights

    if arguments.out.exists():
        raise refused(arguments.out, "a file", "a new name", "remove it, or choose another name")
    more = _object(arguments.about) if arguments.about else {}
    if arguments.curve:
        with open(arguments.curve, newline="", encoding="utf-8") as file:
            more["curve"] = list(csv.DictReader(file))
    methods.card_of(arguments.file)
    weights.pack(arguments.file, arguments.out, more)
    print(f"written  {arguments.out}")
    return 0


def _object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; Refused, with the line, for any other file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}"
        raise refused(place, error.msg, "a JSON object", "correct the file") from None
    except UnicodeDecodeError:
        raise refused(path, "bytes that are no UTF-8", "a JSON object", "write it anew") from None
    if not isinstance(content, dict):
        raise refused(path, type(content).__name__, "a JSON object", "write one")
    return content


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
