"""``thinslice inspect``: every scan of a tree in a row, every refusal named, never a traceback."""

import json
import os
import shutil
from pathlib import Path

import pydicom
import pytest

from support import dicom_maker as maker
from support.inputs import CASES
from support.nifti_maker import saved, scan_ras
from support.paths import ROOT
from thinslice.cli import main
from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.dicom.read import read_dicom, slices_of
from thinslice.io.read import read_scan

energies = CASES["DICOM acquisitions: energies"].make


@pytest.fixture
def tree(tmp_path):
    """Three good scans, a bad series, a bad file, a link that runs in a circle."""
    hu = maker.scan_hu()
    maker.series(tmp_path / "two", hu, maker.positions_of(6, 2.5), seed=1)

    def other(k, data):
        data.SeriesInstanceUID, data.SeriesDescription = "1.2.3", "lung"

    uneven = maker.positions_of(7, 2.0)[:5] + maker.positions_of(7, 2.0)[6:]
    folder = maker.series(tmp_path / "other", hu, uneven, change=other)
    for file in folder.iterdir():
        file.rename(tmp_path / "two" / f"x{file.name}")
    (tmp_path / "two" / "broken").write_bytes(b"")
    saved(tmp_path / "two" / "n.nii.gz", *scan_ras())
    found = read_scan(tmp_path / "two" / "n.nii.gz")
    files.write(found.volume, tmp_path / "deep" / "er" / "s.zarr")
    (tmp_path / "two" / "notes.txt").write_text("companion")
    (tmp_path / "two" / "round").symlink_to(tmp_path)
    (tmp_path / "bad.zarr").mkdir()
    folder.rmdir()
    return tmp_path


def asked(capsys, *words):
    status = main(["inspect", *map(str, words)])
    return status, capsys.readouterr()


def test_every_scan_of_a_tree_is_a_row(tree, capsys):
    status, said = asked(capsys, tree, "--json")
    rows = json.loads(said.out)
    good = {(r["format"], r["slices"], r["increment_mm"]) for r in rows if not r["refused"]}
    assert good == {("DICOM", 6, 2.5), ("NIfTI", 6, 2.5), ("OME-Zarr", 6, 2.5)}
    bad = {row["path"].rpartition("/")[2]: row for row in rows if row["refused"]}
    assert sorted(bad) == ["bad.zarr", "broken", "two"]
    assert "1 missing" in bad["two"]["refused"]
    assert "lung" in bad["two"]["series"]
    assert "0 bytes" in bad["broken"]["refused"]
    assert (len(rows), status) == (6, 1)


def test_a_row_says_what_reading_says(tree, capsys):
    """Numbers are those of the reader, and so are refusals."""
    folder = maker.series(tree / "one", maker.scan_hu(), maker.positions_of(6, 2.0))
    _, said = asked(capsys, folder, "--json")
    (row,) = json.loads(said.out)
    grid = read_dicom(folder).volume.grid
    assert tuple(row["pixel_mm"]) == grid.pixel_mm
    assert (row["thickness_mm"], row["increment_mm"]) == (grid.thickness_mm, grid.increment_mm)
    assert (row["overlap_mm"], row["kernel"]) == (grid.overlap_mm, "B30f")
    assert row["orientation"] == "axial"
    sorted(folder.iterdir(), key=lambda p: slices_of(p)[0].position)[2].unlink()
    with pytest.raises(Refused) as refusal:
        read_dicom(folder)
    _, said = asked(capsys, folder, "--json")
    assert json.loads(said.out)[0]["refused"] == str(refusal.value)


def test_for_people(tree, capsys):
    status, said = asked(capsys, tree)
    words = " ".join(said.out.split())
    assert "thickness 5 mm increment 2.5 mm slices meet overlap 2.5 mm kernel B30f" in words
    rows = [line for line in said.out.splitlines() if line.startswith("    slices ")]
    assert len({row.index("increment") for row in rows}) == 1, "numbers line up"
    assert len(rows) == 3
    assert "3 readable, 3 refused" in said.out
    assert (status, said.err) == (1, "")


def test_good_nothing_and_missing(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "missing"):
        status, said = asked(capsys, path)
        assert (status, said.out) == (2, "")
        assert said.err == f"thinslice inspect: {path}: no scan there\n"
    path = saved(tmp_path / "n.nii.gz", *scan_ras())
    assert asked(capsys, path)[0] == 0


def test_json_is_as_documented(tree, capsys):
    page = (ROOT / "docs/reference/commands.md").read_text()
    table = page.split("### thinslice inspect")[1].split("\n### ")[0]
    keys = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    _, said = asked(capsys, tree, "--json")
    for row in json.loads(said.out):
        assert list(row) == keys


@pytest.mark.parametrize("cut", [1, 60])
def test_pixels_cut_short_are_seen_without_decoding(tmp_path, capsys, cut):
    folder = maker.series(tmp_path / "s", maker.scan_hu(), maker.positions_of(6, 2.0))
    file = sorted(folder.iterdir())[3]
    file.write_bytes(file.read_bytes()[:-cut])
    status, said = asked(capsys, tmp_path)
    assert status == 1
    assert f"the broken files beside it are gone ({file.name})" in said.out
    assert f"{file}  unknown\n    REFUSED  found {70 - cut} bytes of pixels" in said.out


