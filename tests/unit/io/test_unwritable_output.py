"""Where nothing can be written: one line says so, and nothing half-written is left."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.fs import transaction
from thinslice.io import files
from thinslice.volume import Grid, Volume

NAMES = ["out", "out.nii.gz", "out.zarr"]
NOBODY = 65534
SMALL, LARGE = (3, 8, 8), (24, 128, 128)  # the large one does not fit onto the small disk


def volume(zyx=SMALL):
    """Noise, which no compression makes small."""
    hu = np.random.default_rng(0).integers(-1000, 1000, zyx).astype(np.float32)
    return Volume(hu, Grid(zyx[0], 5.0, 5.0, zyx[1:], (0.7, 0.7)))


def refused(out, given, said):
    with pytest.raises(Refused) as caught:
        files.write(given, out)
    line = str(caught.value)
    assert line.isprintable()
    assert Path(out).name[:100] in line
    assert said in line
    assert len(line) < 1000


def all_below(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@contextmanager
def as_nobody():
    """Root may write anywhere: what it may not do is tried as somebody else."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", NAMES)
def test_no_permission(name):
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555)
        with as_nobody():
            refused(folder / name, volume(), "Permission denied")
            refused(folder / "deeper" / name, volume(), "Permission denied")
        assert all_below(folder) == []
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture(params=["a small disk", "a disk that says it is full"])
def full(request, tmp_path, monkeypatch):
    """A folder onto whose disk the large volume does not fit."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if request.param == "a small disk":
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
        if os.geteuid() or shutil.which("mount") is None or subprocess.run(mount).returncode:
            pytest.skip("nothing can be mounted here")
        yield disk
        subprocess.run(["umount", str(disk)], check=True)
        return

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    yield disk


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_full_disk(full, name, before, monkeypatch):
    if before:
        with monkeypatch.context() as kept:
            kept.setattr(os, "fsync", lambda descriptor: None)
            files.write(volume(), full / name)
    there = all_below(full)
    with pytest.raises(Refused, match="No space left on device"):
        files.write(volume(LARGE), full / name, overwrite=True)
    assert all_below(full) == there
    if before:
        np.testing.assert_array_equal(files.read(full / name).volume.voxels, volume().voxels)


@pytest.mark.parametrize("name", NAMES)
def test_places_that_are_none(tmp_path, name):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(tmp_path / "file" / name, volume(), "which is no folder")
    refused(tmp_path / "file" / "deeper" / name, volume(), "which is no folder")
    refused(tmp_path / "loop" / name, volume(), "which is no folder")
    refused(tmp_path / f"{'n' * 300}{name}", volume(), "too long")
    assert all_below(tmp_path) == ["file", "loop"]


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_long_name_that_fits_is_written(tmp_path, name):
    out = tmp_path / f"{'ä' * 118}{name}"
    files.write(volume(), out)
    np.testing.assert_array_equal(files.read(out).volume.voxels, volume().voxels)
    assert all_below(tmp_path)[0] == out.name
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", NAMES)
def test_folders_made_on_the_way_are_taken_back(tmp_path, name, monkeypatch):
    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fsync", no_space)
        refused(tmp_path / "a" / "b" / name, volume(), "No space left")
    assert all_below(tmp_path) == []
    files.write(volume(), tmp_path / "a" / "b" / name)
    assert (tmp_path / "a" / "b" / name).exists()


def test_what_was_there_is_never_taken_back(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyError), transaction.replacing(tmp_path / "a" / "b" / "out"):
        raise KeyError
    assert all_below(tmp_path) == ["a"]
