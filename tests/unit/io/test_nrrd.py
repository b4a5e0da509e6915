"""NRRD: every voxel where the header puts it, whatever its axes; refused where it does not say."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.io.nrrd import read_nrrd, shape_of

VALUES = np.arange(60, dtype="<i2").reshape(3, 4, 5)  # [k, j, i], i fastest
HEADER = (
    "NRRD0004\ntype: short\ndimension: 3\nspace: {space}\nsizes: 5 4 3\n"
    "space directions: {directions}\nspace origin: {origin}\nendian: little\nencoding: {encoding}\n"
)
LPS = "left-posterior-superior"
RAS = "right-anterior-superior"


def text(space=LPS, directions="(0.7,0,0) (0,0.9,0) (0,0,2.5)", origin="(-3,4,5)", encoding="raw"):
    return HEADER.format(space=space, directions=directions, origin=origin, encoding=encoding)


def written(path: Path, header: str, data: bytes) -> Path:
    path.write_bytes(header.encode() + b"\n" + data)
    return path


@pytest.mark.parametrize(
    "directions",
    [
        "(0.7,0,0) (0,0.9,0) (0,0,2.5)",
        "(-0.7,0,0) (0,0,-0.9) (0,2.5,0)",
        "(0,0.7,0) (0,0,0.9) (-2.5,0,0)",
    ],
)
@pytest.mark.parametrize("space", [LPS, RAS])
def test_every_voxel_keeps_its_place_in_the_patient(tmp_path, directions, space):
    path = written(tmp_path / "x.nrrd", text(space, directions), VALUES.tobytes())
    volume = read_nrrd(path, modality="MR").volume
    axes = np.array([[float(v) for v in d.strip("()").split(",")] for d in directions.split()])
    sides = np.array([1, 1, 1]) if space == LPS else np.array([-1, -1, 1])
    affine = volume.grid.affine()
    for zyx in np.ndindex(volume.grid.zyx):
        value = int(volume.voxels[zyx])
        k, j, i = np.unravel_index(value, VALUES.shape)
        place = (np.array([-3, 4, 5]) + np.array([i, j, k]) @ axes) * sides
        np.testing.assert_allclose((affine @ [*zyx, 1])[:3], place, atol=1e-9)
    assert volume.grid.increment_mm == volume.grid.thickness_mm == 2.5


def test_a_detached_header_is_read_with_its_data(tmp_path):
    (tmp_path / "x.raw.gz").write_bytes(gzip.compress(VALUES.tobytes()))
    path = tmp_path / "x.nhdr"
    path.write_text(text(encoding="gzip") + "data file: x.raw.gz\n")
    found = read_nrrd(path, modality="MR", thickness_mm=3.0)
    assert found.files == (path, tmp_path / "x.raw.gz")
    assert found.volume.grid.thickness_mm == 3.0
    assert set(found.volume.voxels.ravel()) == set(range(60))
    (tmp_path / "x.raw.gz").unlink()
    with pytest.raises(Refused, match="no data file"):
        read_nrrd(path, modality="MR")


def test_what_cannot_be_read_exactly_is_refused(tmp_path):
    whole = VALUES.tobytes()
    bare = "\n".join(line for line in text().splitlines() if not line.startswith("space")) + "\n"
    cases = {
        "space none": written(tmp_path / "bare.nrrd", bare, whole),
        "broken NRRD": written(tmp_path / "cut.nrrd", text(), whole[:40]),
        "a .nrrd or .nhdr file": tmp_path / "gone.nrrd",
    }
    (tmp_path / "noise.nrrd").write_bytes(b"\x00" * 400)
    cases["noise.nrrd: found a broken"] = tmp_path / "noise.nrrd"
    for words, path in cases.items():
        with pytest.raises(Refused, match=words) as refused:
            read_nrrd(path, modality="MR")
        assert "\n" not in str(refused.value)


def test_the_shape_is_told_without_the_voxels(tmp_path):
    path = written(tmp_path / "cut.nrrd", text(), b"")
    assert shape_of(path) == (5, 4, 3)
