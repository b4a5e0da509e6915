"""What planning watches is what the reader opens: folders, nested ones, links, zips, sidecars."""

import os
import shutil

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from support import dicom_maker as maker
from thinslice.io import images
from thinslice.io.folder import look
from thinslice.io.nifti.write import write_nifti
from thinslice.io.read import read_scan
from thinslice.volume import Grid, Volume
from thinslice.workflow.scan_files import scan_files

N = 6


def series(folder):
    maker.series(folder, maker.scan_hu(N), maker.positions_of(N, 2.0))
    return folder


def nested(tmp_path):
    series(tmp_path / "scan" / "DICOM" / "SE0")
    return tmp_path / "scan"


def flat(tmp_path):
    return series(tmp_path / "scan")


def spread(tmp_path):
    """One series over two folders."""
    folder = series(tmp_path / "scan" / "A")
    (tmp_path / "scan" / "B").mkdir()
    for file in sorted(folder.iterdir())[3:]:
        file.rename(tmp_path / "scan" / "B" / file.name)
    return tmp_path / "scan"


def linked(tmp_path):
    series(tmp_path / "elsewhere" / "SE0")
    (tmp_path / "scan").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "scan"


def linked_slices(tmp_path):
    folder = series(tmp_path / "elsewhere")
    (tmp_path / "scan").mkdir()
    for file in folder.iterdir():
        (tmp_path / "scan" / file.name).symlink_to(file)
    return tmp_path / "scan"


def companions(tmp_path):
    folder = nested(tmp_path)
    for name in ("notes.txt", "Thumbs.db", ".DS_Store", "DICOM/desktop.ini", "DICOM/SE0/a.PNG"):
        (folder / name).write_text("no scan")
    (folder / "old.zarr").mkdir()
    (folder / "old.zarr" / "c").write_text("no scan")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "1.dcm").write_text("no scan")
    return folder


def looping(tmp_path):
    folder = flat(tmp_path)
    (folder / "again").symlink_to(folder)
    (folder / "round.txt").symlink_to(folder / "round.txt")
    return folder


@pytest.mark.parametrize("made", [flat, nested, spread, linked, linked_slices, companions, looping])
def test_the_files_watched_are_those_read(tmp_path, made):
    path = made(tmp_path)
    watched = scan_files(path)
    assert watched == sorted(read_scan(path).files)
    assert len(watched) == N


@pytest.mark.parametrize(
    "ending", [".nii.gz", ".nii", ".hdr", ".img", ".nrrd", ".nhdr", ".mha", ".mhd"]
)
def test_the_files_of_an_image_are_watched(tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    if ending in (".hdr", ".img"):
        halves = nib.Nifti1Pair(np.zeros((5, 4, 3), np.int16), np.diag([1.0, 1.0, 5.0, 1.0]))
        nib.save(halves, tmp_path / "scan.img")
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((3, 4, 5), np.int16)), str(path))
    (tmp_path / "scan.json").write_text("{}")
    assert scan_files(path) == list(images.files_of(path))
    assert len(scan_files(path)) == (3 if ending in (".hdr", ".img", ".nhdr", ".mhd") else 2)


@pytest.mark.parametrize(
    ("ending", "as_written", "otherwise"),
    [
        (".nhdr", b"data file: ", b"Data File:"),
        (".nhdr", b"data file: ", b"datafile : "),
        (".mhd", b"ElementDataFile = ", b"ElementDataFile="),
    ],
)
def test_voxels_in_a_folder_below_are_watched_however_they_are_named(
    tmp_path, ending, as_written, otherwise
):
    path, below = tmp_path / f"scan{ending}", tmp_path / "voxels"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((3, 4, 5), np.int16)), str(path))
    below.mkdir()
    (data,) = (file for file in tmp_path.iterdir() if file.is_file() and file != path)
    data.rename(below / data.name)
    header = path.read_bytes()
    assert as_written in header
    path.write_bytes(header.replace(as_written, otherwise + b"voxels/"))
    assert scan_files(path) == list(images.files_of(path)) == sorted([path, below / data.name])


def test_a_zip_is_watched_as_a_whole(tmp_path):
    packed = shutil.make_archive(str(tmp_path / "scan"), "zip", series(tmp_path / "in"))
    path = tmp_path / "scan.zip"
    assert str(path) == packed
    assert scan_files(path) == [path] == list(read_scan(path).files)


def test_what_the_reader_stumbles_over_is_watched_too(tmp_path):
    """It may be a slice once it is whole."""
    folder = flat(tmp_path)
    (folder / "torn.dcm").write_bytes(b"")
    assert folder / "torn.dcm" in scan_files(folder)
    assert {file for file, _ in look(folder).broken} <= set(scan_files(folder))


def test_a_link_that_leads_nowhere_is_not_hashed(tmp_path):
    folder = flat(tmp_path)
    (folder / "lost.dcm").symlink_to(tmp_path / "gone.dcm")
    assert len(scan_files(folder)) == N


def test_the_json_beside_a_nifti_belongs_to_it(tmp_path):
    scan = Volume(maker.scan_hu(N), Grid(N, 1.0, 1.0, maker.scan_hu(N).shape[1:], (1.0, 1.0)))
    write_nifti(scan, tmp_path / "a" / "x.nii.gz")
    for name in ("x.json", "y.json"):
        (tmp_path / "a" / name).write_text("{}")
    expected = [tmp_path / "a" / "x.json", tmp_path / "a" / "x.nii.gz"]
    assert scan_files(tmp_path / "a" / "x.nii.gz") == expected
    assert scan_files(tmp_path / "a") == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path):
    folder = nested(tmp_path)
    (folder / "DICOM").chmod(0)
    with pytest.raises(PermissionError):
        scan_files(folder)
