"""NRRD, MetaImage and image pairs, whole and faulty, and files that are told by their own name."""

import gzip
from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np

from support import image_maker
from support.image_maker import as_made
from support.nifti_maker import TURNS, saved, scan_ras
from support.reading_law import Case, at_places


def nrrd(name="x.nrrd", **how) -> Callable:
    return lambda folder, _: image_maker.nrrd(folder / name, **how)


def meta(name="x.mha", **how) -> Callable:
    return lambda folder, _: image_maker.meta(folder / name, **how)


def flipped(maker: Callable, at: int) -> Callable:
    """A file with one bit flipped, counted from the end."""

    def make(folder, _):
        path = maker(folder, _)
        content = bytearray(path.read_bytes())
        content[at] ^= 4
        path.write_bytes(content)
        return path

    return make


def turned(maker: Callable) -> Case:
    values, affine = scan_ras(TURNS["oblique"])
    return Case(maker(affine=affine), right=lambda _, found: at_places(found, values, affine))


def of_type(maker: Callable, dtype: str) -> Case:
    """HU - 24 of the scan, in any type of number."""
    values = (scan_ras()[0].astype(int) - 24).astype(dtype)
    affine = scan_ras()[1]
    return Case(maker(values=values), right=lambda _, found: at_places(found, values, affine))


def labels(dtype=np.uint8) -> np.ndarray:
    """Three structures, and nothing around them."""
    values = np.zeros((20, 20, 6), dtype)
    values[2:8, 2:8, 1:5], values[10:16, 2:8, 1:5], values[10:16, 10:18, 1:5] = 5, 52, 104
    return values


def pair(folder, *, form=nib.Nifti1Pair, name="x.hdr", affine=None):
    values, square = scan_ras()
    nib.save(form(values, square if affine is None else affine), folder / "x.img")
    return folder / name


def halves(lost: str) -> Callable:
    def make(folder, _):
        pair(folder)
        (folder / lost).unlink()
        return folder / ("x.hdr" if lost == "x.img" else "x.img")

    return make


def short_pair(folder, _):
    path = pair(folder)
    voxels = path.with_suffix(".img")
    voxels.write_bytes(voxels.read_bytes()[:-1])
    return path


def analyze(folder, _):
    path = pair(folder)
    content = bytearray(path.read_bytes())
    content[344:348] = bytes(4)
    path.write_bytes(content)
    return path


def packed_pair(folder, _):
    path = pair(folder).with_suffix(".img")
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def noise_pair(folder, _):
    for name in ("x.hdr", "x.img"):
        (folder / name).write_bytes(b"ENVI" * 99)
    return folder / "x.hdr"


def holding(name: str, content: bytes) -> Callable:
    def make(folder, _):
        (folder / name).write_bytes(content)
        return folder / name

    return make


def volume_of_two_files(folder, _):
    """A folder with one scan: its header, and the voxels beside it."""
    image_maker.meta(folder / "x.mhd", data_file="x.raw", packed=False)
    return folder


def mgz(folder, _):
    values: Any = scan_ras()[0].astype(np.float32)
    nib.save(nib.MGHImage(values, scan_ras()[1]), folder / "x.mgz")
    return folder / "x.mgz"


def nifti_named(name: str) -> Callable:
    def make(folder, _):
        content = saved(folder / "y.nii", *scan_ras()).read_bytes()
        (folder / "y.nii").unlink()
        (folder / name).write_bytes(content)
        return folder / name

    return make


