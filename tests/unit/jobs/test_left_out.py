"""One bad case of many: named, left out with its reason where that is sound, else refused."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thinslice.errors import Refused, SeveralRefused
from thinslice.interfaces import Run
from thinslice.io.nifti.write import write_nifti
from thinslice.jobs.convert import convert
from thinslice.jobs.degrade import degrade
from thinslice.jobs.evidence import evidence
from thinslice.jobs.fetch import fetch
from thinslice.jobs.gather import gather
from thinslice.jobs.restore import RestoreRequest, restore_cases
from thinslice.jobs.score import score
from thinslice.methods import interpolation
from thinslice.provenance.records import read_record
from thinslice.volume import Grid, Volume

BOX5 = {
    "name": "box5",
    "module": "profile",
    "settings": {"shape": "box", "thickness_mm": 5.0, "increment_mm": 5.0},
}
LINEAR = {"name": "linear", "module": "interpolation", "fit": "none", "settings": {}}
RAW, THIN, THICK = Path("raw.record.json"), Path("thin/own.zarr"), Path("thick/own/acquired.zarr")
BOX, OUT, SCORES = Path("thick/own/box5.zarr"), Path("restored/linear.zarr"), Path("scores.csv")


def scan(n: int, body: float = 40.0) -> Volume:
    """A cylinder of noisy tissue in air."""
    noise = np.random.default_rng(n).normal(0, 8, (n, 32, 36))
    inside = np.hypot(*(np.mgrid[:32, :36] - np.array([15.5, 17.5])[:, None, None])) < 13
    voxels = (np.where(inside, body, -1000.0) + noise).astype(np.float32)
    return Volume(voxels, Grid(n, 1.0, 1.0, (32, 36), (2.0, 2.0)))


SCANS = {"good": scan(30), "other": scan(31), "air": scan(30, -1000.0), "short": scan(4)}
FEW = {"few": scan(6)}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def own_data(scans: dict[str, Volume]) -> dict:
    """The card of a manifest of test cases."""
    rows = ["case,patient,split,thin"]
    for name, volume in scans.items():
        write_nifti(volume, Path(f"{name}.nii.gz"))
        rows.append(f"{name},{name},test,{name}.nii.gz")
    Path("manifest.csv").write_text("\n".join(rows) + "\n")
    return {"name": "own", "module": "own_data", "settings": {"root": "."}}


def thin_of(scans: dict[str, Volume]) -> None:
    card = own_data(scans)
    fetch(card, Path("raw"), RAW)
    convert(card, Path("raw"), RAW, THIN, THICK)


def scores_of(scans: dict[str, Volume], *protocols: str) -> dict:
    """The record of the scores, by linear interpolation."""
    thin_of(scans)
    degrade(BOX5, THIN, BOX)
    run = Run(device="cpu", threads=1)
    restore_cases(RestoreRequest(LINEAR, BOX, OUT, None, Path("work"), run, uses_torch=False))
    cell = {
        "dataset": "own", "degradation": "box5", "method": "linear", "fitted_on": "", "sim": "sim",
    }  # fmt: skip
    score([{"name": name} for name in protocols], BOX5, cell, OUT, THIN, BOX, SCORES)
    return read_record(SCORES.with_suffix(".record.json"))


def test_a_case_that_cannot_be_scored_is_left_out_and_named_in_the_evidence():
    record = scores_of(SCANS, "v1", "tvsrn")
    table = pd.read_csv(SCORES)
    assert set(table["case"][table["protocol"] == "v1"]) == {"good", "other"}
    assert set(table["case"][table["protocol"] == "tvsrn"]) == {"good", "other", "air"}
    gathered = Path("gathered.record.json")
    gather([SCORES.with_suffix(".record.json")], Path("s.csv"), Path("r.csv"), gathered)
    extra = {"scans": []} if "scans" in inspect.signature(evidence).parameters else {}
    evidence([gathered], [], skipped=[("own/acquired: all methods", "why")], out=Path("e"), **extra)
    skipped = pd.read_csv("e/skipped.csv")
    assert list(skipped["cells"]) == [
        "own/acquired: all methods",
        "own/box5: case air, protocol v1",
        "own/box5: case short",
    ]
    assert "no voxel to score" in skipped["reason"][1]
    assert "no slice of 5 mm fits" in skipped["reason"][2]
    assert [each[0] for each in record["facts"]["left_out"]] == ["air", "short"]


def test_a_scan_long_enough_for_a_thick_slice_but_not_to_be_scored_is_left_out():
    (left,) = scores_of({**FEW, "good": scan(30)}, "v1")["facts"]["left_out"]
    assert left[:2] == ["few", "v1"]
    assert "leave none to score" in left[2]


def test_where_none_can_be_scored_the_job_is_refused_with_every_case():
    with pytest.raises(SeveralRefused) as caught:
        scores_of({"air": scan(30, -1000.0), **FEW}, "v1")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["v1 can score no case", "case air"],
        ["v1 can score no case", "case few"],
    ]


def test_where_no_thick_slice_fits_any_test_case_it_is_refused():
    thin_of({"short": scan(4)})
    with pytest.raises(Refused, match=r"^no test case is left: case short: no slice of 5 mm fits"):
        degrade(BOX5, THIN, BOX)
    assert not BOX.exists()


def test_what_a_method_cannot_do_is_refused_and_never_left_out(monkeypatch):
    def refuse(self, thick, grid, *, run):
        raise Refused("the factor is not mine")

    monkeypatch.setattr(interpolation.Interpolation, "restore", refuse)
    with pytest.raises(Refused, match=r"^case good: the factor is not mine$"):
        scores_of({"good": scan(30), "other": scan(31)}, "v1")


def test_a_bug_s_traceback_names_the_case(monkeypatch):
    def fail(self, thick, grid, *, run):
        raise IndexError("out of range")

    monkeypatch.setattr(interpolation.Interpolation, "restore", fail)
    with pytest.raises(IndexError) as caught:
        scores_of({"good": scan(30)}, "v1")
    assert caught.value.__notes__ == ["case good"]


def test_every_bad_scan_of_a_manifest_is_refused_at_once():
    card = own_data(SCANS)
    for name in ("other", "short"):
        Path(f"{name}.nii.gz").write_bytes(b"torn")
    fetch(card, Path("raw"), RAW)
    with pytest.raises(SeveralRefused) as caught:
        convert(card, Path("raw"), RAW, THIN, THICK)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["case other", "case short"]
    assert not THIN.exists()
