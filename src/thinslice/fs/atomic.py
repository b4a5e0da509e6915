"""Replace files atomically: write a temporary file, fsync it, rename it."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path to write a file at; on a clean exit of the block it replaces ``path``.

    A reader sees the old file or the whole new one, also after a power cut. A block that fails, on
    a full disk for example, leaves nothing; only a kill leaves its temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` by a text file (UTF-8); its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    if os.name == "nt":  # flushes nothing that is open for reading, and opens no folder
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove the temporary files that killed writers of ``path`` left; only for its sole writer."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        temporary.unlink(missing_ok=True)
