"""Candidates that are no pair: left out of the stores, named in the record, tables and evidence."""

from pathlib import Path

import pandas as pd
import pytest

from support.small_archive import archive
from thinslice import store
from thinslice.analyses import _evidence, _recorded, candidates, gap, slice_pairs
from thinslice.columns import SIMULATED
from thinslice.errors import Refused
from thinslice.jobs.convert import convert
from thinslice.jobs.evidence import evidence
from thinslice.jobs.fetch import fetch
from thinslice.jobs.pairs import pairs
from thinslice.provenance.records import read_record, record_path

FRAME = {"frame": {"FrameOfReferenceUID": "1.9"}}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Results of a data set of three candidates, one of them no pair."""
    folder = tmp_path_factory.mktemp("results")
    made = archive(folder / "series", ("test", "train", "frame"), thick_tags=FRAME)
    converted(folder, made)
    thin, thick = folder / "thin.zarr", folder / "acquired.zarr"
    pairs(thin, thick, "", folder / "atlas.csv")
    scans = [record_path(folder / "atlas.csv")], [record_path(thin)]
    evidence([], *scans, [], folder / "evidence")
    return folder


def converted(folder: Path, made) -> None:
    made.write_raw(folder / "raw")
    settings = {"manifest": made.write_manifest(folder / "pairs.csv")}
    card = {"name": "atlas", "module": "idc_pairs", "settings": settings}
    fetch(card, folder / "raw", folder / "raw.record.json")
    stores = folder / "thin.zarr", folder / "acquired.zarr"
    convert(card, folder / "raw", folder / "raw.record.json", *stores)


def test_the_stores_have_the_others_and_the_record_says_why(results):
    for name in ("thin.zarr", "acquired.zarr"):
        assert store.open_store(results / name).cases() == ["test", "train"]
    rows = {
        row["case"]: row
        for row in read_record(record_path(results / "thin.zarr"))["facts"]["cases"]
    }
    assert set(rows) == {"test", "train", "frame"}
    assert rows["frame"]["set_aside"].startswith("frame: FrameOfReferenceUID")
    assert (rows["test"]["set_aside"], rows["test"]["kernel"]) == ("", "same")


def test_the_evidence_and_its_tables_name_it(results):
    made = _evidence.read_evidence(results / "evidence")
    ((cells, reason),) = made.skipped
    assert cells == "atlas: case frame"
    assert reason.startswith("frame: ")
    table = candidates.build()(made)
    _recorded.check("candidates", table, made)
    ((row),) = table.to_dict("records")
    assert (row["pairs"], row["used"], row["reason"], row["cases"]) == (3, 2, "frame", 1)
    assert (row["maker"], row["ratio"]) == ("ge", "1/5")


def test_a_data_set_that_sets_all_aside_is_refused_with_each_reason(tmp_path):
    made = archive(tmp_path / "series", ("frame",), thick_tags=FRAME)
    with pytest.raises(Refused, match="case frame: frame: FrameOfReferenceUID"):
        converted(tmp_path, made)
    assert not (tmp_path / "thin.zarr").exists()


def test_the_right_simulation_of_a_bell_is_the_gaussian_and_the_fitted_one_leaves_noise(results):
    """The thick slices of the small archive are bells of 5 mm, with 1 HU of noise of their own."""
    table = gap.build()(_evidence.read_evidence(results / "evidence"))
    errors = table[(table["metric"] == "rmse_hu") & (table["stratum"] == "all")]
    mean = dict(zip(errors["simulation"], errors["mean"]))
    assert mean["fitted"] < mean["gaussian"] < mean["box"] / 2
    assert mean["fitted"] < 3
    best = set(errors.loc[errors["best"] == "best", "simulation"])
    assert best == {"gaussian"}
    assert set(table["stratum"]) == {
        *("all", "maker ge", "ratio 1/5", "kernel same"), "case test", "case train"
    }  # fmt: skip
    widths = table[(table["metric"] == "fwhm_mm") & (table["stratum"] == "all")]
    width = dict(zip(widths["simulation"], widths["mean"]))
    assert width["box"] == pytest.approx(5, abs=1e-6)
    assert width["fitted"] == pytest.approx(5, abs=0.3)


def test_simulations_are_no_slice_pairs(results):
    made = _evidence.read_evidence(results / "evidence")
    assert SIMULATED in set(made.pairs["protocol"])
    assert set(slice_pairs.build()(made)["protocol"]) == {"pairs"}


def test_the_evidence_of_no_pairs_is_empty_tables():
    nothing = _evidence.Evidence(*(pd.DataFrame() for _ in range(3)))
    assert candidates.build()(nothing).empty
    assert gap.build()(nothing).empty
