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

One study is not one acquisition: the two are compared by headers and images when they are read
(``thinslice.pairs``), and a pair that is none is set aside, with the reason. ``raw/{uuid}/`` holds
one series each.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from thinslice.datasets._archive import (
    ADDRESS,
    Series,
    fetch_first,
    fetch_series,
    files_of,
    is_whole,
    licensed,
    series_of,
)
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import rows_of
from thinslice.datasets.own_data import in_frame_of
from thinslice.download.progress import say
from thinslice.errors import Refused, SetAside, listed, refused
from thinslice.interfaces import Case
from thinslice.io.dicom.read import of_slices
from thinslice.pairs.certificate import CODES, Certificate, Reason
from thinslice.pairs.certify import certify
from thinslice.pairs.first_images import reason_of_images
from thinslice.pairs.reconstructions import Reconstruction, reconstruction_at

MANIFEST_SHA256 = "95e9228f5422ac1587b1e9ae4c415f38570fb5508081cb698e8892946979368f"
ROLES = ("thin", "thick")
UNKNOWN = "unknown"
# What speaks against a pair and may still be: two kernels, and what a benchmark states or measures.
ACCEPTED = ("kernel", "acquisition_number", "table_range_partly", "profile")


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
    flags: Sequence[str] = ACCEPTED  # of the certificate, that set no pair aside
    address: str = ADDRESS  # of a bucket
    manifest: str | None = None  # a CSV of the same columns, of other candidates; None: ours


class IdcPairs:
    """The data set; see the module docstring."""

    simulated = False

    def __init__(self, settings: Settings, rows: Sequence[Mapping[str, str]]):
        self.settings = settings
        self.rows = rows

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download both series of every selected study; Refused where the disk is too small.

        The first image of each comes first: a pair that these show to be none is left at that.
        """
        raw.mkdir(parents=True, exist_ok=True)
        wanted = []
        for row in self.rows:
            series = [series_of(row, role) for role in ROLES]
            for each in series:
                if not is_whole(each, raw):
                    fetch_first(each, raw, mirror, self.settings.address)
            if reason := _seen_at_once(row, raw):
                say(f"{raw.name}: {row['case']} is no pair: {reason.code}: {reason.text}")
            else:
                wanted += series
        fetch_series(wanted, raw, mirror, self.settings.address)

    def files(self, raw: Path) -> Sequence[Path]:
        """Every file of every selected series, in the manifest's order; of no pair, one of each."""
        files: list[Path] = []
        for row in self.rows:
            at_once = _seen_at_once(row, raw) is not None
            for each in (series_of(row, role) for role in ROLES):
                files += [_first(each, raw)] if at_once else files_of(each, raw)
        return files

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case a study, in the manifest's order."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        flags = tuple(self.settings.flags)
        return by_case((row["case"], partial(_case, row, raw, flags)) for row in self.rows)


def _seen_at_once(row: Mapping[str, str], raw: Path) -> Reason | None:
    """What the first images say against a pair that was not downloaded whole; else None."""
    series = [series_of(row, role) for role in ROLES]
    if all(is_whole(each, raw) for each in series):
        return None
    images = [_first(each, raw) for each in series]
    return reason_of_images(images[0], images[1])


def _first(series: Series, raw: Path) -> Path:
    """The first file of a series; Refused where there is none."""
    files = sorted((raw / series.uuid).glob("*.dcm"))
    return files[0] if files else files_of(series, raw)[0]


def _case(row: Mapping[str, str], raw: Path, flags: Sequence[str]) -> Case:
    """Both scans of a study, the thick one in the thin one's frame; SetAside for no pair."""
    if reason := _seen_at_once(row, raw):
        raise _set_aside(row, _stratum(row, None), f"{reason.code}: {reason.text}")
    thin, thick = (_reconstruction(row, role, raw) for role in ROLES)
    certificate = certify(thin, thick)
    stratum = _stratum(row, certificate)
    if against := [r for r in certificate.reasons if _speaks_against(r, flags)]:
        raise _set_aside(row, stratum, "; ".join(f"{r.code}: {r.text}" for r in against))
    scans = [
        of_slices(raw / each.folder.name, each.slices, modality="CT") for each in (thin, thick)
    ]
    placed = in_frame_of(scans[0].volume, scans[1].volume, raw / row["thick_uuid"])
    source = {
        role: {"uuid": row[f"{role}_uuid"], "uid": row[f"{role}_uid"], **scan.source}
        for role, scan in zip(ROLES, scans)
    }
    about = {key: row[key] for key in ("collection", "licence", "same_words")}
    source |= {**about, "stratum": stratum, "certificate": _plain(certificate)}
    return Case(row["case"], _patient(row), row["split"], scans[0].volume, placed, source)


def _reconstruction(row: Mapping[str, str], role: str, raw: Path) -> Reconstruction:
    """One series as it lies on the disk; Refused for another one than the manifest names."""
    series = series_of(row, role)
    files_of(series, raw)
    folder = raw / series.uuid
    try:
        one = reconstruction_at(folder)
    except Refused as error:
        raise _set_aside(row, _stratum(row, None), f"series: {role}: {error}") from error
    if one.first.series != series.uid:
        found = f"series {one.first.series}"
        raise refused(folder, found, series.uid, "the archive has changed; fetch it again")
    return one


def _speaks_against(reason: Reason, flags: Sequence[str]) -> bool:
    return reason.verdict == "rejected" or reason.code not in flags


def _set_aside(row: Mapping[str, str], stratum: Mapping[str, str], why: str) -> SetAside:
    return SetAside(why, {"patient": _patient(row), "split": row["split"], **stratum})


def _stratum(row: Mapping[str, str], certificate: Certificate | None) -> dict[str, str]:
    """Maker and ratio by the manifest, kernels by the headers."""
    facts = {} if certificate is None else certificate.facts
    by_header = str(facts.get("maker") or "").lower().split()
    maker = row["maker"] if row["maker"] != UNKNOWN or not by_header else by_header[0]
    return {"maker": maker, "ratio": row["ratio"], "kernel": facts.get("kernel", UNKNOWN)}


def _plain(certificate: Certificate) -> dict[str, Any]:
    """As JSON, without the places of the files."""
    plain = json.loads(json.dumps(certificate.to_json()))
    for role in ROLES:
        plain["facts"][role].pop("folder", None)
    return plain


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
    codes = [code for code, (verdict, _) in CODES.items() if verdict == "flagged"]
    if unknown := sorted(set(given.flags) - set(codes)):
        raise ValueError(f"flags: {listed(unknown)}; expected some of {', '.join(codes)}")
    if given.take is not None and given.take < 1:
        raise ValueError(f"take counts patients, found {given.take}")
    return IdcPairs(given, selected(given, _candidates(given.manifest)))


def _candidates(manifest: str | None) -> list[dict[str, str]]:
    if manifest is None:
        return rows_of("idc_pairs", MANIFEST_SHA256)
    with Path(manifest).expanduser().open(newline="") as file:
        return list(csv.DictReader(file))
