"""Faulty zips of a valid series."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from support.bad_dicom import HU, series
from support.nifti_maker import saved, scan_ras
from support.reading_law import Case, as_nibabel
from thinslice.io import files
from thinslice.io.dicom.read import read_dicom

LINK, ENCRYPTED = 0o120777 << 16, 1


def zipped(add: Callable[[zipfile.ZipFile, Path], object], name: str = "z.zip") -> Callable:
    """A zip that ``add`` fills from a valid series."""

    def make(folder, _):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as out:
            add(out, series(folder))
        return folder / name

    return make


def scan(out: zipfile.ZipFile, made: Path, below: str = "CD/DICOM/PA0/SE0") -> None:
    for file in sorted(made.iterdir()):
        out.write(file, f"{below}/{file.name}")


def with_member(name: str, content: bytes = b"x", attributes: int = 0o100644 << 16) -> Callable:
    def add(out, made):
        scan(out, made)
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = attributes, zipfile.ZIP_DEFLATED
        out.writestr(info, content)

    return zipped(add)


def with_junk(out, made):
    scan(out, made)
    for name in ("__MACOSX/._a.dcm", "CD/Thumbs.db", "CD/DICOMDIR", "CD/.DS_Store", "CD/README"):
        out.writestr(name, b"junk")
    out.writestr("CD/viewer.exe", b"MZ" * 500)


def with_nifti(out, made):
    saved(made / "x.nii", *scan_ras())
    out.write(made / "x.nii", "deep/x.nii")


def encrypted(folder, _):
    path = zipped(scan)(folder, _)
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= ENCRYPTED
    path.write_bytes(content)
    return path


def nested(out, made):
    with zipfile.ZipFile(made.parent / "inner.zip", "w") as inner:
        scan(inner, made)
    out.write(made.parent / "inner.zip", "inner.zip")


def twice(out, made):
    scan(out, made)
    out.writestr("CD/DICOM/PA0/SE0/000.dcm", b"another")


def cut(part: float) -> Callable:
    def make(folder, _):
        path = zipped(scan)(folder, _)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(part * len(whole))])
        return path

    return make


def damaged(folder, _):
    path = zipped(scan)(folder, _)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x40
    path.write_bytes(content)
    return path


def holds_the_series(path, found):
    """Assert the same voxels and grid as in the folder that was zipped."""
    folder = read_dicom(path.parent / "scan")
    np.testing.assert_array_equal(found.volume.voxels, folder.volume.voxels)
    assert found.volume.grid == folder.volume.grid
    assert found.files == (path,)
    assert len(found.members) == len(HU)
    files.write(found.volume, path.parent / "out", source=found)
    assert len(list((path.parent / "out").iterdir())) == len(HU)


def holds_the_nifti(path, found):
    as_nibabel(path.parent / "scan" / "x.nii", found)
    assert [*found.members] == ["deep/x.nii"]


EMPTY = b"PK\5\6" + bytes(18)
CASES = {
    "zip": Case(zipped(scan), right=holds_the_series),
    "zip in capitals": Case(zipped(scan, "Z.ZIP"), right=holds_the_series),
    "zip of a CD": Case(zipped(with_junk), right=holds_the_series),
    "zip of a NIfTI": Case(zipped(with_nifti), right=holds_the_nifti),
    "zip leads up": Case(with_member("../x.dcm"), "leads out"),
    "zip leads up inside": Case(with_member("CD/../../x.dcm"), "leads out"),
    "zip leads to the root": Case(with_member("/tmp/x.dcm"), "leads out"),
    "zip leads to a drive": Case(with_member("C:\\x.dcm"), "leads out"),
    "zip with a link": Case(with_member("CD/x.dcm", b"/etc/passwd", LINK), "link or a device"),
    "zip with a text": Case(
        with_member("CD/DICOM/PA0/SE0/x", b"text" * 99), right=holds_the_series
    ),
    "zip bomb": Case(with_member("CD/x.dcm", bytes(70 << 20)), r"\d{8} bytes when unpacked", None),
    "zip encrypted": Case(encrypted, "encrypted"),
    "zip of a zip": Case(zipped(nested), "a zip among the files"),
    "zip with a name twice": Case(zipped(twice), "more than once"),
    "zip of nothing": Case(zipped(lambda out, made: None), "no file that could be a scan"),
    "zip of junk": Case(zipped(lambda out, made: out.writestr("a.txt", "x")), "no file that"),
    "zip without an end": Case(cut(0.9), "broken archive"),
    "zip cut in half": Case(cut(0.5), "broken archive"),
    "zip damaged": Case(damaged, "found", holds_the_series),
    "zip that is none": Case(lambda f, _: _written(f / "z.zip", b"not a zip"), "broken archive"),
    "zip of 0 bytes": Case(lambda f, _: _written(f / "z.zip", b""), "broken archive"),
    "zip that is only an end": Case(lambda f, _: _written(f / "z.zip", EMPTY), "no file that"),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
