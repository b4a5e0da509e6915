"""A place is never half written, and never taken from what is not ours to replace."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from support.oriented_series import source
from thinslice.errors import Refused
from thinslice.fs.transaction import replacing
from thinslice.io import files
from thinslice.io.dicom import write
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Volume

TAKEN = {
    "file": lambda out: out.write_text("mine"),
    "folder": lambda out: (out.mkdir(), (out / "thesis.txt").write_text("mine")),
    "link": lambda out: out.symlink_to("nowhere"),
}


@pytest.mark.parametrize("name", ["out", "out.nii.gz", "out.zarr"])
@pytest.mark.parametrize("what", TAKEN)
def test_what_is_not_ours_is_never_overwritten(tmp_path, what, name):
    volume = source(tmp_path / "in", "supine+", "square", (5, 2.5)).volume
    out = tmp_path / name
    TAKEN[what](out)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    for overwrite in (False, True):
        if overwrite and name == "out.nii.gz" and what != "folder":
            continue  # a file by that name is what overwriting is for
        with pytest.raises(Refused, match=str(out)):
            files.write(volume, out, overwrite=overwrite)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["out", "out.nii.gz", "out.zarr"])
def test_overwriting_is_asked_for_and_whole(tmp_path, name):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    files.write(found.volume, tmp_path / name, source=found)
    fewer = found.volume.grid.with_slices(n=3, increment_mm=5, thickness_mm=5, start_mm=0)
    other = Volume(found.volume.voxels[:3] + 1, fewer)
    with pytest.raises(Refused, match="something there already"):
        files.write(other, tmp_path / name, source=found)
    files.write(other, tmp_path / name, source=found, overwrite=True)
    np.testing.assert_array_equal(files.read(tmp_path / name).volume.voxels, other.voxels)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in", name])


def test_the_scan_that_was_read_is_never_overwritten(tmp_path):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    write_nifti(found.volume, tmp_path / "a.nii")
    again = files.read(tmp_path / "a.nii")
    for out, scan in ((tmp_path / "in", found), (tmp_path, found), (tmp_path / "a.nii", again)):
        with pytest.raises(Refused, match="the scan that was read"):
            files.write(found.volume, out, source=scan, overwrite=True)


@pytest.mark.parametrize("name", ["out.mha", "out.dcm", "out.NII.GZ", "out.Zarr", "out.zip"])
def test_another_ending_is_no_folder(tmp_path, name):
    volume = source(tmp_path / "in", "supine+", "square", (5, 2.5)).volume
    with pytest.raises(Refused, match="found the ending"):
        files.write(volume, tmp_path / name)


DYING = """
import os, signal
from thinslice.io import files
from thinslice.io.dicom import write

def die(data, path, save=write._save):
    save(data, path)
    if path.name == "0003.dcm":
        os.kill(os.getpid(), signal.SIGKILL)

write._save = die
found = files.read("in")
files.write(found.volume, "out", source=found, overwrite=True)
"""


@pytest.mark.parametrize("before", [False, True])
def test_a_killed_writer_leaves_what_was_there_and_the_next_one_clears_up(tmp_path, before):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    if before:
        files.write(found.volume, tmp_path / "out", source=found)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(DYING)], cwd=tmp_path, env=place)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "out").exists() == before
    if before:
        np.testing.assert_array_equal(
            files.read(tmp_path / "out").volume.voxels, found.volume.voxels
        )
    assert [p for p in tmp_path.iterdir() if "partial" in p.name]
    files.write(found.volume, tmp_path / "out", source=found, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("why", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [False, True])
def test_a_writer_that_fails_leaves_what_was_there(tmp_path, monkeypatch, why, before):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    if before:
        files.write(found.volume, tmp_path / "out", source=found)
    save = write._save

    def fail(data, path):
        save(data, path)
        if path.name == "0003.dcm":
            raise why

    monkeypatch.setattr(write, "_save", fail)
    with pytest.raises(KeyboardInterrupt if isinstance(why, KeyboardInterrupt) else Refused):
        files.write(found.volume, tmp_path / "out", source=found, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == (["in", "out"] if before else ["in"])
    if before:
        voxels = files.read(tmp_path / "out").volume.voxels
        np.testing.assert_array_equal(voxels, found.volume.voxels)


def test_a_living_writer_is_left_alone(tmp_path):
    with replacing(tmp_path / "a") as first:
        first.write_text("one")
        with replacing(tmp_path / "a") as second:
            second.write_text("two")
        assert first.exists()
    assert (tmp_path / "a").read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
