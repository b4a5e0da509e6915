"""Archives: the wanted members, whole, inside their folder; gone on from; anything else refused."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from thinslice.errors import Refused
from thinslice.io.archive import unpack

MEMBERS = {"set/a.nii": b"a" * 3000, "set/b.nii": b"b" * 5000, "set/note.txt": b"no scan"}


def made(path: Path, members: dict[str, bytes] = MEMBERS) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def is_scan(name: str) -> bool:
    return name.endswith(".nii")


@pytest.fixture(params=["x.zip", "x.tar", "x.tar.gz"])
def archive(request, tmp_path) -> Path:
    return tmp_path / request.param


def test_only_what_is_wanted_is_unpacked(archive, tmp_path):
    out = unpack(made(archive), tmp_path / "out", is_scan)
    assert out == [tmp_path / "out" / name for name in MEMBERS if is_scan(name)]
    assert all(
        path.read_bytes() == MEMBERS[path.relative_to(tmp_path / "out").as_posix()] for path in out
    )
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file() and p != archive) == [
        "a.nii",
        "b.nii",
    ]


def test_what_is_whole_already_is_left_and_what_is_not_is_written_anew(archive, tmp_path):
    a, b = unpack(made(archive), tmp_path / "out", is_scan)
    os.utime(a, (1, 1))
    b.write_bytes(b"b")
    assert unpack(archive, tmp_path / "out", is_scan) == [a, b]
    assert a.stat().st_mtime == 1
    assert b.read_bytes() == MEMBERS["set/b.nii"]


def test_names_that_lead_out_are_refused_before_they_are_written(archive, tmp_path):
    for name in ("../evil.nii", "/evil.nii", "set/../../evil.nii"):
        with pytest.raises(Refused, match="leads out"):
            unpack(made(archive, {name: b"x"}), tmp_path / "deep/out", is_scan)
    assert not list(tmp_path.rglob("evil.nii"))


def test_a_link_in_the_way_does_not_lead_out(archive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/set").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="leads out"):
        unpack(made(archive), tmp_path / "out", is_scan)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_never_made(tmp_path, kind):
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        info = tarfile.TarInfo("set/a.nii")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(Refused, match="link or a device"):
        unpack(tmp_path / "x.tar", tmp_path / "out", is_scan)
    assert not list(tmp_path.rglob("*.nii"))


def test_a_link_in_a_zip_is_not_made_either(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        info = zipfile.ZipInfo("a.nii")
        info.external_attr = 0o120777 << 16
        zipped.writestr(info, "/etc/passwd")
    with pytest.raises(Refused, match="link or a device"):
        unpack(tmp_path / "x.zip", tmp_path / "out", is_scan)


def test_an_archive_cut_short_is_refused_and_leaves_no_half_file(archive, tmp_path):
    made(archive, {"a.nii": os.urandom(50_000), "b.nii": os.urandom(50_000)})
    archive.write_bytes(archive.read_bytes()[:70_000])
    with pytest.raises(Refused, match="broken archive"):
        unpack(archive, tmp_path / "out", is_scan)
    for path in (tmp_path / "out").rglob("*"):
        assert path.stat().st_size == 50_000


def test_what_is_no_archive_is_refused_by_its_name(tmp_path):
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(Refused, match=r"x\.rar"):
        unpack(tmp_path / "x.rar", tmp_path, is_scan)
