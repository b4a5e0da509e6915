"""The atlas of real pairs from an empty folder to its tables; a local server is the archive."""

import csv
from pathlib import Path

import pytest
import yaml

from support.checkout import Checkout, fresh
from support.file_server import Files, serving
from support.small_archive import archive

pytestmark = pytest.mark.slow
PATIENTS = ("train", "val", "test", "frame", "other")
SMALL = {"blocks": 1, "channels": 4, "patch": [16, 16], "batch": 2, "steps": 6, "validate_every": 3}


def config(manifest: str, address: str) -> dict:
    """Two data sets of one folder of raw files, with what one learns tested on the other."""
    settings = {"manifest": manifest, "address": address}
    line = {"module": "idc_pairs", "raw": "idc_pairs", "acquired": True, "settings": settings}
    analyses = ("strata", "candidates", "gap", "nodule_volumes", "effective_thickness")
    names = ["ge", "ge_again"]
    return {
        "datasets": dict.fromkeys(names, line),
        "methods": {"edsr_small": {"settings": SMALL}},
        "analyses": {name: {} for name in analyses},
        "grid": {
            "datasets": names,
            "degradations": ["acquired"],
            "methods": ["linear", "edsr_small"],
            "trained_on": names,
        },
    }


def rows_of(checkout: Checkout, table: str) -> list[dict[str, str]]:
    with (checkout.folder / f"results/tables/{table}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Checkout:
    folder: Path = tmp_path_factory.mktemp("atlas")
    tags = {"frame": {"FrameOfReferenceUID": "1.9"}}
    made = archive(folder / "series", PATIENTS, thick_tags=tags, other_noise=["other"])
    manifest = made.write_manifest(folder / "pairs.csv")
    checkout = fresh(folder / "thinslice")
    with serving(Files(made.content(), etag=None, kind="application/dicom")) as bucket:
        text = yaml.safe_dump(config(manifest, bucket.url))
        (checkout.folder / "atlas.yaml").write_text(text)
        checkout.run("--configfile", "atlas.yaml")
    return checkout


def test_strata_and_transfer_are_in_the_tables(run):
    strata = {row["stratum"] for row in rows_of(run, "strata")}
    assert strata == {"all", "maker ge", "ratio 1/5", "kernel same"}
    crossed = {(row["fitted_on"], row["tested_on"]) for row in rows_of(run, "domain_gap")}
    assert ("ge/acquired", "ge_again/acquired") in crossed


def test_what_was_set_aside_is_in_the_table_and_on_the_page(run):
    found = {row["reason"]: (row["pairs"], row["used"]) for row in rows_of(run, "candidates")}
    assert found == {"acquisition": ("5", "3"), "frame": ("5", "3")}
    page = (run.folder / "results/report.html").read_text()
    assert "FrameOfReferenceUID" in page


def test_the_gaussian_is_the_simulation_of_a_bell(run):
    best = {row["simulation"] for row in rows_of(run, "gap") if row["best"] == "best"}
    assert best == {"gaussian"}


def test_without_known_solids_their_tables_are_empty(run):
    assert rows_of(run, "nodule_volumes") == rows_of(run, "effective_thickness") == []
