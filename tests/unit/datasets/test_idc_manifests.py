"""Manifests from the index of the Imaging Data Commons: which series, in which order and split."""

import csv
import sys
from collections import Counter
from typing import Any

import pandas as pd
import pytest

from support.paths import BENCHMARKS, ROOT

sys.path.insert(0, str(BENCHMARKS))
import idc_manifests as manifests

SPLITS = ROOT / "src/thinslice/datasets/splits"


def index(*rows: dict[str, Any]) -> pd.DataFrame:
    """An index with one series a row, thin of 1 mm by default."""
    return pd.DataFrame([{**_DEFAULTS, **_uids(k), **row} for k, row in enumerate(rows)])


_DEFAULTS = {
    "collection_id": "lungs",
    "PatientID": "P 1",
    "StudyInstanceUID": "1.2",
    "SeriesDescription": "Lung 1.0 x",
    "instanceCount": 300,
    "license_short_name": "CC BY 4.0",
    "Manufacturer": "TOSHIBA",
    "series_size_MB": 157.98,
    "sop_class_name": "CT Image Storage",
    "Modality": "CT",
    "aws_bucket": "open",
    "SeriesNumber": "4",
}
THICK = {"SeriesDescription": "Lung 5.0", "instanceCount": 60, "series_size_MB": 31.600001}


def _uids(k: int) -> dict[str, str]:
    return {"SeriesInstanceUID": f"1.2.{k:03d}", "crdc_series_uuid": f"uuid-{k:03d}"}


def pairs_of(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return manifests.pairs(manifests.series_of(index(*rows)))


def test_a_thin_and_a_thick_series_of_one_study_are_a_row():
    (row,) = pairs_of({}, THICK)
    assert (row["case"], row["ratio"], row["same_words"]) == ("lungs-p-1-1", "1/5", "yes")
    assert (row["thin_uuid"], row["thick_uuid"]) == ("uuid-000", "uuid-001")
    assert (row["thin_bytes"], row["thick_bytes"]) == (157_980_000, 31_600_001)
    assert (row["licence"], row["bucket"], row["maker"]) == ("CC BY 4.0", "open", "toshiba")


@pytest.mark.parametrize(
    "thick",
    [
        {"instanceCount": 70},  # 300 / 70 is no ratio of 5
        {"SeriesDescription": "Lung 2.4", "instanceCount": 125},
        {"SeriesDescription": "Lung"},
        {"StudyInstanceUID": "1.3"},
        {"Modality": "MR"},
        {"sop_class_name": "Secondary Capture Image Storage"},
    ],
)
def test_no_pair_of_what_does_not_fit(thick):
    assert pairs_of({}, {**THICK, **thick}) == []


def test_a_collection_of_phantoms_is_no_patient():
    phantom = {"collection_id": "liver_phantom"}
    assert pairs_of(phantom, {**THICK, **phantom}) == []


def test_of_one_study_equal_words_come_before_a_larger_ratio():
    other_words = {**THICK, "SeriesDescription": "Soft 10.0", "instanceCount": 30}
    ratio_3 = {**THICK, "SeriesDescription": "Lung 3.0", "instanceCount": 100}
    assert [row["ratio"] for row in pairs_of({}, ratio_3, other_words)] == ["1/3"]
    assert [row["ratio"] for row in pairs_of({}, ratio_3, THICK, other_words)] == ["1/5"]


def test_the_order_of_the_index_changes_nothing():
    frame = index(*many_patients())
    expected = manifests.csv_bytes(manifests.pairs(manifests.series_of(frame)))
    shuffled = frame.sample(frac=1, random_state=1)
    assert manifests.csv_bytes(manifests.pairs(manifests.series_of(shuffled))) == expected


def many_patients() -> list[dict[str, Any]]:
    """40 patients of one maker and 3 of another, the first with two studies."""
    rows = []
    for k in range(44):
        whose = {
            "PatientID": f"P{max(k - 1, 0):02d}",
            "StudyInstanceUID": f"1.{k}",
            "Manufacturer": "SIEMENS Healthineers" if k > 40 else "GE MEDICAL SYSTEMS",
        }
        rows += [whose, {**THICK, **whose}]
    return rows


def test_strata_take_turns_and_so_do_splits_but_never_within_a_patient():
    rows = pairs_of(*many_patients())
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["patient"], set()).add(row["split"])
    assert all(len(each) == 1 for each in splits.values())
    first = list(splits)[:7]
    assert Counter(next(iter(splits[name])) for name in first) == {"train": 4, "test": 2, "val": 1}
    makers = {row["patient"]: row["maker"] for row in rows}
    assert Counter(makers[name] for name in first[:6]) == {"ge": 3, "siemens": 3}
    assert len(rows) == 44
    assert len({row["case"] for row in rows}) == 44


def test_two_series_of_other_licences_are_no_row():
    with pytest.raises(SystemExit, match="licence"):
        pairs_of({}, {**THICK, "license_short_name": "CC BY-NC 4.0"})


def test_a_phantom_has_each_reconstruction_once_of_the_study_that_crosses_most():
    fda = {"collection_id": "phantom_fda", "PatientID": "NoduleLayout_1"}
    words = "SliceTh-{}_SliceInc-{}_ReconFilter-C".format
    frame = index(
        *({**fda, "SeriesDescription": words(*w)} for w in (("5", "2.5"), ("0.8", "0.4"))),
        {**fda, "SeriesDescription": words("0.8", "0.4"), "SeriesNumber": "3"},
        {**fda, "SeriesDescription": words("5", "2.5"), "StudyInstanceUID": "0.1"},
        {**fda, "SeriesDescription": words("3", "\x01")},
        {**fda, "SeriesDescription": "Scout"},
    )
    rows = manifests.phantom_fda(manifests.series_of(frame))
    found = [(row["thickness_mm"], row["increment_mm"], row["uuid"]) for row in rows]
    assert found == [("0.8", "0.4", "uuid-002"), ("3", "", "uuid-004"), ("5", "2.5", "uuid-000")]


def test_the_manifest_here_is_as_large_and_as_varied_as_the_docs_say():
    with (SPLITS / "idc_pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    patients = {(row["collection"], row["patient"]): set() for row in rows}
    for row in rows:
        patients[row["collection"], row["patient"]].add(row["split"])
        assert all(row[key] for key in row), row["case"]
    assert (len(rows), len(patients)) == (466, 421)
    assert len({row["collection"] for row in rows}) == 28
    assert len({row["ratio"] for row in rows}) == 15
    assert all(len(splits) == 1 for splits in patients.values())
    assert sum(int(row["thin_bytes"]) + int(row["thick_bytes"]) for row in rows) == 104_976_478_094
    licences = Counter(row["licence"] for row in rows)
    assert licences == {"CC BY 4.0": 390, "CC BY 3.0": 74, "CC BY-NC 4.0": 2}
