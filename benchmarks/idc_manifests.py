"""Make the manifests of the data sets from the Imaging Data Commons, from its index.

    pip download --no-deps idc-index-data==25.0.5
    python benchmarks/idc_manifests.py idc_index_data-25.0.5-py3-none-any.whl

The index, one row a series, is a parquet file in that wheel (MIT); pandas reads it where pyarrow
is installed, which nothing else here needs. Written to ``src/thinslice/datasets/splits``, byte for
byte the same when made again; the SHA-256 that are printed stand in the data sets' modules.

Nothing is known from headers: thickness is the first decimal number of a series' description, and
one study is not one acquisition. What the data sets' reader certifies decides.
"""

import csv
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

WHEEL_SHA256 = "1ea4ec812688759b71798249b6488eb2bce7178aabb3dccb00366b7a555de25c"
INDEX = "idc_index_data/idc_index.parquet"
MANIFESTS = Path(__file__).parents[1] / "src" / "thinslice" / "datasets" / "splits"
READ = (
    "collection_id", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesDescription",
    "instanceCount", "license_short_name", "Manufacturer", "series_size_MB", "sop_class_name",
    "Modality", "crdc_series_uuid", "aws_bucket", "SeriesNumber",
)  # fmt: skip
DECIMAL = re.compile(r"\d+\.\d+")
UNWORDED = re.compile(r"[0-9. x]+")  # of descriptions that are compared
COUNTS_FIT = 0.12  # share by which slice counts may differ from what the thicknesses say
CYCLE = ("test", "train", "val", "train", "test", "train", "train")  # of patients, in their order
MAKERS = {"ge": "ge", "toshiba": "toshiba", "siemens": "siemens", "philips": "philips"}
SLICES = re.compile(r"SliceTh-([\d.]+)_SliceInc-([\d.]*)[^_]*_ReconFilter-(\w+)")
ABDOMEN = re.compile(r"Abdomen\s+([\d.]+)\s+(B\d\d[fs])")

Row = dict[str, Any]