NAN = np.where(scan_ras()[0] == -999, np.nan, scan_ras()[0]).astype(np.float32)
UNIT = ((scan_ras()[0] + 1024) / 4096).astype(np.float32)
FOUR_D = np.stack([scan_ras()[0]] * 2, -1)
SHEARED = scan_ras()[1] @ np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
CASES = {
    "NRRD": Case(nrrd(), right=as_made),
    "NRRD, raw": Case(nrrd(encoding="raw"), right=as_made),
    "NRRD, big endian": Case(nrrd(encoding="raw", endian="big"), right=as_made),
    "NRRD in RAS": Case(nrrd(space="right-anterior-superior"), right=as_made),
    "NRRD in capitals": Case(nrrd("X.NRRD"), right=as_made),
    "NRRD, turned": turned(nrrd),
    "NRRD with its voxels elsewhere": Case(nrrd("x.nhdr", data_file="x.raw.gz"), right=as_made),
    **{f"NRRD of {t}": of_type(nrrd, t) for t in ("float32", "float64", "int32")},
    "NRRD without its voxels": Case(nrrd("x.nhdr", extra=("data file: y.raw",)), "no data file"),
    "NRRD without a space": Case(nrrd(drop=("space",)), "space none"),
    "NRRD without an origin": Case(nrrd(drop=("space origin",)), "without space origin"),
    "NRRD without directions": Case(nrrd(drop=("space directions",)), "without space directions"),
    "NRRD of a scanner's space": Case(nrrd(space="scanner-xyz"), "space scanner-xyz"),
    "NRRD in metres": Case(nrrd(extra=('space units: "m" "m" "m"',)), "lengths in m"),
    "NRRD in mm": Case(nrrd(extra=('space units: "mm" "mm" "mm"',)), right=as_made),
    "NRRD in steps": Case(nrrd(extra=("old min: -1000", "old max: 900")), "stored in steps"),
    "NRRD cut": Case(nrrd(encoding="raw", keep=99), "broken NRRD"),
    "NRRD cut, packed": Case(nrrd(keep=99), "broken NRRD"),
    **{f"NRRD, bit {at}": Case(flipped(nrrd(), at), "found") for at in (-1, -6, -30, -120)},
    "NRRD, packed, cut by a byte": Case(nrrd(keep=-1), "found"),
    "MetaImage, cut by a byte": Case(meta(keep=-1), "found"),
    **{f"MetaImage, bit {at}": Case(flipped(meta(), at), "found") for at in (-1, -30, -120)},
    "NRRD as text": Case(nrrd(encoding="ascii"), "encoding ascii"),
    "NRRD with bytes to skip": Case(nrrd(extra=("byte skip: 8",)), "with byte skip"),
    "NRRD, 4-D": Case(nrrd(values=FOUR_D), "found"),
    "NRRD, sheared": Case(nrrd(affine=SHEARED), "sheared|broken NRRD"),
    "NRRD, NaN": Case(nrrd(values=NAN), "NaN"),
    "NRRD in HU / 1000": Case(nrrd(values=UNIT * 4 - 1), "times 1000"),
    "NRRD in [0, 1]": Case(nrrd(values=UNIT), "unit_window"),
    "NRRD of labels": Case(nrrd(values=labels()), "labels"),
    "a segmentation of Slicer": Case(
        nrrd("x.seg.nrrd", extra=("Segment0_ID:=Segment_1",)), "a segmentation"
    ),
    "NRRD, empty": Case(holding("x.nrrd", b""), "found"),
    "NRRD of noise": Case(holding("x.nrrd", b"\1\2" * 99), "found"),
    "MetaImage": Case(meta(), right=as_made),
    "MetaImage, not packed": Case(meta(packed=False), right=as_made),
    "MetaImage in capitals": Case(meta("X.MHA"), right=as_made),
    "MetaImage, turned": turned(meta),
    "MetaImage of two files": Case(meta("x.mhd", data_file="x.raw", packed=False), right=as_made),
    "MetaImage of two files, packed": Case(meta("x.mhd", data_file="x.zraw"), right=as_made),
    "a folder with a header and its voxels": Case(volume_of_two_files, right=as_made),
    **{f"MetaImage of {t}": of_type(meta, t) for t in ("float32", "float64", "int32")},
    "MetaImage without its voxels": Case(
        lambda folder, _: image_maker.meta(folder / "x.mhd", data_file="x.raw").rename(
            (folder / "y").mkdir() or folder / "y" / "x.mhd"
        ),
        "not one file beside it",
    ),
    "MetaImage of a list": Case(meta("x.mhd", data_file="LIST"), "not one file beside it|found"),
    "MetaImage of many files": Case(meta("x.mhd", data_file="x%03d.raw"), "not one file"),
    "MetaImage without a matrix": Case(meta(TransformMatrix=None), "no TransformMatrix"),
    "MetaImage without an offset": Case(meta(Offset=None), "no Offset"),
    "MetaImage without a spacing": Case(meta(ElementSpacing=None), "no ElementSpacing"),
    "MetaImage with other names": Case(
        meta(
            Offset=None,
            Position="-31.25 12.5 -710.75",
            TransformMatrix="1 0 0 0 1 0 0 0 1",
            affine=None,
        ),
        right=lambda _, found: None,
    ),
    "MetaImage with a slope": Case(meta(ElementToIntensityFunctionSlope="2"), "Slope 2"),
    "MetaImage with an offset": Case(meta(ElementToIntensityFunctionOffset="-1024"), "Offset -1"),
    "MetaImage with a slope of 1": Case(meta(ElementToIntensityFunctionSlope="1"), right=as_made),
    "MetaImage with bytes before": Case(meta(HeaderSize="10", packed=False), "HeaderSize 10"),
    "MetaImage in cm": Case(meta(DistanceUnits="cm"), "lengths in cm"),
    "MetaImage as text": Case(meta(BinaryData="False", packed=False), "voxels as text"),
    "MetaImage of colours": Case(meta(ElementNumberOfChannels="3", packed=False), "Channels 3"),
    "MetaImage of arrays": Case(meta(ElementType="MET_UCHAR_ARRAY"), "one real number"),
    "MetaImage cut": Case(meta(packed=False, keep=99), "truncated"),
    "MetaImage cut, packed": Case(meta(keep=99), "truncated"),
    "MetaImage cut, size not said": Case(meta(keep=99, CompressedDataSize=None), "found"),
    "MetaImage cut, two files": Case(
        meta("x.mhd", data_file="x.raw", packed=False, keep=99), "truncated"
    ),
    "MetaImage of labels": Case(meta(values=labels()), "labels"),
    "MetaImage in [0, 1]": Case(meta(values=UNIT), "unit_window"),
    "MetaImage, NaN": Case(meta(values=NAN), "NaN"),
    "MetaImage, 4-D": Case(meta(values=FOUR_D), "found"),
    "MetaImage, empty": Case(holding("x.mha", b""), "0 bytes without ElementDataFile"),
    "MetaImage of noise": Case(holding("x.mha", b"\1\2" * 99), "broken MetaImage"),
    "a pair": Case(lambda folder, _: pair(folder), right=as_made),
    "a pair by its voxels": Case(lambda folder, _: pair(folder, name="x.img"), right=as_made),
    "a pair, by its folder": Case(lambda folder, _: pair(folder).parent, right=as_made),
    "a pair of NIfTI-2": Case(lambda folder, _: pair(folder, form=nib.Nifti2Pair), right=as_made),
    "a pair, voxels packed": Case(packed_pair, right=as_made),
    "a pair, cut": Case(short_pair, "truncated voxels"),
    "a pair without voxels": Case(halves("x.img"), "half of an image pair"),
    "a pair without a header": Case(halves("x.hdr"), "half of an image pair"),
    "Analyze 7.5": Case(analyze, "Analyze 7.5"),
    "a pair of noise": Case(noise_pair, "do not begin as NIfTI"),
    "FreeSurfer": Case(mgz, "FreeSurfer"),
    "NIfTI by no name": Case(nifti_named("scan"), "a NIfTI image.*name it .nii"),
    "NRRD by no name": Case(nrrd("scan"), "a NRRD image"),
    "MetaImage by no name": Case(meta("scan"), "a MetaImage"),
    "MINC": Case(holding("x.mnc", b"CDF\1" * 9), "MINC"),
    "an array": Case(holding("x.npy", b"\x93NUMPY" * 9), "an array"),
    "an archive": Case(holding("x.tar", b"scan/0001.dcm" * 9), "an archive"),
    "HDF5": Case(holding("x", b"\x89HDF\r\n\x1a\n" * 3), "HDF5"),
    "a zip by no name": Case(holding("x", b"PK\3\4" * 9), "a zip"),
    "a picture by no name": Case(holding("x", b"\x89PNG\r\n\x1a\n" * 3), "PNG"),
    "another picture": Case(holding("x", b"\xff\xd8\xff\xe0" * 9), "JPEG"),
    "packed, of no known kind": Case(holding("x", gzip.compress(b"x" * 99)), "packed by gzip"),
    "bzip2": Case(holding("x", b"BZh91AY&SY" * 9), "bzip2"),
    "RAR": Case(holding("x", b"Rar!\x1a\7\0" * 9), "RAR"),
    "7-Zip": Case(holding("x", b"7z\xbc\xaf\x27\x1c" * 9), "7-Zip"),
    "Philips PAR": Case(holding("x.PAR", b"# === DATA" * 9), "PAR/REC"),
}
