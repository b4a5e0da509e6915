"""Checksums of the files of a data set, recorded when first verified and enforced from then on."""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from thinslice.errors import refused

BLOCK = 1 << 20


class Checksums:
    """``raw/checksums.json``: name to sha256, size and time of the file it was taken of."""

    def __init__(self, path: Path):
        self.path = path

    def sha256(self, name: str) -> str | None:
        """The recorded checksum of a file, if there is one."""
        return self._read().get(name, {}).get("sha256")

    def knows(self, name: str, file: Path, sha256: str | None) -> bool:
        """Whether this very file (size and time) was found to have this checksum."""
        entry, stat = self._read().get(name, {}), file.stat()
        same = (entry.get("size"), entry.get("mtime_ns")) == (stat.st_size, stat.st_mtime_ns)
        return same and entry.get("sha256") == sha256

    def add(self, name: str, file: Path, sha256: str) -> None:
        """Record a verified file; other processes' entries are kept."""
        stat = file.stat()
        entry = {"sha256": sha256, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        lock = os.open(self.path.parent / ".checksums.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = {**self._read(), name: entry}
            beside = self.path.with_name(f".{self.path.name}.partial")
            beside.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n")
            os.replace(beside, self.path)
        finally:
            os.close(lock)

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
    both = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            for one in both:
                one.update(block)
    return {one.name: one.hexdigest() for one in both}
