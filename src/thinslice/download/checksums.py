"""Checksums of a data set's files: recorded when first verified, enforced from then on."""

import hashlib
import json
from pathlib import Path
from typing import Any

from thinslice.errors import refused
from thinslice.fs.atomic import write_text
from thinslice.fs.locks import wait_lock

BLOCK = 1 << 20


class Checksums:
    """``raw/checksums.json``: name to sha256, size and time of the file it was taken of."""

    def __init__(self, path: Path):
        self.path = path

    def sha256(self, name: str) -> str | None:
        """The recorded checksum of a file, if there is one."""
        return self._read().get(name, {}).get("sha256")

    def knows(self, name: str, file: Path, sha256: str | None) -> bool:
        """Whether this checksum was recorded for the file as it is now (same size and time)."""
        entry, stat = self._read().get(name, {}), file.stat()
        same = (entry.get("size"), entry.get("mtime_ns")) == (stat.st_size, stat.st_mtime_ns)
        return same and entry.get("sha256") == sha256

    def add(self, name: str, file: Path, sha256: str) -> None:
        """Record a verified file; safe while other processes add theirs."""
        stat = file.stat()
        entry = {"sha256": sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / ".checksums.lock").open("w") as lock:
            wait_lock(lock)
            entries = {**self._read(), name: entry}
            write_text(self.path, json.dumps(entries, indent=1, sort_keys=True) + "\n")

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.is_file():
            return {}
        try:
            return json.loads(self.path.read_text())
        except ValueError as error:
            raise refused(
                self.path, f"broken JSON ({error})", "the recorded checksums", "delete it"
            ) from error


def digest_of(path: Path) -> dict[str, str]:
    """sha256 and md5 of a file, in hex."""
    hashes = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            for each in hashes:
                each.update(block)
    return {each.name: each.hexdigest() for each in hashes}
