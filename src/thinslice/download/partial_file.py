"""A partly downloaded file, ``<name>.part``: locked, hashed as it grows, resumable.

``<name>.part.json`` records its origin (address, ETag, total size), so that a download resumes
only with more bytes of the same file.
"""

import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from thinslice.errors import refused
from thinslice.fs.atomic import remove_leftovers, write_text
from thinslice.fs.locks import is_at, wait_lock

BLOCK = 1 << 20


class Part:
    """The bytes of a file so far; one process holds it at a time, others wait for that one."""

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")

    def __enter__(self) -> "Part":
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._locked()
        remove_leftovers(self.note)  # of a writer that was killed; the lock says there is no other
        self._size = os.fstat(self._file.fileno()).st_size
        self._reset_hashes()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if not self._size:  # nothing to resume from, or finished by another process
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    def origin(self) -> dict[str, Any]:
        """Origin of the bytes so far; empty if there are none or it is unknown."""
        try:
            return json.loads(self.note.read_text()) if self._size else {}
        except (OSError, ValueError):
            return {}

    def start(self, origin: dict[str, Any]) -> None:
        """Start over, with bytes from ``origin``."""
        self._file.truncate(0)
        self._size = 0
        self._reset_hashes()
        write_text(self.note, json.dumps(origin))

    def discard(self) -> None:
        """Discard the bytes."""
        self.start({})

    def add(self, block: bytes) -> None:
        """Append bytes; they are in the file when this returns. Refused if the disk is full."""
        self._hash_earlier_bytes()
        try:
            self._file.write(block)
            self._file.flush()
        except OSError as error:
            raise refused(self.path, f"{error}", "room to write", "make room") from error
        self._size += len(block)
        self._hash(block)

    def digests(self) -> dict[str, str]:
        """sha256 and md5 of the bytes so far."""
        self._hash_earlier_bytes()
        return {each.name: each.hexdigest() for each in self._hashes}

    def finish(self) -> None:
        """Rename to the target; the note goes first, since no one looks for it beside a target."""
        os.fsync(self._file.fileno())
        self.note.unlink(missing_ok=True)
        os.replace(self.path, self.target)

    def _locked(self) -> BinaryIO:
        """The part, open and locked; opened again if it was renamed or removed while waiting."""
        while True:
            file = self.path.open("a+b")
            wait_lock(file, f"{self.path}: waiting: another process is downloading it")
            if is_at(file, self.path):
                return file
            file.close()

    def _reset_hashes(self) -> None:
        self._hashes = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._hashed = 0

    def _hash(self, block: bytes) -> None:
        for each in self._hashes:
            each.update(block)
        self._hashed += len(block)

    def _hash_earlier_bytes(self) -> None:
        """Hash what an earlier run left, once."""
        if self._hashed < self._size:
            self._file.seek(self._hashed)
            while block := self._file.read(BLOCK):
                self._hash(block)
