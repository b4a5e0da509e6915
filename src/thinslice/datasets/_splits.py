"""The cases of a published split, in a small CSV packaged with the code.

Columns: case, patient, split, published_split, and for some sets task and first_slices. The digest
of the CSV is in the code of its data set: changing the list requires changing the code, and that
reruns whatever depends on it.
"""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from thinslice.errors import refused
from thinslice.interfaces import SPLITS

MANIFESTS = Path(__file__).parent / "splits"


class SplitRow(NamedTuple):
    """One case of a manifest."""

    case: str
    patient: str
    split: str
    published_split: str
    task: str = ""  # of the Medical Segmentation Decathlon
    first_slices: str = ""  # how many slices of the file count; empty: all


def cases_of(name: str, sha256: str) -> list[SplitRow]:
    """The rows of ``splits/<name>.csv``, in its order; Refused if its SHA-256 differs."""
    return [SplitRow(**row) for row in rows_of(name, sha256)]


def rows_of(name: str, sha256: str) -> list[dict[str, str]]:
    """The same of a manifest with other columns."""
    path = MANIFESTS / f"{name}.csv"
    content = path.read_bytes() if path.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise refused(path, f"sha256 {found}", sha256, "install the package again")
    return list(csv.DictReader(content.decode().splitlines()))


def drawn(name: str, cases: Iterable[str], n: int) -> list[str]:
    """``n`` of the cases: those whose SHA-256 of "<name>/<case>" sorts first.

    As good as a random draw, the same everywhere, and a case's rank does not hang on the others.
    """
    return sorted(cases, key=lambda c: hashlib.sha256(f"{name}/{c}".encode()).hexdigest())[:n]


def first_of_splits(rows: Sequence[SplitRow], limit: int | None) -> list[SplitRow]:
    """The first ``limit`` cases of every split, for trials; None: all."""
    if limit is None:
        return list(rows)
    if limit < 1:
        raise ValueError(f"limit counts cases per split, found {limit}")
    by_split = {split: [row for row in rows if row.split == split] for split in SPLITS}
    chosen = {row for split in by_split.values() for row in split[:limit]}
    return [row for row in rows if row in chosen]
