"""What a manifest of own scans promises, read without opening a scan. Standard library only.

The workflow must know before any job runs which splits hold cases and which of them come with an
acquired thick series; ``datasets/own_data.py`` checks the same file in full when it reads scans.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice.columns import SPLITS

REQUIRED = ("case", "patient", "split", "thin")


def with_own_data(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with ``root`` and the manifest's counts filled into every own_data dataset."""
    datasets = {name: _filled(name, card, config) for name, card in config["datasets"].items()}
    return {**config, "datasets": datasets}


def files(card: Mapping[str, Any]) -> list[str]:
    """The manifest and every file of every scan it names, as paths; empty for other datasets.

    A scan that is a folder counts file by file: the folder's own time does not move when a file in
    it is written over.
    """
    if card.get("module") != "own_data" or not card.get("settings", {}).get("root"):
        return []
    root = Path(card["settings"]["root"])
    rows = _rows(root / _name(card))
    scans = [root / row[key] for row in rows for key in ("thin", "thick") if row.get(key)]
    return [str(root / _name(card)), *(str(file) for scan in scans for file in _files(scan))]


def _files(scan: Path) -> list[Path]:
    """A file, or the visible ones of a folder; what is not there is named as it is."""
    if not scan.is_dir():
        return [scan]
    return sorted(p for p in scan.iterdir() if p.is_file() and not p.name.startswith("."))


def _filled(name: str, card: Mapping[str, Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    if card.get("module") != "own_data" or name not in config["grid"]["datasets"]:
        return card
    settings = dict(card.get("settings", {}))
    settings["root"] = config.get("root") or settings.get("root")
    if not settings["root"]:
        raise ValueError(
            f"dataset {name!r} needs the folder of your scans: add `--config root=DIR`, where DIR "
            f"holds {_name(card)} (case, patient, split, thin, thick)"
        )
    settings["root"] = str(Path(settings["root"]).expanduser())
    rows = _rows(Path(settings["root"]) / _name(card))
    paired = [row for row in rows if row.get("thick")]
    return {
        **card,
        "settings": settings,
        "acquired": bool(paired),
        "cases": _per_split(rows),
        "acquired_cases": _per_split(paired),
    }


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no manifest there; expected a CSV with columns case, patient, split, thin "
            "and optionally thick"
        )
    with path.open(newline="", encoding="utf-8-sig") as lines:
        table = csv.DictReader(lines)
        rows = [
            {name: (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
            for row in table
        ]
        columns = list(table.fieldnames or [])
    if missing := [name for name in REQUIRED if name not in columns]:
        raise ValueError(f"{path}: no column {', '.join(missing)}; found {', '.join(columns)}")
    for number, row in enumerate(rows, start=2):
        if row.get("split") not in SPLITS:
            raise ValueError(f"{path}:{number}: split is {row.get('split')!r}, expected {SPLITS}")
    if not any(row["split"] == "test" for row in rows):
        raise ValueError(f"{path}: no case has split test; without one nothing can be scored")
    return rows


def _per_split(rows: list[dict[str, str]]) -> dict[str, int]:
    return {split: sum(row["split"] == split for row in rows) for split in SPLITS}


def _name(card: Mapping[str, Any]) -> str:
    return card.get("settings", {}).get("manifest", "manifest.csv")
