"""Labels, segmenter and segment: the jobs one after the other, on a small phantom."""

import contextlib
import csv
import json
from pathlib import Path

import pytest

from support import trained_nnunet
from thinslice import store
from thinslice.columns import SCORES
from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.jobs.convert import convert
from thinslice.jobs.degrade import degrade
from thinslice.jobs.fetch import fetch
from thinslice.jobs.labels import labels
from thinslice.jobs.restore import RestoreRequest, restore_cases
from thinslice.jobs.segment import segment
from thinslice.jobs.segmenter import segmenter
from thinslice.provenance.records import read_record, record_path
from thinslice.segmentation.label_maps import LabelMaps
from thinslice.workflow import cards

SIZE = {"shape": [32, 40], "pixel_mm": [4.0, 4.0], "length_mm": 44.0}
TINY = {"channels": 2, "levels": 2, "side": [8, 16, 16], "steps": 4, "validate_every": 2}
BOX5 = {"shape": "box", "thickness_mm": 5.0, "increment_mm": 5.0}
CONFIG = {
    "datasets": {
        "phantom": {"settings": {"patients": {"train": 1, "val": 1, "test": 1}, **SIZE}},
        "varied_phantom": {"settings": {}},
    },
    "degradations": {"box5": {"module": "profile", "settings": BOX5}},
    "methods": {"linear": {"module": "interpolation", "fit": "none", "settings": {}}},
    "segmentation": {"datasets": ["phantom"], "tolerance_mm": 2.0, "settings": TINY},
}
CELL = {"dataset": "phantom", "degradation": "box5", "method": "linear", "fitted_on": "", "sim": ""}
RAW, THIN = Path("results/raw/phantom.record.json"), Path("results/thin/phantom.zarr")
LABELS, WEIGHTS = Path("results/labels/phantom.npz"), Path("results/segmenters/phantom.pt")
RESTORED = Path("results/restored/phantom/box5/linear/untrained.zarr")
OUT = Path("results/segmented/phantom/box5/linear/untrained.csv")


def card(kind: str, name: str) -> dict:
    return json.loads(cards.card(CONFIG, kind, name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What the jobs made."""
    made = tmp_path_factory.mktemp("segment")
    thick, acquired = (Path(f"results/thick/phantom/{name}.zarr") for name in ("box5", "acquired"))
    with contextlib.chdir(made), contextlib.redirect_stdout(None):
        phantom = card("datasets", "phantom")
        fetch(phantom, Path("results/raw/phantom"), RAW)
        convert(phantom, Path("results/raw/phantom"), RAW, THIN, acquired)
        degrade(card("degradations", "box5"), THIN, thick)
        work, run = Path("results/work"), Run(device="cpu", threads=1)
        linear = card("methods", "linear")
        restore_cases(RestoreRequest(linear, thick, RESTORED, None, work, run, uses_torch=False))
        labels(phantom, Path("results/raw/phantom"), RAW, THIN, LABELS)
        network = json.loads(cards.segmenter_card(CONFIG))
        segmenter(network, LABELS, THIN, work, WEIGHTS, WEIGHTS.with_suffix(".curve.csv"))
        scoring = json.loads(cards.segmentation_card(CONFIG))
        segment(scoring, CELL, RESTORED, THIN, LABELS, WEIGHTS, OUT)
    return made


def test_every_thin_case_has_labels_on_its_grid(folder):
    maps, thin = LabelMaps(folder / LABELS), store.open_store(folder / THIN)
    assert maps.structures == ("heart", "nodule")
    for case in thin.cases():
        assert maps.of(case).shape == thin.grid(case).zyx
        assert (maps.of(case) == 1).sum() > 100


def test_rows_have_the_columns_of_scores_and_their_record_names_all_they_rest_on(folder):
    with (folder / OUT).open() as lines:
        rows = list(csv.DictReader(lines))
    assert {"dice_heart", "nsd_heart", "dice_heart_thin"} <= {row["metric"] for row in rows}
    assert set(rows[0]) == set(SCORES) - {"record"}
    assert {row["protocol"] for row in rows} == {"segmentation"}
    record = read_record(record_path(folder / OUT))
    assert set(record["inputs"]) == {"restored", "thin", "labels", "segmenter"}
    assert record["facts"]["tolerance_mm"] == 2.0


def test_the_record_says_how_the_segmenter_was_computed(folder):
    facts = read_record(record_path(folder / WEIGHTS))["facts"]
    assert facts["precision"] == "fp32"
    assert "activations" not in facts  # its network has no such choice


def test_a_data_set_without_labels_is_refused_before_anything_is_written(folder, monkeypatch):
    monkeypatch.chdir(folder)
    out = Path("results/labels/varied_phantom.npz")
    with pytest.raises(Refused, match="varied_phantom has no labels"):
        labels(card("datasets", "varied_phantom"), Path("raw"), RAW, THIN, out)
    assert not out.exists()


def test_a_trained_nnunet_takes_the_place_of_the_network(folder, tmp_path, monkeypatch):
    described = {**trained_nnunet.DESCRIBED, "labels": {"background": 0, "heart": 1, "nodule": 3}}
    trained = trained_nnunet.make(tmp_path, monkeypatch, described)
    monkeypatch.chdir(folder)
    out, weights = tmp_path / "found.csv", tmp_path / "segmenter.pt"
    card = {"name": "segmentation", "settings": {"nnunet": str(trained)}}
    segmenter(card, LABELS, THIN, tmp_path, weights, curve := tmp_path / "curve.csv")
    segment({"name": "segmentation"}, CELL, RESTORED, THIN, LABELS, weights, out)
    rows = list(csv.DictReader(out.open()))
    assert {"dice_heart", "nsd_heart", "dice_heart_thin"} <= {row["metric"] for row in rows}
    assert len(curve.read_text().splitlines()) == 1
    assert (trained / "given.txt").exists()
