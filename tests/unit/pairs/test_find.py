"""Every candidate in a hospital's export is found, and everything else is named."""

import pytest

from support.exported_study import enhanced_pair, exported, two_phases
from thinslice.io.folder import look
from thinslice.pairs.find import find_pairs, left_over
from thinslice.pairs.reconstructions import reconstructions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("export"))


def test_every_thin_series_of_a_thick_one_is_named(folder):
    found = {
        (pair.thin.first.series_number, pair.thick.first.series_number): pair
        for pair in find_pairs(folder)
    }
    codes = {numbers: pair.certificate.codes for numbers, pair in found.items()}
    assert codes == {(1, 2): (), (9, 2): ("acquisition",), (1, 9): ("acquisition",)}
    assert len(found[1, 2].thin.slices) == 56, "a copy of a slice is no slice more"


def test_what_is_in_no_pair_is_named_with_the_reason(folder):
    tree = look(folder)
    left = {item.path.name: item.why for item in left_over(tree, reconstructions(tree))}
    assert left["mr"] == "MR, not CT"
    assert left["scout"] == "no slices of a scan"
    assert "states no study" in left["other.nii.gz"]
    assert left["broken"].startswith("unreadable: ")
    assert len(left) == 4


def test_a_thin_scan_in_one_multi_frame_file_is_half_of_a_pair(tmp_path):
    (pair,) = find_pairs(enhanced_pair(tmp_path))
    assert pair.certificate.codes == ()
    assert pair.certificate.measured.slices == 9


def test_an_empty_folder_has_none(tmp_path):
    assert find_pairs(tmp_path) == []


def test_phases_in_one_series_are_paired_each_with_its_own(tmp_path):
    """Two acquisitions in a thin series, and the same two in a thick one."""
    found = {
        (pair.thin.acquisition, pair.thick.acquisition): pair.certificate.codes
        for pair in find_pairs(two_phases(tmp_path))
    }
    assert found[("1", "1")] == found[("2", "2")] == ()
    assert "acquisition" in found[("1", "2")]
    assert "acquisition" in found[("2", "1")]
    assert len(found) == 4
