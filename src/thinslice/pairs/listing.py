"""The pairs below a path as plain rows, one after another; patients under pseudonyms."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.io import zip_folder
from thinslice.io.folder import look
from thinslice.pairs.certify import certify
from thinslice.pairs.find import Left, candidates, left_over
from thinslice.pairs.reconstructions import Reconstruction, reconstructions
from thinslice.workflow.scan_files import PassedOver, passed_over

Row = dict[str, Any]


class Listing(NamedTuple):
    """Rows of pairs, made as they are asked for, what is in no pair, and what was not opened.

    A row is JSON: ``patient`` and ``case`` (pseudonyms by the order of the paths), then
    ``Certificate.to_json``.
    """

    rows: Iterator[Row]
    left: tuple[Left, ...]
    skipped: PassedOver


@contextmanager
def listing(path: Path) -> Iterator[Listing]:
    """The pairs at or below a folder, or in a zip of one, which is unpacked during the block.

    OSError for a folder that cannot be listed, Refused for a zip that cannot be unpacked.
    """
    if not zip_folder.is_zip(path):
        yield _listing(path, path)
        return
    with zip_folder.unpacked(path) as folder:
        yield _listing(folder, path)


def _listing(folder: Path, path: Path) -> Listing:
    tree = look(folder)
    every = reconstructions(tree)
    left = [
        Left(Path(_at(path, folder, str(item.path))), item.label, _at(path, folder, item.why))
        for item in left_over(tree, every)
    ]
    rows = (_row_at(path, folder, row) for row in _rows(every))
    return Listing(rows, tuple(left), passed_over(folder))


def _at(path: Path, folder: Path, text: str) -> str:
    """Text with the name of the zip in place of the folder it was unpacked to."""
    return text if path == folder else text.replace(str(folder), str(path))


def _row_at(path: Path, folder: Path, row: Row) -> Row:
    """A row with the name of the zip likewise, in each of its texts."""
    if path == folder:
        return row
    inside, outside = (json.dumps(str(each))[1:-1] for each in (folder, path))
    return json.loads(json.dumps(row).replace(inside, outside))


def _rows(every: Sequence[Reconstruction]) -> Iterator[Row]:
    patients = pseudonyms(every)
    counts: dict[str, int] = {}
    for thin, thick in candidates(every):
        patient = patients[_patient(thin) or _patient(thick)]
        counts[patient] = counts.get(patient, 0) + 1
        row = {"patient": patient, "case": f"{patient}_{counts[patient]}"}
        yield row | certify(thin, thick).to_json()


def pseudonyms(every: Sequence[Reconstruction]) -> dict[str, str]:
    """p001, p002, ... by PatientID, in the order in which they come."""
    ids = dict.fromkeys(map(_patient, every))
    return {patient: f"p{k:03d}" for k, patient in enumerate(ids, 1)}


def _patient(each: Reconstruction) -> str:
    return each.first.patient.strip()
