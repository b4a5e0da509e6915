"""L291: the first slices by name, no thin truth, and the thinner grid asked for instead."""

import csv
import tarfile

import numpy as np
import pytest

from support.file_server import Files, serving
from support.paths import REAL_SCANS
from support.scan_folders import L291_MM, l291_folder
from thinslice.datasets import ldct_l291
from thinslice.errors import Refused
from thinslice.volume import Grid

SCAN = REAL_SCANS / "dicom" / "ldct_l291_3mm_at_2mm_140slices.tar.xz"


def test_the_first_slices_by_name_are_the_upper_ones(tmp_path):
    l291_folder(tmp_path, 6)
    dataset = ldct_l291.build(slices=4)
    (case,) = dataset.cases(tmp_path)
    assert (case.thin, case.split) == (None, "test")
    grid = case.thick.grid
    assert (grid.n, grid.increment_mm, grid.thickness_mm) == (4, 2.0, 3.0)
    assert grid.affine()[2, 3] == -68.0  # the fourth file; z runs down with the names
    assert [path.name.split(".")[3] for path in dataset.files(tmp_path)] == [
        "0001",
        "0002",
        "0003",
        "0004",
    ]
    (every,) = ldct_l291.build(slices=None).cases(tmp_path)
    assert every.thick.grid.n == 6


def test_the_grid_asked_for_is_isotropic_and_centred_in_what_was_scanned(tmp_path):
    l291_folder(tmp_path, 6)
    (case,) = ldct_l291.build(slices=6).cases(tmp_path)
    thick, target = case.thick.grid, case.target
    assert target.increment_mm == target.thickness_mm == L291_MM == target.pixel_mm[0]
    assert (target.shape, target.origin_mm) == (thick.shape, thick.origin_mm)
    assert target.n == int((5 * 2 + 3) / L291_MM)
    middle = thick.centres_mm().mean()
    np.testing.assert_allclose(target.centres_mm().mean(), middle, atol=1e-9)
    assert target.centres_mm()[0] - L291_MM / 2 >= thick.centres_mm()[0] - 1.5
    (other,) = ldct_l291.build(slices=6, increment_mm=1.0).cases(tmp_path)
    assert (other.target.n, other.target.increment_mm) == (13, 1.0)


def test_the_papers_scan_asks_for_378_slices():
    thick = Grid(140, 2.0, 3.0, (512, 512), (L291_MM, L291_MM))
    assert ldct_l291.finer(thick, L291_MM).n == 378  # as many as the released code makes
    with pytest.raises(ValueError, match="below 3 mm"):
        ldct_l291.finer(thick, 3.0)


def test_too_few_slices_and_two_folders_are_refused(tmp_path):
    folder = l291_folder(tmp_path, 3)
    with pytest.raises(Refused, match=r"3 \.IMA files; expected 140"):
        ldct_l291.build().files(tmp_path)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/x.IMA").write_bytes(next(folder.iterdir()).read_bytes())
    with pytest.raises(Refused, match="2 folders"):
        ldct_l291.build(slices=3).files(tmp_path)


def test_the_manifest_lists_the_papers_slices_in_order():
    rows = list(csv.DictReader(ldct_l291.MANIFEST.open()))
    assert [row["file"].split(".")[3] for row in rows] == [f"{k:04d}" for k in range(1, 141)]
    assert all(len(row["sha256"]) == 64 for row in rows)


def test_more_slices_than_are_listed_must_be_put_there_by_hand(tmp_path):
    for slices in (141, None):
        with pytest.raises(Refused, match="clone the repository"):
            ldct_l291.build(slices=slices).fetch(tmp_path)


def test_a_changed_manifest_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "changed.csv"
    changed.write_text(ldct_l291.MANIFEST.read_text().replace("528334", "528335", 1))
    monkeypatch.setattr(ldct_l291, "MANIFEST", changed)
    with pytest.raises(Refused, match="install the package again"):
        ldct_l291.build().fetch(tmp_path / "raw")


@pytest.mark.slow
@pytest.mark.skipif(not SCAN.exists(), reason="needs the scan itself, which is not distributed")
def test_the_scan_itself_is_fetched_by_its_checksums_and_read(tmp_path, monkeypatch):
    with tarfile.open(SCAN) as tar:
        tar.extractall(tmp_path / "made", filter="data")
    made = sorted((tmp_path / "made").rglob("*.IMA"))
    with serving(Files({f"x/{path.name}": path.read_bytes() for path in made})) as files:
        monkeypatch.setattr(ldct_l291, "ADDRESS", f"{files.url}/x")
        dataset = ldct_l291.build()
        dataset.fetch(tmp_path / "raw")
        dataset.fetch(tmp_path / "raw")
        assert len(files.asked) == 140
    (case,) = dataset.cases(tmp_path / "raw")
    assert case.thick.voxels.shape == (140, 512, 512)
    assert case.thick.voxels.min() == -1024
    assert case.target.n == 378
    assert case.source["thick"]["kernel"] == "D45f"
