"""Pieces of one scan are taken together as acquired; what overlaps is never mixed unasked."""

import pytest

from support.bad_dicom import PLACES
from support.several_dicom import beyond, by
from thinslice.errors import Refused
from thinslice.io.acquired import AcquiredScan
from thinslice.io.read import read_scan


def of_two_thicknesses(folder, mm):
    return by("SliceThickness", 5, 2, places=(PLACES, beyond(mm)))(folder, None)


def test_pieces_of_other_thickness_are_one_scan_as_acquired(tmp_path):
    path = of_two_thicknesses(tmp_path, 12.0)
    with pytest.raises(Refused, match=r"by SliceThickness.* or --as-acquired restores"):
        read_scan(path)
    scan = read_scan(path, as_acquired=True)
    assert isinstance(scan, AcquiredScan)
    assert sorted(set(scan.thickness_mm.tolist())) == [2, 5]
    assert len(scan.thickness_mm) == 12


def test_passes_that_overlap_are_not_mixed_as_acquired(tmp_path):
    path = of_two_thicknesses(tmp_path, 7.0)
    with pytest.raises(Refused, match="told apart by SliceThickness") as refusal:
        read_scan(path, as_acquired=True)
    assert "--as-acquired" not in str(refusal.value)
    whole = read_scan(path, as_acquired=True, acquisition="all")
    assert isinstance(whole, AcquiredScan)


def test_the_choice_is_part_of_what_a_scan_says_of_itself(tmp_path):
    path = of_two_thicknesses(tmp_path, 12.0)
    assert read_scan(path, acquisition=2).source["acquisition"] == "2"
    assert (
        "acquisition"
        not in read_scan(
            by("KVP", 80, 80, places=(PLACES, beyond(12.0)))(tmp_path / "b", None)
        ).source
    )
