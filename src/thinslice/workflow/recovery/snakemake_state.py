"""Snakemake's memory of how results were made, in .snakemake. Standard library only.

Snakemake finds what is out of date by comparing code and settings with those of the run before.
Without that memory all results look up to date, whatever has changed since: results that were
copied or moved without it are refused, since a stale result would be taken for a current one.

The memory is a folder of files or, with ``--persistence-backend db``, an SQLite database.
"""

import contextlib
import json
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thinslice.provenance.records import SUFFIX

TIMESTAMP = ".snakemake_timestamp"  # the file whose time counts as that of a folder
ENDED, RUNNING = "metadata", "incomplete"  # folders of the file backend, a file per output
DATABASE, TABLE = "metadata.db", "snakemake_metadata"


@dataclass(frozen=True)
class SnakemakeState:
    """What Snakemake keeps beside the results.

    folder    .snakemake
    backend   "file" or "db", as --persistence-backend says
    """

    folder: Path
    backend: str = "file"

    @property
    def slurm_logs(self) -> Path:
        """Folder of the logs of Slurm jobs."""
        return self.folder / "slurm_logs"

    def is_empty(self) -> bool:
        """Whether no job is remembered, neither one that ended nor one that was running."""
        if self.backend == "db":
            return not self._rows("target", "LIMIT 1")
        folders = (self.folder / ENDED, self.folder / RUNNING)
        return not any(folder.is_dir() and any(folder.iterdir()) for folder in folders)

    def record_times(self) -> dict[str, float]:
        """When each record was made: its path -> seconds since the epoch, 0 if unknown.

        Entries that a power cut damaged are left out, as Snakemake does itself.
        """
        if self.backend == "db":
            rows = self._rows("target, endtime")
            return {path: time or 0.0 for path, time in rows if path.endswith(SUFFIX)}
        return dict(self._file_times())

    def _file_times(self) -> Iterator[tuple[str, float]]:
        """Of each record, by files whose names are the paths in base64, in parts if long."""
        top = self.folder / ENDED
        for file in top.rglob("*"):
            with contextlib.suppress(ValueError, OSError):
                name = "".join(part.removeprefix("@") for part in file.relative_to(top).parts)
                path = urlsafe_b64decode(name).decode()
                if file.is_file() and path.endswith(SUFFIX):
                    yield path, json.loads(file.read_text()).get("endtime") or 0.0

    def _rows(self, columns: str, end: str = "") -> list[tuple]:
        """Of the database, the rows of this folder; none if it cannot be read."""
        database = self.folder / DATABASE
        if not database.is_file():
            return []
        query = f"SELECT {columns} FROM {TABLE} WHERE namespace = ? {end}"
        with contextlib.suppress(sqlite3.Error):
            # Not read-only: the journal of a killed writer must be rolled back first.
            uri = f"{database.absolute().as_uri()}?mode=rw"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
                return connection.execute(query, [str(self.folder.absolute())]).fetchall()
        return []


def check(results: Path, state: SnakemakeState) -> None:
    """Refuse results whose making Snakemake does not remember; ValueError."""
    if not state.is_empty() or next(results.rglob(f"*{SUFFIX}"), None) is None:
        return
    if state.backend == "db":
        raise ValueError(
            f"{results.resolve()} holds results, but {state.folder / DATABASE} does not know how "
            "they were made in this folder: nothing tells which of them are out of date. Run with "
            "the --persistence-backend they were made with, and in the folder they were made in, "
            "or move them away"
        )
    raise ValueError(
        f"{results.resolve()} holds results, but {state.folder}, where Snakemake remembers how "
        "they were made, is empty: nothing tells which of them are out of date. Bring "
        f"{state.folder} along with them, or move them away"
    )
