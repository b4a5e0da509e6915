"""Faulty NIfTI: small files with one fault each."""

import gzip
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from support.nifti_maker import saved, scan_ras
from support.paths import REAL_SCANS
from support.reading_law import Case, as_nibabel

DATA = REAL_SCANS / "nifti_awkward"
SEEDS = 10
NAN = float("nan")
SLICE_DIM, DIM, TYPE, PIXDIM, OFFSET, SLOPE = 39, 40, 70, 76, 108, 112
QFORM, QUATERNION, ROWS, MAGIC = 252, 256, 280, 344


def plain(values=None, affine=None, name="x.nii", **header) -> Callable:
    """A file of these values, written by nibabel."""

    def make(folder, _):
        whole, square = scan_ras()
        given = whole if values is None else values(whole)
        return saved(folder / name, given, square if affine is None else affine, **header)

    return make


def packed(at: int, form: str, *numbers, forms: tuple[int, int] = (0, 2)) -> Callable:
    """Overwrite these numbers of the header; ``forms`` are the codes of qform and sform."""

    def make(folder, _):
        path = plain()(folder, _)
        content = bytearray(path.read_bytes())
        struct.pack_into("<2h", content, QFORM, *forms)
        struct.pack_into(f"<{form}", content, at, *numbers)
        path.write_bytes(content)
        return path

    return make


def cut(seed: int) -> Callable:
    def make(folder, _):
        path = plain(name=f"x.nii{'.gz' * (seed % 2)}")(folder, _)
        whole = path.read_bytes()
        path.write_bytes(whole[: np.random.default_rng(seed).integers(len(whole) - 1)])
        return path

    return make


def flipped(seed: int) -> Callable:
    """Flip one to three bits: of the header, or of a whole gzip file, which has a checksum."""

    def make(folder, _):
        path = plain(name=f"x.nii{'.gz' * (seed % 4 == 3)}")(folder, _)
        content, random = bytearray(path.read_bytes()), np.random.default_rng(seed)
        for at in random.integers(len(content) if seed % 4 == 3 else 348, size=1 + seed % 3):
            content[at] ^= 1 << int(random.integers(8))
        path.write_bytes(content)
        return path

    return make


def appended(folder, _):
    path = plain()(folder, _)
    path.write_bytes(path.read_bytes() + b"garbage" * 999)
    return path


def checksum(folder, _):
    path = plain()(folder, _)
    content = bytearray(gzip.compress(path.read_bytes(), compresslevel=0))
    content[-20] ^= 1
    (folder / "y.nii.gz").write_bytes(content)
    return folder / "y.nii.gz"


def bomb(folder, _):
    """A small scan followed by 90 MiB of zeros."""
    whole = plain()(folder, _).read_bytes()
    (folder / "y.nii.gz").write_bytes(gzip.compress(whole + bytes(90 << 20), compresslevel=1))
    return folder / "y.nii.gz"


def renamed(name: str, content: bytes | None = None) -> Callable:
    def make(folder, _):
        path = plain()(folder, _)
        out = folder / name
        out.write_bytes(path.read_bytes() if content is None else content)
        return out

    return make


def folder_named_like_a_file(folder, _):
    (folder / "x.nii.gz").mkdir()
    return folder / "x.nii.gz"


def no_form(folder, _):
    image = nib.Nifti1Image(scan_ras()[0], None)
    image.header.set_zooms((0.7, 0.9, 2.5))
    nib.save(image, folder / "x.nii")
    return folder / "x.nii"


def disagreeing(code: int) -> Callable:
    def make(folder, _):
        values, affine = scan_ras()
        image = nib.Nifti1Image(values, affine)
        moved = affine.copy()
        moved[:3, 3] += 7
        image.set_qform(moved, code=code)
        image.set_sform(affine, code=2)
        nib.save(image, folder / "x.nii")
        return folder / "x.nii"

    return make


def as_its_original(path, found):
    as_nibabel(path.with_name("x.nii"), found)


