"""A file on its way: ``<name>.part`` beside its target, locked, hashed as it grows.

Where it comes from (address, ETag, total size) lies in ``<name>.part.json``, so that a killed run
can be gone on from, and only with more of the same.
"""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from thinslice.download.progress import say
from thinslice.errors import refused

BLOCK = 1 << 20


class Part:
    """One process holds it at a time; another waits until that one is done."""

    def __init__(self, target: Path):
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")

    def __enter__(self) -> "Part":
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._locked()
        self._size = os.fstat(self._file.fileno()).st_size
        self._no_hashes()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if not self._size:  # nothing to go on from, or done by another process
            self.path.unlink(missing_ok=True)
            self.note.unlink(missing_ok=True)
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    def origin(self) -> dict[str, Any]:
        """What the bytes so far come from; empty if there are none, or nobody knows."""
        try:
            return json.loads(self.note.read_text()) if self._size else {}
        except (OSError, ValueError):
            return {}

    def start(self, origin: dict[str, Any]) -> None:
        """Begin anew, with bytes from ``origin``."""
        self._file.truncate(0)
        self._size = 0
        self._no_hashes()
        beside = self.note.with_name(f".{self.note.name}.partial")
        beside.write_text(json.dumps(origin))
        os.replace(beside, self.note)

    def discard(self) -> None:
        """Throw the bytes away."""
        self.start({})

    def add(self, block: bytes) -> None:
        """More bytes, on disk when this returns; Refused if they cannot be written."""
        self._hash_left()
        try:
            self._file.write(block)
            self._file.flush()
        except OSError as error:
            raise refused(self.path, f"{error}", "room to write", "make room") from error
        self._size += len(block)
        self._hash(block)

    def digests(self) -> dict[str, str]:
        """sha256 and md5 of the bytes so far."""
        self._hash_left()
        return {one.name: one.hexdigest() for one in self._hashes}

    def finish(self) -> None:
        """Rename to the target."""
        os.fsync(self._file.fileno())
        os.replace(self.path, self.target)
        self.note.unlink(missing_ok=True)

    def _locked(self) -> BinaryIO:
        """The part, open and ours; opened anew if it was renamed or removed while we waited."""
        while True:
            file = self.path.open("a+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"{self.path}: another process is at it; waiting")
                fcntl.flock(file, fcntl.LOCK_EX)
            if self.path.exists() and os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                return file
            file.close()

    def _no_hashes(self) -> None:
        self._hashes = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._hashed = 0

    def _hash(self, block: bytes) -> None:
        for one in self._hashes:
            one.update(block)
        self._hashed += len(block)

    def _hash_left(self) -> None:
        """What an earlier run left is read once."""
        if self._hashed < self._size:
            self._file.seek(self._hashed)
            while block := self._file.read(BLOCK):
                self._hash(block)
