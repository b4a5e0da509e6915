"""NIfTI headers that are odd, contradict themselves or say that the values are no HU."""

import gzip
import struct
from collections.abc import Callable

import nibabel as nib
import numpy as np
from nibabel.nifti1 import Nifti1Extension

from support.bad_nifti import MAGIC, NAN, PIXDIM, SLOPE, packed, plain, says
from support.nifti_maker import TURNS, saved, scan_ras
from support.reading_law import Case, as_nibabel, at_places


def unsaid_offset(
    form=nib.Nifti1Image, offset: float = 0, behind: bytes = b"", extension: bytes = b"", order="<"
) -> Callable:
    """A file whose vox_offset is not what it is; ``behind`` follows the voxels."""

    def make(folder, _):
        image = form(*scan_ras())
        if order == ">":
            image = form(image.dataobj, image.affine, image.header.as_byteswapped(">"))
        nib.save(image, folder / "y.nii")
        content = bytearray((folder / "y.nii").read_bytes())
        at, kind = (108, "f") if form is nib.Nifti1Image else (168, "q")
        struct.pack_into(order + kind, content, at, offset)
        size = 348 if form is nib.Nifti1Image else 540
        content[size : size + len(extension)] = extension
        (folder / "x.nii").write_bytes(bytes(content) + behind)
        return folder / "x.nii"

    return make


def as_scan(path, found):
    at_places(found, *scan_ras())


def by_size(path, found):
    as_scan(path, found)
    assert "by the size of the file" in " ".join(found.source["warnings"])


def sized(pixdim, *, sform=True, qform=None, code=1) -> Callable:
    """The scan with these voxel sizes, whatever the sform says."""

    def make(folder, _):
        values, affine = scan_ras()
        image = nib.Nifti1Image(values, affine)
        image.set_sform(affine if sform else None, int(sform))
        image.set_qform(qform, 0 if qform is None else code)
        image.header["pixdim"][1:4] = pixdim
        nib.save(image, folder / "x.nii.gz")
        return folder / "x.nii.gz"

    return make


def moved(change: np.ndarray) -> np.ndarray:
    return scan_ras()[1] @ change


def of_values(values: np.ndarray, **header) -> Callable:
    """These values [x, y, z], on pixels of the scan."""

    def make(folder, _):
        return saved(folder / "x.nii.gz", values, scan_ras()[1], **header)

    return make


def labels(*numbers: int, dtype: type = np.uint8) -> np.ndarray:
    """Blocks of equal numbers, and nothing around them."""
    out = np.zeros((40, 16, 6), dtype)
    for k, number in enumerate(numbers):
        out[2 + 8 * k : 8 + 8 * k, 2:12, 1:5] = number
    return out


def swapped(folder, _):
    image = nib.Nifti1Image(*scan_ras())
    header = image.header.as_byteswapped(">")
    nib.save(nib.Nifti1Image(image.dataobj, image.affine, header), folder / "x.nii")
    return folder / "x.nii"


def extended(folder, _):
    image = nib.Nifti1Image(*scan_ras())
    image.header.extensions.append(Nifti1Extension("comment", b"hello" * 50))
    nib.save(image, folder / "x.nii.gz")
    return folder / "x.nii.gz"


def offset_32768(folder, _):
    stored = (scan_ras()[0].astype(int) + 32768).astype(np.uint16)
    path = plain(lambda _: stored)(folder, _)
    content = bytearray(path.read_bytes())
    struct.pack_into("<2f", content, SLOPE, 1, -32768)
    path.write_bytes(content)
    return path


def gzip_named_nii(folder, _):
    whole = plain(name="y.nii")(folder, _).read_bytes()
    (folder / "y.nii").unlink()
    (folder / "x.nii").write_bytes(gzip.compress(whole))
    return folder / "x.nii"


def packed_twice(folder, _):
    whole = plain(name="y.nii")(folder, _).read_bytes()
    (folder / "x.nii.gz").write_bytes(gzip.compress(gzip.compress(whole)))
    return folder / "x.nii.gz"