def wide(values: np.ndarray) -> np.ndarray:
    """Whole HU from air to bone, -1024 to 2903."""
    return (values.astype(int) + 1000) * 33 - 1024


def says(word: str) -> Callable:
    """Read correctly, with ``word`` in a warning."""

    def right(path, found):
        as_nibabel(path, found)
        assert word in " ".join(found.source["warnings"]), found.source

    return right


def slices_along(axis: int, spacing_mm: tuple[float, float, float], taken: int) -> Case:
    """``slice_dim`` names an axis; the grid's z must be the axis ``taken`` of the file."""

    def make(folder, _):
        values, affine = scan_ras(spacing=np.array(spacing_mm), shape=(4, 5, 6))
        image = nib.Nifti1Image(values, affine)
        image.header.set_dim_info(slice=axis)
        nib.save(image, folder / "x.nii")
        return folder / "x.nii"

    def right(path, found):
        as_nibabel(path, found)
        assert found.volume.grid.n == (4, 5, 6)[taken]
        assert found.volume.grid.increment_mm == spacing_mm[taken]

    return Case(make, right=right)


def shared(name: str, refused: str | None = None) -> dict[str, Case]:
    """A real file; skipped where it is not beside the repository."""
    path = DATA / f"{name}.nii.gz"

    def make(folder, _):
        if not path.is_file():
            pytest.skip("no real scans beside the repository")
        return Path(shutil.copy(path, folder))

    return {name: Case(make, refused, None if refused else as_nibabel)}


def with_bad(value: float) -> Callable:
    return plain(lambda v: np.where(v == v.max(), value, v).astype(np.float32))


RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
CASES = {
    "as written": Case(plain(), right=as_nibabel),
    "as written, packed": Case(plain(name="x.nii.gz"), right=as_nibabel),
    **{f"cut {s}": Case(cut(s), "found") for s in range(SEEDS)},
    **{f"bits {s}": Case(flipped(s), "found", as_nibabel) for s in range(4 * SEEDS)},
    "checksum": Case(checksum, "CRC"),
    "garbage behind": Case(appended, right=as_nibabel),
    "much behind": Case(bomb, right=as_nibabel),
    "0 bytes": Case(renamed("y.nii.gz", b""), "0 bytes"),
    "a text": Case(renamed("y.nii", b"Dear colleague" * 99), "do not begin as NIfTI"),
    "not packed, but so named": Case(renamed("y.nii.gz"), right=as_its_original),
    "a folder named so": Case(folder_named_like_a_file, "a folder"),
    "upper case": Case(renamed("Y.NII"), right=as_its_original),
    "upper case, packed": Case(plain(name="x.NII.GZ"), right=as_nibabel),
    "wrong magic": Case(packed(MAGIC, "4s", b"abc"), "found"),
    "wrong size of header": Case(packed(0, "i", 349), "do not begin as NIfTI"),
    "no form": Case(no_form, "no geometry"),
    "NaN in the sform": Case(packed(ROWS, "f", NAN), "found"),
    "inf in the sform": Case(packed(ROWS, "f", float("inf")), "found"),
    "an sform of nothing": Case(packed(ROWS, "12f", *[0.0] * 12), "spacings of 0 x 0 x 0"),
    "a flat sform": Case(packed(ROWS, "12f", *[1.0] * 12), "by pixdim"),
    "a quaternion too long": Case(packed(QUATERNION, "3f", 3, 3, 3, forms=(1, 0)), "found"),
    "a quaternion of NaN": Case(packed(QUATERNION, "3f", NAN, NAN, NAN, forms=(1, 0)), "found"),
    "a quaternion that nobody needs": Case(
        packed(QUATERNION, "3f", 3, 3, 3, forms=(1, 2)), right=says("qform")
    ),
    "voxels of 0 mm": Case(packed(PIXDIM + 4, "f", 0, forms=(1, 0)), "voxels of 0 x"),
    "voxels of -1 mm": Case(packed(PIXDIM + 8, "f", -1, forms=(1, 0)), "x -1 x"),
    "voxels of NaN mm": Case(packed(PIXDIM + 12, "f", NAN, forms=(1, 0)), "x nan mm"),
    "forms that disagree": Case(disagreeing(1), right=says("7 mm apart")),
    "4-D": Case(plain(lambda v: np.stack([v, v], -1)), "4-D"),
    "2-D": Case(plain(lambda v: v[:, :, 0]), "2-D"),
    "no axes": Case(packed(DIM, "h", 0), "of 0 axes"),
    "nine axes": Case(packed(DIM, "h", 9), "of 2304 axes"),
    "no slices": Case(packed(DIM + 6, "h", 0), "sizes"),
    "fewer than none": Case(packed(DIM + 6, "h", -6), "sizes"),
    "huge": Case(packed(DIM + 2, "3h", 32767, 32767, 32767), "sizes"),
    "large, and a small file": Case(packed(DIM + 2, "3h", 2000, 2000, 2000), "truncated"),
    "one slice": Case(plain(lambda v: v[:, :, :1]), "1 slice"),
    "colours": Case(plain(lambda v: np.zeros(v.shape, RGB)), "one real number"),
    "complex": Case(plain(lambda v: v.astype(np.complex64)), "one real number"),
    "of no known type": Case(packed(TYPE, "h", 5), "found"),
    "a mask": Case(plain(lambda v: (v % 2).astype(np.uint8)), "a mask is not a scan"),
    "values in [0, 1]": Case(plain(lambda v: (v / 999).astype(np.float32) / 4), "unit_window"),
    "HU / 1000": Case(plain(lambda v: (v / 1000).astype(np.float32)), "times 1000"),
    "a slope of 1 / 1000": Case(packed(SLOPE, "2f", 0.001, 0), "times 1000"),
    "HU / 100": Case(
        plain(lambda v: (wide(v) / 100).astype(np.float32)), "hundredths, which are not HU"
    ),
    "HU / 100, resampled": Case(
        plain(lambda v: (wide(v) / 101.3).astype(np.float32)), right=says("if they are HU / 100")
    ),
    "whole HU of a narrow range": Case(
        plain(lambda v: (v % 9 + 30).astype(np.float32)), right=as_nibabel
    ),
    "a constant": Case(plain(lambda v: np.full_like(v, 40.5, np.float32)), right=as_nibabel),
    "NaN voxels": Case(with_bad(NAN), "1 voxels that are NaN"),
    "inf voxels": Case(with_bad(float("-inf")), "1 voxels that are NaN or infinite"),
    "slope 0": Case(packed(SLOPE, "2f", 0, 5), right=as_nibabel),
    "slope NaN": Case(packed(SLOPE, "2f", NAN, NAN), right=as_nibabel),
    "inter NaN": Case(packed(SLOPE, "2f", 2, NAN), "found"),
    "slope inf": Case(packed(SLOPE, "2f", float("inf"), 0), "found", as_nibabel),
    "slope beyond floats": Case(packed(SLOPE, "2f", 3e38, 0), "infinite"),
    "voxels before the file": Case(packed(OFFSET, "f", -352), "byte -352"),
    "voxels far behind": Case(packed(OFFSET, "f", 9e6), "truncated"),
    "voxels at NaN": Case(packed(OFFSET, "f", NAN), "byte nan"),
    "an unknown unit": Case(packed(123, "B", 7), "unknown unit"),
    "in metres": Case(packed(123, "B", 1), "lengths in m"),
    "slices along x": slices_along(0, (1.0, 1.0, 1.0), 0),
    "slices along y": slices_along(1, (1.0, 1.0, 1.0), 1),
    "thin slices of long pixels": slices_along(2, (0.7, 0.9, 0.5), 2),
    "stale slice_dim": slices_along(0, (0.7, 0.7, 5.0), 2),
    **shared("ct_oblique_pitch_uint8"),
    **shared("derived_axes_SPL_thick_first"),
    **shared("derived_uint16_slope1_inter-1024"),
    **shared("derived_no_sform_no_qform", "no geometry"),
    **shared("nibabel_example4d", "4-D"),
}
