"""Real pairs of thick and thin series of one study, from the NCI Imaging Data Commons.

Source      466 studies of 421 patients in 28 public collections, 105 GB; listed in
            ``splits/idc_pairs.csv`` by series, bucket, bytes and licence. Made from the index of
            version 25.0.5 (``benchmarks/idc_manifests.py``) by words and counts alone: one study,
            a thin series of at most 1.5 mm and a thick one of at least 2.5 mm, by the first decimal
            number of their descriptions, whose slice counts fit. Phantoms are left out
Licence     that of each row: CC BY 4.0, CC BY 3.0 and, where it is named, CC BY-NC 4.0
Checksums   bytes and counts as in the index, MD5 of the bucket, SHA-256 of the first download
Splits      our own, by patient: two tests and one validation in seven, along the manifest's order
Order       patients of all strata (maker and ratio) take turns, so that a few are of many

One study is not one acquisition: the two are compared by headers and images when they are read, and
a pair that is none is set aside, with the reason. ``raw/{uuid}/`` holds one series each.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from thinslice.datasets._archive import (
    ADDRESS,
    Series,
    fetch_series,
    files_of,
    licensed,
    series_of,
)
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import rows_of
from thinslice.datasets.own_data import in_frame_of
from thinslice.errors import listed, refused
from thinslice.interfaces import Case
from thinslice.io.dicom.read import read_dicom

MANIFEST_SHA256 = "95e9228f5422ac1587b1e9ae4c415f38570fb5508081cb698e8892946979368f"
ROLES = ("thin", "thick")


@dataclass(frozen=True)
class Settings:
    """Which candidates, and how many."""

    take: int | None = None  # patients, the first of those below; None: all
    max_gb: float | None = None  # of downloads: patients are taken as long as they fit; None: all
    collections: Sequence[str] | None = None  # None: all
    makers: Sequence[str] | None = None  # ge, siemens, toshiba, unknown; None: all
    ratios: Sequence[str] | None = None  # thickness of thin and thick in mm, as "1/5"; None: all
    licences: Sequence[str] | None = None  # None: all but those for non-commercial use (NC)
    same_words: bool = False  # only where the two descriptions differ in numbers alone
    address: str = ADDRESS  # of a bucket
    manifest: str | None = None  # a CSV of the same columns, of other candidates; None: ours


class IdcPairs:
    """The data set; see the module docstring."""

    simulated = False

    def __init__(self, settings: Settings, rows: Sequence[Mapping[str, str]]):
        self.settings = settings
        self.rows = rows

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download both series of every selected study; Refused where the disk is too small."""
        series = [series_of(row, role) for row in self.rows for role in ROLES]
        fetch_series(series, raw, mirror, self.settings.address)

    def files(self, raw: Path) -> Sequence[Path]:
        """Every file of every selected series, in the manifest's order."""
        series = [series_of(row, role) for row in self.rows for role in ROLES]
        return [file for each in series for file in files_of(each, raw)]

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case a study, in the manifest's order."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        return by_case((row["case"], partial(_case, row, raw)) for row in self.rows)


def _case(row: Mapping[str, str], raw: Path) -> Case:
    """Both scans of a study, the thick one in the thin one's frame."""
    thin, thick = (_read(series_of(row, role), raw) for role in ROLES)
    placed = in_frame_of(thin.volume, thick.volume, raw / row["thick_uuid"])
    source = {
        role: {"uuid": row[f"{role}_uuid"], "uid": row[f"{role}_uid"], **scan.source}
        for role, scan in zip(ROLES, (thin, thick))
    }
    about = {key: row[key] for key in ("collection", "licence", "same_words")}
    return Case(row["case"], _patient(row), row["split"], thin.volume, placed, {**source, **about})


def _read(series: Series, raw: Path):
    return read_dicom(raw / series.uuid, only=files_of(series, raw), modality="CT")


def _patient(row: Mapping[str, str]) -> str:
    return f"{row['collection']}/{row['patient']}"


def selected(settings: Settings, rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows that the settings choose, in the manifest's order; Refused if none."""
    for name, column in (("collections", "collection"), ("makers", "maker"), ("ratios", "ratio")):
        wanted = getattr(settings, name)
        if wanted is not None:
            rows = _among(rows, column, wanted, name)
    if settings.same_words:
        rows = [row for row in rows if row["same_words"] == "yes"]
    rows = licensed(rows, settings.licences, "idc_pairs")
    patients = list(dict.fromkeys(map(_patient, rows)))[: settings.take]
    rows = [row for row in rows if _patient(row) in set(patients)]
    return _within(rows, settings.max_gb)


def _among(
    rows: Sequence[Mapping[str, str]], column: str, wanted: Sequence[str], name: str
) -> list[Mapping[str, str]]:
    """The rows with these values; Refused for a value that no row of the manifest has."""
    there = {row[column] for row in rows}
    if unknown := sorted(set(map(str, wanted)) - there):
        raise refused(
            "idc_pairs",
            f"{name}: {listed(unknown)}",
            f"some of {', '.join(sorted(there))}",
            "correct the spelling; of several settings all must hold",
        )
    return [row for row in rows if row[column] in wanted]


def _within(rows: Sequence[Mapping[str, str]], max_gb: float | None) -> list[Mapping[str, str]]:
    """The rows of the first patients whose downloads fit together; Refused where none does."""
    fitting: list[Mapping[str, str]] = []
    left = float("inf") if max_gb is None else max_gb * 1e9
    for patient in dict.fromkeys(map(_patient, rows)):
        theirs = [row for row in rows if _patient(row) == patient]
        left -= sum(series_of(row, role).bytes for row in theirs for role in ROLES)
        if left < 0:
            break
        fitting += theirs
    if not fitting:
        advice = "choose more collections, makers or ratios, or raise max_gb"
        raise refused("idc_pairs", "settings that choose no patient", "one or more", advice)
    return fitting


def build(**settings) -> IdcPairs:
    given = Settings(**settings)
    if given.take is not None and given.take < 1:
        raise ValueError(f"take counts patients, found {given.take}")
    return IdcPairs(given, selected(given, _candidates(given.manifest)))


def _candidates(manifest: str | None) -> list[dict[str, str]]:
    if manifest is None:
        return rows_of("idc_pairs", MANIFEST_SHA256)
    with Path(manifest).expanduser().open(newline="") as file:
        return list(csv.DictReader(file))