def read_index(wheel: Path) -> list[Row]:
    """Every series of CT slices in the wheel's index; SystemExit for another wheel."""
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: found sha256 {digest}; expected {WHEEL_SHA256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(INDEX) as file:
        return series_of(pd.read_parquet(io.BytesIO(file.read()), columns=list(READ)))


def series_of(index: pd.DataFrame) -> list[Row]:
    """The series of CT slices, of 16 or more; "" where the index states nothing."""
    ct = (index["Modality"] == "CT") & (index["sop_class_name"] == "CT Image Storage")
    chosen = index[ct & (index["instanceCount"] >= 16)]
    return [_series(row) for row in chosen.astype(object).fillna("").to_dict("records")]


def _series(row: Mapping[str, Any]) -> Row:
    description = str(row["SeriesDescription"])
    number = DECIMAL.search(description.lower())
    return {
        "collection": row["collection_id"],
        "patient": row["PatientID"],
        "study": row["StudyInstanceUID"],
        "uid": row["SeriesInstanceUID"],
        "description": description,
        "words": UNWORDED.sub("", description.lower()),
        "mm": float(number[0]) if number else 0.0,
        "slices": int(row["instanceCount"]),
        "bytes": round(float(row["series_size_MB"]) * 1e6),
        "licence": row["license_short_name"],
        "maker": maker(str(row["Manufacturer"])),
        "uuid": row["crdc_series_uuid"],
        "bucket": row["aws_bucket"],
        "number": int(row["SeriesNumber"]) if str(row["SeriesNumber"]).isdigit() else 1 << 60,
    }


def maker(words: str) -> str:
    """A maker's name in one word; "unknown" where none is stated."""
    first = words.lower().split()[:1]
    return MAKERS.get(first[0], first[0]) if first else "unknown"


def pairs(series: Iterable[Row]) -> list[Row]:
    """One candidate a study: equal words first, then the largest ratio; ordered, with splits."""
    studies: dict[str, list[Row]] = {}
    for each in series:
        if "phantom" not in each["collection"]:
            studies.setdefault(each["study"], []).append(each)
    best = [min(fitting, key=_rank) for s in studies.values() if (fitting := _fitting(s))]
    return _with_splits(_row(*pair) for pair in best)


def _fitting(study: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Thin and thick series of one study whose slice counts fit their thicknesses."""
    thin = [s for s in study if 0.4 <= s["mm"] <= 1.5 and s["slices"] >= 60]
    thick = [s for s in study if 2.5 <= s["mm"] <= 10]
    return [pair for pair in product(thin, thick) if _fits(*pair)]


def _fits(thin: Row, thick: Row) -> bool:
    ratio = thick["mm"] / thin["mm"]
    return ratio >= 2 and abs(thin["slices"] / thick["slices"] / ratio - 1) < COUNTS_FIT


def _rank(pair: tuple[Row, Row]) -> tuple[Any, ...]:
    thin, thick = pair
    return thin["words"] != thick["words"], -thick["mm"] / thin["mm"], thin["uid"], thick["uid"]


def _row(thin: Row, thick: Row) -> Row:
    """A pair in one row; refuses two series that differ in licence, bucket or maker."""
    shared = ("collection", "patient", "licence", "bucket", "maker")
    if differing := [key for key in shared if thin[key] != thick[key]]:
        raise SystemExit(f"study {thin['study']}: thin and thick differ in {', '.join(differing)}")
    by_role = {
        f"{role}_{key}": f"{series[key]:g}" if key == "mm" else series[key]
        for role, series in (("thin", thin), ("thick", thick))
        for key in ("uid", "uuid", "mm", "slices", "bytes")
    }
    return {
        **{key: thin[key] for key in shared},
        "study": thin["study"],
        "ratio": f"{thin['mm']:g}/{thick['mm']:g}",
        "same_words": "yes" if thin["words"] == thick["words"] else "no",
        **by_role,
    }


def _with_splits(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order that patients are taken in, with case, patient and split.

    Patients take turns by stratum (maker and ratio), and within one by SHA-256: as good as drawn,
    so that the first patients are of many strata. Splits take turns along that order.
    """
    patients: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: (r["collection"], r["patient"], r["study"])):
        patients.setdefault(f"{row['collection']}/{row['patient']}", []).append(row)
    strata: dict[tuple[str, str], list[str]] = {}
    for name in sorted(patients, key=lambda n: hashlib.sha256(n.encode()).hexdigest()):
        first = patients[name][0]
        strata.setdefault((first["maker"], first["ratio"]), []).append(name)
    turns = [(turn, s, n) for s, names in sorted(strata.items()) for turn, n in enumerate(names)]
    return [
        {"case": _case(name, k), "split": CYCLE[rank % len(CYCLE)], **row}
        for rank, (_, _, name) in enumerate(sorted(turns))
        for k, row in enumerate(patients[name], 1)
    ]


def _case(patient: str, k: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{patient} {k}".lower()).strip("-")


def phantom_fda(series: Iterable[Row]) -> list[Row]:
    """One reconstruction of each layout, thickness, increment and kernel."""
    return _truth(series, "phantom_fda", _fda)


def qiba_liver(series: Iterable[Row]) -> list[Row]:
    """Likewise of the two Biograph 64 studies, which cross thickness and kernel."""
    return _truth(series, "qiba_ct_liver_phantom", _abdomen)


def _fda(each: Row) -> tuple[str, str, str] | None:
    """Thickness, increment and kernel by the description; layout 8 states no readable increment."""
    found = SLICES.fullmatch(each["description"])
    return (found[1], found[2], found[3]) if found else None


def _abdomen(each: Row) -> tuple[str, str, str] | None:
    found = ABDOMEN.fullmatch(each["description"].strip())
    return (found[1], "", found[2]) if found and each["maker"] == "siemens" else None


def _truth(series: Iterable[Row], collection: str, stated: Any) -> list[Row]:
    """One series of every layout and reconstruction, sorted by both.

    Of the study with most reconstructions, for thin and thick are to be of one; there the first by
    number: scanners number what they make of one acquisition one after the other.
    """
    keyed = [
        ((each["patient"], *words), each)
        for each in series
        if each["collection"] == collection and (words := stated(each))
    ]
    crossed: dict[str, set[tuple[str, ...]]] = {}
    for key, each in keyed:
        crossed.setdefault(each["study"], set()).add(key)
    first: dict[tuple[str, ...], Row] = {}
    for key, each in sorted(keyed, key=lambda k: _in_study(k[1], crossed)):
        first.setdefault(key, each)
    return [_phantom_row(key, first[key]) for key in sorted(first, key=_by_number)]


def _in_study(each: Row, crossed: Mapping[str, set[tuple[str, ...]]]) -> tuple[Any, ...]:
    return -len(crossed[each["study"]]), each["study"], each["number"], each["uid"]


def _by_number(key: tuple[str, ...]) -> tuple[Any, ...]:
    layout, mm, increment, kernel = key
    return layout, kernel, float(mm), float(increment or 0)


def _phantom_row(key: tuple[str, ...], each: Row) -> Row:
    layout, mm, increment, kernel = key
    name = f"{layout} {kernel} {mm}" + (f" every {increment}" if increment else "")
    return {
        "case": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        "layout": layout,
        "thickness_mm": mm,
        "increment_mm": increment,
        "kernel": kernel,
        **{k: each[k] for k in ("study", "uid", "uuid", "slices", "bytes", "licence", "bucket")},
        "maker": each["maker"],
    }


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Rows as CSV, with a line feed after each."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def main(wheel: str) -> None:
    """Write the manifests of a wheel's index, and print the SHA-256 of each."""
    series = read_index(Path(wheel))
    made = {
        "idc_pairs": pairs(series),
        "phantom_fda": phantom_fda(series),
        "qiba_liver": qiba_liver(series),
    }
    for name, rows in made.items():
        content = csv_bytes(rows)
        (MANIFESTS / f"{name}.csv").write_bytes(content)
        print(f"{name}: {len(rows)} rows, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1])
