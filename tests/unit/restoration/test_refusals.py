"""What ``thinslice restore`` refuses: in one line, before any work, with nothing left behind."""

import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from support.restore import CPU, dicom, names, often, restored
from thinslice import plugins
from thinslice.interfaces import Run
from thinslice.io import files
from thinslice.io.nifti.write import write_nifti
from thinslice.methods import zeng_mcsr
from thinslice.restoration import disk_space, methods, precision, restore
from thinslice.restoration.methods import MethodChoice


def taken(tmp_path, scan):
    """Places that are refused: OUT, and what the line says."""
    (tmp_path / "mine.nii").write_text("mine")
    shutil.copytree(scan, tmp_path / "mine")
    for k, file in enumerate(sorted((tmp_path / "mine").iterdir())):
        file.rename(file.with_name(f"{k:04}.dcm"))  # as thinslice names slices
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "a.nii.preview.png").write_text("mine")
    (tmp_path / "b.nii.thinslice.json").mkdir()
    (tmp_path / "dir.nii").mkdir()
    return [
        (tmp_path / "mine.nii", "already", "without mine.nii.thinslice.json"),
        (tmp_path / "mine", "already", "without mine.thinslice.json"),
        (tmp_path / "full", "already", "notes.txt"),
        (tmp_path / "dir.nii", "already", "folder"),
        (tmp_path / "a.nii", "already", "--overwrite would"),
        (tmp_path / "b.nii", "folder", "folder"),
        (scan, "holds the scan", "holds the scan"),
        (scan / "out.nii", "holds the scan", "holds the scan"),
        (tmp_path, "already", "choose another name"),
        (tmp_path / "mine.nii" / "out.nii", "no folder", "no folder"),
        (tmp_path / "out.mha", "ending", "ending"),
    ]


@pytest.mark.parametrize("which", range(11))
def test_a_place_that_is_taken_is_refused_before_any_work(tmp_path, capsys, monkeypatch, which):
    scan = dicom(tmp_path / "in")
    monkeypatch.setattr(restore, "carry_out", None)
    out, plainly, overwriting = taken(tmp_path, scan)[which]
    before = sorted(tmp_path.rglob("*"))
    for words, more in ((plainly, []), (overwriting, ["--overwrite"])):
        if words.startswith("--overwrite"):
            continue
        status, _, complaints = restored(capsys, scan, out, "--method", "linear", *more)
        assert (status, len(complaints.splitlines())) == (2, 1 + complaints.count("warning"))
        assert words in complaints
        assert str(out.name) in complaints
    assert sorted(tmp_path.rglob("*")) == before


def test_a_nifti_is_not_written_over_itself(tmp_path, capsys, nifti):
    bytes_before = nifti.read_bytes()
    status, _, complaints = restored(capsys, nifti, nifti, "--overwrite")
    assert (status, "the scan that was read" in complaints) == (2, True)
    assert nifti.read_bytes() == bytes_before


def test_a_folder_that_may_not_be_written_is_found_out_before_the_work(
    tmp_path, capsys, monkeypatch, nifti
):
    monkeypatch.setattr(restore, "carry_out", None)
    status, _, complaints = restored(capsys, nifti, "/proc/nowhere/out.nii", "--method", "linear")
    assert (status, "Traceback" in complaints) == (2, False)
    closed = tmp_path / "closed"
    closed.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed)
    status, _, complaints = restored(capsys, nifti, closed / "out.nii", "--method", "linear")
    assert (status, "no permission" in complaints) == (2, True)


@pytest.mark.parametrize(
    ("name", "least"), [("out.nii", 2), ("out", 2), ("out.nii.gz", 0.2), ("out.zarr", 0.2)]
)
def test_a_disk_without_room_is_found_out_before_the_work(
    tmp_path, capsys, monkeypatch, nifti, name, least
):
    """Sixty thin slices of 40 x 48 pixels; only what is surely too little is refused."""
    needed, asked = 60 * 40 * 48 * least, []
    words = [nifti, tmp_path / name, "--method", "linear", "--dry-run"]
    disk = SimpleNamespace(total=10**9, free=needed)
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: asked.append(path) or disk)
    assert restored(capsys, *words)[0] == 0
    disk.free -= 1
    status, _, complaints = restored(capsys, *words)
    assert (status, "kB free in" in complaints) == (2, True)
    assert {*asked} == {tmp_path}
    disk.total = disk.free = 0  # a disk that does not say
    assert restored(capsys, *words)[0] == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--method", "sr4zct_smal"], "did you mean 'sr4zct_small'"),
        (["--method", "tvsrn"], "no weights"),
        (["--weights", "none.pt"], "no file"),
        (["--weights", "."], "not a whole weights file"),
        (["--weights", "thick.nii.gz"], "not a whole weights file"),
        (["--thickness", "6"], "the scan is already that thin"),
        (["--increment", "2"], "leave gaps"),
        (["--declared-thickness", "0.5"], "the scan is already that thin"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, capsys, monkeypatch, nifti, words, line):
    monkeypatch.chdir(tmp_path)
    status, _, complaints = restored(capsys, nifti, "out.nii", *words)
    assert (status, len(complaints.splitlines())) == (2, 1)
    assert line in complaints
    assert names(tmp_path) == ["thick.nii.gz"]


def test_memory_that_does_not_suffice_is_one_line(tmp_path, capsys, monkeypatch, nifti):
    often(monkeypatch.setattr)
    status, _, complaints = restored(capsys, nifti, tmp_path / "o.nii", *CPU, "--max-memory", "1M")
    assert (status, "--max-memory" in complaints) == (2, True)
    assert not (tmp_path / "o.nii").exists()


def test_a_scan_of_fewer_slices_than_a_network_needs_is_one_line(tmp_path, capsys):
    thin = files.read(dicom(tmp_path / "in")).volume
    grid = thin.grid.with_slices(n=3, increment_mm=30.0, thickness_mm=30.0, start_mm=0.0)
    scan = write_nifti(thin.with_voxels(thin.voxels[:3], grid), tmp_path / "few.nii")
    words = ["--method", "sr4zct_small", *CPU]
    status, _, complaints = restored(capsys, scan, tmp_path / "o.nii", *words)
    assert status == 2
    assert complaints.splitlines()[-1].startswith("thinslice restore: ")
    assert np.isfinite(thin.voxels).all()


def test_a_method_of_two_contrasts_is_refused_before_the_work(monkeypatch, capsys, tmp_path):
    card = {"name": "zeng_mcsr", "settings": zeng_mcsr.TINY}
    method = plugins.build("methods", card)
    chosen = MethodChoice(card, method, "population", None, None, None)
    monkeypatch.setattr(restore, "choose", lambda *_, **__: chosen)
    scan = dicom(tmp_path / "in")
    status, _, complaint = restored(capsys, scan, tmp_path / "out.nii", "--dry-run")
    assert status == 2
    assert "zeng_mcsr: found a scan without a second contrast" in complaint
    assert "a command reads one contrast" in complaint


def test_precision_is_refused_by_the_name_of_its_option():
    with pytest.raises(ValueError, match="conditioned_unet: --precision 'tf32' is none of fp32"):
        methods.choose(precision="tf32")
    method = plugins.build(
        "methods", {"name": "plane_unet", "settings": {"restore_precision": "tf32"}}
    )
    with pytest.raises(ValueError, match=r"^--precision tf32: a cpu has none"):
        precision.precision_of(method, "tf32", Run(device="cpu"))
    with pytest.raises(ValueError, match=r"^restore_precision tf32"):
        precision.precision_of(method, None, Run(device="cpu"))
