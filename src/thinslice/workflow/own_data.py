"""A person's own scans in the config: the counts and files that their manifest names.

The workflow must know before any job runs which splits have cases, and which cases have an acquired
thick series; ``datasets/own_data.py`` reads the scans of the same rows. Standard library only.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thinslice.errors import in_one_line, refused
from thinslice.workflow.manifest import SPLITS, Row, read_manifest
from thinslice.workflow.scan_files import scan_files

MANIFEST = "manifest.csv"


def with_own_data(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with ``root`` and the manifest's counts filled into every own_data dataset.

    Refused, with the line, where a manifest is wrong; ValueError without ``root``.
    """
    datasets = {name: _filled(name, entry, config) for name, entry in config["datasets"].items()}
    return {**config, "datasets": datasets}


def files(entry: Mapping[str, Any]) -> list[str]:
    """The manifest and every file that reading its scans opens; empty for other datasets.

    A scan that is a folder counts file by file: the folder's own time does not change when a file
    in it is overwritten.
    """
    if entry.get("module") != "own_data" or not entry.get("settings", {}).get("root"):
        return []
    manifest = _manifest(entry)
    scans = [scan for row in read_manifest(manifest) for scan in (row.thin, row.thick) if scan]
    with in_one_line(manifest.parent, "readable scans"):
        return [str(manifest), *(str(file) for scan in scans for file in scan_files(scan))]


def all_files(config: Mapping[str, Any]) -> Iterator[str]:
    """The manifest and every file of every own_data dataset of the grid."""
    for name in config["grid"]["datasets"]:
        yield from files(config["datasets"][name])


def _filled(name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    if entry.get("module") != "own_data" or name not in config["grid"]["datasets"]:
        return entry
    root = config.get("root") or entry.get("settings", {}).get("root")
    if not root:
        manifest = entry.get("settings", {}).get("manifest", MANIFEST)
        raise ValueError(
            f"dataset {name!r} needs the folder of your scans: add `--config root=DIR`, where DIR "
            f"holds {manifest} (case, patient, split, thin, thick)"
        )
    if Path(root).expanduser().is_file():
        raise refused(root, "a file", "the folder that holds the manifest", "give its folder")
    settings = {**entry.get("settings", {}), "root": str(Path(root).expanduser())}
    filled = {**entry, "settings": settings}
    rows = read_manifest(_manifest(filled))
    paired = [row for row in rows if row.thick]
    return {
        **filled,
        "acquired": bool(paired),
        "cases": _per_split(rows),
        "acquired_cases": _per_split(paired),
    }


def _manifest(entry: Mapping[str, Any]) -> Path:
    settings = entry["settings"]
    return Path(settings["root"]) / settings.get("manifest", MANIFEST)


def _per_split(rows: list[Row]) -> dict[str, int]:
    return {split: sum(row.split == split for row in rows) for split in SPLITS}