def test_slices_that_share_a_uid_get_a_word(tmp_path, capsys):
    def share(k, data):
        data.SOPInstanceUID = "1.2.3" if k in (1, 4) else data.SOPInstanceUID

    maker.series(tmp_path, maker.scan_hu(), maker.positions_of(6, 2.0), change=share)
    status, said = asked(capsys, tmp_path)
    assert (status, said.out.count("2 slices share a SOPInstanceUID")) == (0, 1)


def several(folder):
    """Three scans, two of them with the same number, and a localizer."""
    for number, uid, mm in ((2, "1.2.1", 5), (4, "1.2.2", 2), (4, "1.2.3", 1)):

        def change(k, data, number=number, uid=uid):
            data.SeriesNumber, data.SeriesInstanceUID = number, uid

        maker.series(folder / uid, maker.scan_hu(), maker.positions_of(6, mm), change=change)

    def scout(k, data):
        data.SeriesNumber, data.SeriesInstanceUID, data.ImageType = 1, "1.2.4", ["LOCALIZER"]

    maker.series(folder / "scout", maker.scan_hu(1), maker.positions_of(1, 1.0), change=scout)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_what_it_prints_is_what_reading_takes(tmp_path, capsys, packed):
    path = several(tmp_path / "cd")
    if packed:
        path = Path(shutil.make_archive(str(tmp_path / "cd"), "zip", path))
    _, said = asked(capsys, path, "--json")
    rows = json.loads(said.out)
    assert all(row["path"].startswith(str(path)) for row in rows)
    scans = {row["choose"]: row["increment_mm"] for row in rows if row["choose"]}
    assert scans == {"2": 5.0, "1.2.2": 2.0, "1.2.3": 1.0}
    for name, increment_mm in scans.items():
        assert files.read(path, series=name).volume.grid.increment_mm == increment_mm
    status, said = asked(capsys, path)
    assert status == 0
    assert "3 readable, 0 refused, 1 not scans" in said.out
    with pytest.raises(Refused, match="'4' is 2 series"):
        files.read(path, series=4)
    with pytest.raises(Refused, match="found 3 series: "):
        files.read(path)


def test_names_that_no_terminal_prints(tmp_path, capsys):
    folder = tmp_path / os.fsdecode(b"Sch\xe4del\n")
    maker.series(folder, maker.scan_hu(), maker.positions_of(6, 2.0))
    status, said = asked(capsys, tmp_path)
    assert status == 0
    assert len(said.out.splitlines()) == 3


@pytest.mark.parametrize("keep", [0, 3, 100, 140, 400, 700])
def test_headers_cut_short_are_named_never_thrown(tmp_path, capsys, keep):
    folder = maker.series(tmp_path / "s", maker.scan_hu(), maker.positions_of(6, 2.0))
    file = sorted(folder.iterdir())[3]
    file.write_bytes(file.read_bytes()[:keep])
    path = saved(folder / "n.nii.gz", *scan_ras())
    path.write_bytes(path.read_bytes()[:keep])
    status, said = asked(capsys, tmp_path)
    assert status == 1
    assert str(file) in said.out or file.name in said.out or "missing" in said.out
    assert "Traceback" not in said.out + said.err


def test_acquisitions_are_rows_with_what_tells_them_apart(tmp_path, capsys):
    """And what it prints is what reading takes."""
    path = energies(tmp_path, None)
    status, said = asked(capsys, path, "--json")
    rows = json.loads(said.out)
    assert status == 0
    assert [(row["acquisition"], row["apart"]) for row in rows] == [
        ("1", "KVP 80"),
        ("2", "KVP 140"),
    ]
    for row, plus in zip(rows, (0, 5), strict=True):
        found = read_scan(path, series=row["choose"], acquisition=row["acquisition"])
        assert found.volume.voxels.min() == maker.scan_hu().min() + plus
        assert row["slices"] == found.volume.grid.n
    _, said = asked(capsys, path)
    assert "[series 3, acquisition 2: KVP 140]" in said.out


@pytest.mark.parametrize(
    ("choice", "uid"),
    [
        (("--series", "thickest"), "1.2.1"),
        (("--series", "thinnest"), "1.2.3"),
        (("--series", "2"), "1.2.1"),
    ],
)
def test_the_options_of_restore_choose_rows(tmp_path, capsys, choice, uid):
    path = several(tmp_path)
    for file in path.rglob("*.dcm"):
        data = pydicom.dcmread(file)
        data.SliceThickness = {"1.2.1": 5, "1.2.2": 2, "1.2.3": 1}.get(data.SeriesInstanceUID, 9)
        data.save_as(file)
    _, said = asked(capsys, path, "--json", *choice)
    assert [row["uid"] for row in json.loads(said.out)] == [uid]
    assert read_scan(path, series=choice[1]).source["series_uid"] == uid


def test_a_choice_of_nothing_is_no_scan(tmp_path, capsys):
    path = energies(tmp_path, None)
    status, said = asked(capsys, path, "--acquisition", "7")
    assert (status, said.out) == (2, "")
    assert "none of 2 scans is chosen" in said.err


def test_what_is_left_out_is_listed(tmp_path, capsys):
    path = CASES["DICOM odd files: copies of all slices"].make(tmp_path, pytest.MonkeyPatch())
    status, said = asked(capsys, path)
    assert (status, said.out.count("left out: 6 copies")) == (0, 1)
