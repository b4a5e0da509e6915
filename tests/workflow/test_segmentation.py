"""Segmentation in a whole run: its rows stand beside the scores, are audited, and rerun nothing."""

import csv

import pytest

from support.checkout import Checkout, fresh

pytestmark = pytest.mark.slow
OVERLAY = """
grid:
  degradations: [box5]
  methods: [linear, cubic]
segmentation:
  datasets: [phantom]
  methods: [linear]
  tolerance_mm: 2.0
  settings: {channels: 2, levels: 2, side: [8, 16, 16], steps: 6, validate_every: 3, val_batches: 1}
analyses:
  segmentation: {module: benchmark, settings: {protocols: [segmentation]}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Checkout:
    checkout = fresh(tmp_path_factory.mktemp("segmentation") / "thinslice")
    tiny = checkout.folder / "tests/tiny.yaml"
    head = tiny.read_text().split("grid:")[0]
    tiny.write_text(head + OVERLAY)
    checkout.run()
    return checkout


def test_rows_of_the_structures_stand_beside_the_scores(made):
    with (made.folder / "results/tables/segmentation.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    found = {(row["method"], row["metric"]) for row in rows}
    wanted = {f"{kind}_{name}{of}" for kind in ("dice", "nsd") for name in ("heart", "nodule")
              for of in ("", "_thin")}  # fmt: skip
    assert {method for method, _ in found} == {"linear"}
    assert {metric for _, metric in found} <= wanted
    assert {metric for _, metric in found} >= {"dice_heart", "dice_heart_thin", "nsd_heart"}
    assert all(0 <= float(row["mean"]) <= 1 for row in rows)
    assert "Dice of the heart" in (made.folder / "results/report.html").read_text()


def test_a_row_is_traced_to_the_labels_and_the_segmenter(made):
    audited = made.thinslice("audit", "results/tables/segmentation.csv", "--row", "1")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    for stage in ("segmented/phantom", "segmenters/phantom", "labels/phantom"):
        assert stage in audited.stdout


def test_nothing_is_run_again_and_a_setting_of_the_segmenter_runs_only_what_rests_on_it(made):
    assert made.planned() == set()
    made.edit(
        "tests/tiny.yaml", "steps: 6, validate_every: 3, val", "steps: 7, validate_every: 3, val"
    )
    planned = made.planned()
    assert "results/segmenters/phantom.pt" in planned
    assert not any("labels" in path or "/scores/" in path for path in planned)