CASES = {
    "vox_offset 0": Case(unsaid_offset(), right=by_size),
    "vox_offset 0, NIfTI-2": Case(unsaid_offset(nib.Nifti2Image), right=by_size),
    "vox_offset 0, big endian": Case(unsaid_offset(order=">"), right=by_size),
    "vox_offset 0, more behind": Case(unsaid_offset(behind=b"x"), "inside the header"),
    "vox_offset 0, extended": Case(unsaid_offset(extension=b"\1"), "inside the header"),
    **{f"vox_offset {n:g}": Case(unsaid_offset(offset=n), "found") for n in (1, 347, 348, 351.5)},
    "vox_offset 348, NIfTI-2": Case(unsaid_offset(nib.Nifti2Image, 348), "found"),
    "a header of a pair": Case(packed(MAGIC, "4s", b"ni1"), "the header of a pair"),
    "big endian": Case(swapped, right=as_scan),
    "an extension": Case(extended, right=as_scan),
    "NIfTI-2": Case(
        lambda folder, _: (
            nib.save(nib.Nifti2Image(*scan_ras()), folder / "x.nii.gz") or folder / "x.nii.gz"
        ),
        right=as_scan,
    ),
    "packed, but named .nii": Case(gzip_named_nii, right=as_scan),
    "packed twice": Case(packed_twice, "do not begin as NIfTI"),
    "pixdim 3, sform 2.5": Case(sized((0.7, 0.9, 3)), "by the sform.*by pixdim"),
    "pixdim of the pixels": Case(sized((0.9, 0.9, 2.5)), "by the sform.*by pixdim"),
    "pixdim exchanged": Case(sized((2.5, 0.9, 0.7)), "by the sform.*by pixdim"),
    "pixdim rounded": Case(sized((0.701, 0.899, 2.51)), right=as_scan),
    "pixdim 0": Case(packed(PIXDIM + 4, "3f", 0, 0, 0), right=says("pixdim is 0 x 0 x 0")),
    "pixdim NaN": Case(packed(PIXDIM + 4, "3f", NAN, NAN, NAN), right=says("pixdim is nan")),
    "qform and sform of other slices": Case(
        sized((0.7, 0.9, 2), qform=scan_ras()[1]), "by the sform.*by pixdim"
    ),
    "qform alone": Case(sized((0.7, 0.9, 2.5), sform=False, qform=scan_ras()[1]), right=as_scan),
    "qform mirrored": Case(
        sized((0.7, 0.9, 2.5), qform=moved(np.diag([-1.0, 1, 1, 1]))), "180 degrees apart"
    ),
    "qform upside down": Case(
        sized((0.7, 0.9, 2.5), qform=moved(np.diag([1.0, -1, -1, 1]))), "180 degrees apart"
    ),
    "a template's sform": Case(
        sized((0.7, 0.9, 2.5), qform=scan_ras(TURNS["oblique"])[1]), right=says("mm apart")
    ),
    "mirrored": Case(plain(affine=moved(np.diag([-1.0, 1, 1, 1]))), right=as_nibabel),
    "sheared": Case(
        plain(affine=moved(np.eye(4) + 0.2 * np.eye(4, k=1) * [[1], [0], [0], [0]])), "sheared"
    ),
    "one row": Case(plain(lambda v: v[:, :1]), right=as_nibabel),
    "4-D of one": Case(plain(lambda v: v[..., None]), right=as_nibabel),
    "5-D of one": Case(plain(lambda v: v[..., None, None]), right=as_nibabel),
    "5-D of two": Case(plain(lambda v: np.stack([v, v], -1)[:, :, :, None]), "5-D"),
    "float64": Case(plain(lambda v: v + 0.25), right=as_nibabel),
    "unsigned, offset 32768": Case(offset_32768, right=as_scan),
    "HU + 1024": Case(plain(lambda v: (v + 1024).astype(np.uint16)), right=says("; are they HU?")),
    "cone beam": Case(
        plain(lambda v: (v.astype(int) * 50 + 51000).astype(np.uint16)),
        right=says("are they HU?"),
    ),
    "beyond 16 bits": Case(
        plain(lambda v: v.astype(np.float64) * 100), right=says("are beyond 16 bits")
    ),
    "bool": Case(plain(lambda v: (v > v.mean()).astype(np.uint8)), "mask"),
    "slope -1": Case(packed(SLOPE, "2f", -1, 0), right=as_nibabel),
    "colours with alpha": Case(
        plain(lambda v: np.zeros(v.shape, np.dtype([(c, "u1") for c in "RGBA"]))), "one real"
    ),
    "complex of 128": Case(plain(lambda v: v.astype(np.complex128)), "one real number"),
    "in micron": Case(packed(123, "B", 3), "lengths in micron"),
    "intent label": Case(plain(intent_code=1002), "intent_code 1002"),
    "intent neuroname": Case(plain(intent_code=1005), "intent_code 1005"),
    "intent t test": Case(plain(intent_code=3), right=says("intent_code is 3")),
    "intent estimate": Case(plain(intent_code=1001), right=as_nibabel),
    "labels": Case(of_values(labels(5, 52, 104)), "4 whole numbers from 0 to 104.*labels"),
    "labels of 2000": Case(of_values(labels(1001, 2035, dtype=np.int16)), "labels"),
    "labels as floats": Case(of_values(labels(1, 2, 3, dtype=np.float32)), "labels"),
    "a mask of 255": Case(of_values(labels(255)), "labels"),
    "a mask of 1": Case(of_values(labels(1)), "a mask is not a scan"),
    "labels, said to be MR": Case(of_values(labels(5, 9)), "labels", say={"modality": "MR"}),
    "water without noise": Case(of_values(np.full((8, 8, 4), 40, np.int16)), right=as_nibabel),
    "nothing but air": Case(
        of_values(np.full((8, 8, 4), -1000, np.int16)), right=lambda path, found: None
    ),
}
