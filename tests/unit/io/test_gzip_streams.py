"""Gzip streams: by ISA-L or by zlib the same content, and the same streams are broken."""

import gzip
import importlib.util
import io
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from thinslice.io import gzip_streams
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Grid, Volume

NOISE = np.random.default_rng(0).normal(0, 20, 40_000).astype("<i2").tobytes()
WHOLE = gzip.compress(NOISE, mtime=0)


def by_zlib():
    """The module as it is where isal is not installed."""
    spec = importlib.util.find_spec("thinslice.io.gzip_streams")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["installed", "zlib"])
def streams(request, monkeypatch):
    if request.param == "installed":
        return gzip_streams
    monkeypatch.setitem(sys.modules, "isal", None)
    return by_zlib()


def packed(streams, pieces):
    plain = io.BytesIO()
    with streams.packed(plain) as file:
        for piece in pieces:
            file.write(piece)
    return plain.getvalue()


def unpacked(streams, content):
    with streams.unpacked(io.BytesIO(content)) as file:
        return b"".join(iter(lambda: file.read(10_000), b""))


def test_without_isal_zlib_is_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "isal", None)
    assert by_zlib().GzipFile is gzip.GzipFile


def test_where_isal_is_installed_it_is_used():
    """Else a module that isal moved would make every stream slow, and no other test fail."""
    igzip = pytest.importorskip("isal.igzip")
    assert gzip_streams.GzipFile is igzip.IGzipFile


def test_what_is_packed_is_read_by_gzip_and_depends_on_the_content_alone(streams):
    pieces = [b"head", NOISE, b"", NOISE[:7]]
    content = packed(streams, pieces)
    assert gzip.decompress(content) == b"".join(pieces)
    assert content == packed(streams, pieces)
    assert content[3:8] == bytes(5)  # no name, no time


@pytest.mark.parametrize("more", [b"", bytes(512), WHOLE])
def test_members_and_zeros_behind_them_are_read(streams, more):
    assert unpacked(streams, WHOLE + more) == NOISE * (2 if more == WHOLE else 1)


BROKEN = {
    "cut": WHOLE[:-2000],
    "cut in the trailer": WHOLE[:-3],
    "second member cut": WHOLE + WHOLE[:2000],
    "another checksum": WHOLE[:-8] + bytes(4) + WHOLE[-4:],
    "another length": WHOLE[:-4] + bytes(4),
    "a flipped byte": WHOLE[:9000] + bytes([WHOLE[9000] ^ 255]) + WHOLE[9001:],
    "no deflate": WHOLE[:10] + b"\xff" * 100,
    "garbage behind": WHOLE + b"garbage",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_raises(streams, name):
    with pytest.raises(streams.BROKEN):
        unpacked(streams, BROKEN[name])


def test_others_read_a_scan_that_is_written(tmp_path):
    grid = Grid(5, 1.0, 1.0, (64, 48), (0.7, 0.7))
    voxels = np.frombuffer(NOISE, "<i2")[: 5 * 64 * 48].reshape(5, 64, 48).astype(np.float32)
    path = write_nifti(Volume(voxels, grid), tmp_path / "a.nii.gz")
    image = nib.Nifti1Image.from_bytes(gzip.decompress(path.read_bytes()))
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, voxels)
    np.testing.assert_array_equal(np.asarray(nib.load(path).dataobj).T, voxels)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)), voxels)
