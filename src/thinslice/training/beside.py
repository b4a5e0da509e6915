"""A file written beside its place, brought to the disk, renamed: whole, older, or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what shall stand at ``path`` once the block has ended.

    A block that fails, on a full disk say, leaves nothing beside to keep the disk full.
    """
    beside = path.with_name(path.name + ".part")
    try:
        yield beside
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
