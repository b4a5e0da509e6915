"""Manifest of a store: SHA-256 and size of every file, written last.

A store without a manifest is incomplete. The SHA-256 of the manifest is the digest of the store: it
depends on every byte. The manifest has one canonical form, so that even a change that means nothing
as JSON is a change.
"""

import json
import os
from pathlib import Path
from typing import Any

from thinslice.fs.hashing import sha256_of_file
from thinslice.store.layout import FORMAT, VERSION, StoreError

NAME = "manifest.json"
# Snakemake marks the folders it made; the mark comes after the manifest and says nothing.
IGNORED = (NAME, ".snakemake_timestamp")


def listed(folder: Path) -> dict[str, Path]:
    """Every file of a store except the ignored ones, by its path below the store."""
    files = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    by_name = {file.relative_to(folder).as_posix(): file for file in files}
    return {name: by_name[name] for name in sorted(by_name) if name not in IGNORED}


def write(folder: Path) -> None:
    """Hash every file and write the manifest, which makes the store complete."""
    files = {
        name: {"bytes": file.stat().st_size, "sha256": sha256_of_file(file)}
        for name, file in listed(folder).items()
    }
    (folder / NAME).write_bytes(_canonical(files))


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and hash of each file; StoreError where the manifest is missing or foreign."""
    try:
        raw = (folder / NAME).read_bytes()
    except FileNotFoundError:
        raise StoreError(f"{folder}: no {NAME}, so it was never finished; make it again") from None
    try:
        content = json.loads(raw)
        kind, version, files = content["format"], content["version"], dict(content["files"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{folder}: {NAME} is damaged or not ours; make it again") from None
    if kind != FORMAT:
        raise StoreError(f"{folder}: {NAME} says {kind!r}, not {FORMAT!r}; not a thinslice store")
    if version != VERSION:
        raise StoreError(
            f"{folder}: store version {version!r}, this thinslice reads {VERSION}; "
            "make the store again, or use the thinslice that wrote it"
        )
    if raw != _canonical(files) or not all(_is_entry(entry) for entry in files.values()):
        raise StoreError(f"{folder}: {NAME} was changed after it was written; make it again")
    return files


def digest(path: Path) -> str:
    """Digest of a store: equal for equal content, whatever its path and time."""
    read(Path(path))
    return sha256_of_file(Path(path) / NAME)


def verify(path: Path, expected_digest: str | None = None) -> list[str]:
    """What changed since the store was written, one line per file; empty where nothing did.

    Re-hashes every file against the manifest; ``expected_digest`` (from ``digest``) also holds
    the manifest itself to what it was.
    """
    folder = Path(path)
    try:
        files = read(folder)
    except StoreError as error:
        return [f"{NAME}: {error}"]
    problems = []
    if expected_digest is not None and (found := sha256_of_file(folder / NAME)) != expected_digest:
        problems.append(f"{NAME}: sha256 {found}, expected {expected_digest}")
    present = listed(folder)
    problems += [f"{name}: not in the manifest" for name in present if name not in files]
    for name, entry in files.items():
        problems += [f"{name}: {why}" for why in _changed(folder / name, entry)]
    return problems


def check(folder: Path, name: str, entry: dict[str, Any] | None) -> bytes:
    """The bytes of a small file, verified against its manifest entry; StoreError if they differ."""
    if entry is None:
        raise StoreError(f"{folder / name}: not in the manifest; make the store again")
    for why in _changed(folder / name, entry):
        raise StoreError(f"{folder / name}: {why}; make the store again")
    return (folder / name).read_bytes()


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and set(entry) == {"bytes", "sha256"}


def _changed(file: Path, entry: dict[str, Any]) -> list[str]:
    if not file.is_file():
        return ["missing"]
    if (found := file.stat().st_size) != entry["bytes"]:
        return [f"{found} bytes, the manifest says {entry['bytes']}"]
    if sha256_of_file(file) != entry["sha256"]:
        return [f"changed, sha256 is not the manifest's {entry['sha256']}"]
    return []


def _canonical(files: dict[str, dict[str, Any]]) -> bytes:
    content = {"format": FORMAT, "version": VERSION, "files": files}
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
