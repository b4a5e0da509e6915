"""Certified pairs become a manifest that the data set own_data reads."""

import pytest

from support.exported_study import exported
from thinslice.datasets.own_data import build
from thinslice.errors import Refused
from thinslice.pairs import manifest
from thinslice.pairs.listing import listing


def row(case, *, thin="1", thick="2", ratio=5.0, codes=(), patient="p001"):
    facts = {
        which: {"series_uid": uid, "acquisition": None, "thickness_mm": mm}
        for which, uid, mm in (("thin", thin, 1.0), ("thick", thick, ratio))
    }
    reasons = [{"code": code} for code in codes]
    return {"case": case, "patient": patient, "facts": facts, "reasons": reasons}


def cases(rows):
    return [each["case"] for each in rows]


def test_certified_pairs_alone_and_those_flagged_by_what_is_accepted():
    rows = [
        row("a", thin="a", thick="A"),
        row("b", thin="b", thick="B", codes=["kernel"]),
        row("c", thin="c", thick="C", codes=["kernel", "gap"]),
    ]
    assert cases(manifest.chosen(rows)[0]) == ["a"]
    assert cases(manifest.chosen(rows, ["kernel"])[0]) == ["a", "b"]
    assert cases(manifest.chosen(rows, ["gap", "kernel"])[0]) == ["a", "b", "c"]


def test_a_series_is_in_one_pair_that_of_the_largest_ratio():
    rows = [row("a", thick="2", ratio=2.5), row("b", thick="5"), row("c", thin="3", thick="5")]
    taken, left = manifest.chosen(rows)
    assert (cases(taken), cases(left)) == (["b"], ["a", "c"])


def test_patients_are_divided_whole_and_the_same_each_time():
    names = [f"p{k:03d}" for k in range(1, 31)]
    found = manifest.splits(names)
    counts = [list(found.values()).count(split) for split in ("train", "val", "test")]
    assert counts == [21, 3, 6]
    assert manifest.splits(names[::-1]) == found
    assert manifest.splits(["p001"]) == {"p001": "test"}
    assert set(manifest.splits(["p001", "p002", "p003"]).values()) == {"train", "val", "test"}


def test_own_data_reads_what_is_written(tmp_path):
    """Of a folder in which many series lie together."""
    with listing(exported(tmp_path / "export")) as found:
        rows = list(found.rows)
    taken, _ = manifest.chosen(rows)
    manifest.write(tmp_path / "pairs.csv", taken)
    (case,) = build(str(tmp_path), "pairs.csv").cases(tmp_path)
    assert (case.name, case.patient, case.split) == ("p001_1", "p001", "test")
    assert (case.thin.grid.n, case.thick.grid.n) == (56, 11)
    assert case.thick.grid.start_mm == pytest.approx(3.0)


def test_nothing_that_is_there_is_replaced(tmp_path):
    manifest.refuse_existing(tmp_path / "new.csv")
    (tmp_path / "old.csv").write_text("mine")
    with pytest.raises(Refused, match="something there"):
        manifest.refuse_existing(tmp_path / "old.csv")
    with pytest.raises(Refused, match="no such folder"):
        manifest.refuse_existing(tmp_path / "none" / "new.csv")
