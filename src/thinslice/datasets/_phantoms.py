"""Phantoms of known truth in the NCI Imaging Data Commons: pairs of one study, and known spheres.

A case is a thicker reconstruction beside the thinnest one of its layout, study and kernel; its
layout is its patient. All are test cases: a layout is the same solid in each. Places of nodules
are not in the archive's index: they come from the phantom's own documents, in a CSV with the
columns layout, x_mm, y_mm, z_mm (patient coordinates as in DICOM), diameter_mm and, where known,
hu.
"""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from thinslice.datasets._archive import (
    ADDRESS,
    fetch_series,
    files_of,
    licensed,
    series_of,
)
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import rows_of
from thinslice.datasets.own_data import in_frame_of
from thinslice.errors import Refused, SetAside, listed, refused
from thinslice.interfaces import Case
from thinslice.io.dicom.read import read_dicom
from thinslice.metrics.known_solids import Sphere

THICKER = 1.5  # times the thin slices
Row = Mapping[str, str]


@dataclass(frozen=True)
class PhantomSettings:
    """Which reconstructions of a phantom."""

    layouts: Sequence[str] | None = None  # None: all
    kernels: Sequence[str] | None = None  # None: all
    licences: Sequence[str] | None = None  # None: all but those for non-commercial use
    nodules: str | None = None  # CSV of the places and sizes of spheres; None: none are measured
    address: str = ADDRESS  # of a bucket
    manifest: str | None = None  # CSV of other reconstructions; None: ours


class Phantoms:
    """The data set of a manifest; see the module docstring."""

    simulated = False

    def __init__(self, name: str, sha256: str, settings: PhantomSettings):
        rows = _manifest(name, sha256, settings.manifest)
        _refuse_others(settings.nodules, rows)
        for column, wanted in (("layout", settings.layouts), ("kernel", settings.kernels)):
            rows = _among(name, rows, column, wanted)
        self.settings = settings
        self.pairs = _pairs(licensed(rows, settings.licences, name))

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download every reconstruction of a pair; Refused where the disk is too small."""
        series = [series_of(row) for row in self._rows()]
        fetch_series(series, raw, mirror, self.settings.address)

    def files(self, raw: Path) -> Sequence[Path]:
        """Every file of every reconstruction, and the list of nodules."""
        files = [file for row in self._rows() for file in files_of(series_of(row), raw)]
        nodules = self.settings.nodules
        return [*files, *([Path(nodules).expanduser()] if nodules else [])]

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case a thicker reconstruction."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        solids = _solids(self.settings.nodules)
        return by_case(
            (thick["case"], partial(_case, thin, thick, raw, solids.get(thick["layout"], [])))
            for thin, thick in self.pairs
        )

    def _rows(self) -> list[Row]:
        """Rows of the reconstructions, each once."""
        return list({row["uuid"]: row for pair in self.pairs for row in pair}.values())


def _manifest(name: str, sha256: str, manifest: str | None) -> list[Row]:
    if manifest is None:
        return list(rows_of(name, sha256))
    with Path(manifest).expanduser().open(newline="") as file:
        return list(csv.DictReader(file))


def _among(name: str, rows: list[Row], column: str, wanted: Sequence[str] | None) -> list[Row]:
    there = sorted({row[column] for row in rows})
    if unknown := sorted(set(wanted or ()) - set(there)):
        found = f"{column}s: {listed(unknown)}"
        raise refused(name, found, f"some of {', '.join(there)}", "correct the spelling")
    return [row for row in rows if wanted is None or row[column] in wanted]


def _pairs(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Each thicker reconstruction with the thinnest one of its layout, study and kernel."""
    same: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        same.setdefault((row["layout"], row["study"], row["kernel"]), []).append(row)
    pairs = []
    for group in same.values():
        thin = min(group, key=lambda r: (float(r["thickness_mm"]), float(r["increment_mm"] or 0)))
        least_mm = THICKER * float(thin["thickness_mm"])
        pairs += [(thin, row) for row in group if float(row["thickness_mm"]) >= least_mm]
    return pairs


def _case(thin: Row, thick: Row, raw: Path, solids: Sequence[dict[str, Any]]) -> Case:
    stratum = {"maker": thick["maker"], "ratio": _ratio(thin, thick), "kernel": "same"}
    about = {"patient": thick["layout"], "split": "test", **stratum}
    files = [files_of(series_of(row), raw) for row in (thin, thick)]
    try:
        scans = [read_dicom(each[0].parent, only=each, modality="CT") for each in files]
    except Refused as error:
        raise SetAside(f"series: {error}", about) from error
    try:
        placed = in_frame_of(scans[0].volume, scans[1].volume, raw / thick["uuid"])
    except Refused as error:
        raise SetAside(f"field_of_view: {error}", about) from error
    source: dict[str, Any] = {
        role: {"uuid": row["uuid"], **scan.source}
        for role, row, scan in zip(("thin", "thick"), (thin, thick), scans)
    }
    source |= {"stratum": stratum, "licence": thick["licence"], "solids": list(solids)}
    return Case(thick["case"], thick["layout"], "test", scans[0].volume, placed, source)


def _ratio(thin: Row, thick: Row) -> str:
    return "/".join(f"{float(row['thickness_mm']):g}" for row in (thin, thick))


def _solids(nodules: str | None) -> dict[str, list[dict[str, Any]]]:
    """Spheres by layout; Refused for a list without the columns, or with what is no number."""
    if nodules is None:
        return {}
    path, solids = Path(nodules).expanduser(), {}
    if not path.is_file():
        raise refused(path, "nothing there", "the list of nodules", "correct the setting nodules")
    with path.open(newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            try:
                numbers = {k: float(row[k]) for k in ("x_mm", "y_mm", "z_mm", "diameter_mm")}
                sphere = Sphere(**numbers, hu=float(row["hu"]) if row.get("hu") else None)
                _refuse_impossible(sphere)
                solids.setdefault(row["layout"], []).append(sphere._asdict())
            except (KeyError, ValueError, TypeError) as error:
                found = f"{type(error).__name__}: {error}"
                expected = "layout, x_mm, y_mm, z_mm, diameter_mm and perhaps hu"
                raise refused(f"{path}: line {line}", found, expected, "correct it") from error
    return solids


def _refuse_others(nodules: str | None, rows: Sequence[Row]) -> None:
    """Refuse a list whose layouts are all unknown: nothing would be measured, silently."""
    stated, there = sorted(_solids(nodules)), sorted({row["layout"] for row in rows})
    if nodules is not None and not set(stated) & set(there):
        found = f"nodules of {listed(stated)}" if stated else "no nodules"
        raise refused(Path(nodules), found, f"some of {', '.join(there)}", "correct the layouts")


def _refuse_impossible(sphere: Sphere) -> None:
    numbers = [number for number in sphere if number is not None]
    if not all(map(math.isfinite, numbers)) or sphere.diameter_mm <= 0:
        raise ValueError(f"no sphere of a known place and size: {tuple(numbers)}")
