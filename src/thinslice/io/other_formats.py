"""Recognise files that are no scan here, by name and first bytes, and say what to do with them."""

from pathlib import Path
from typing import NamedTuple

TO_NIFTI = "convert it to NIfTI (.nii.gz)"
BY_NAME = {
    (".mgz", ".mgh"): ("a FreeSurfer volume", TO_NIFTI),
    (".hdr", ".img", ".hdr.gz", ".img.gz"): (
        "half of an image pair", "copy .hdr and .img beside each other, unpacked"
    ),
    (".mnc", ".mnc.gz"): ("a MINC volume", TO_NIFTI),
    (".nrrd.gz", ".mha.gz", ".nhdr.gz", ".mhd.gz"): ("an image packed by gzip", "unpack it"),
    (".vtk", ".vti"): ("a VTK file", TO_NIFTI),
    (".npy", ".npz", ".mat", ".h5", ".hdf5"): ("an array without a place", TO_NIFTI),
    (".par", ".rec"): ("half of a Philips PAR/REC pair", "convert it to NIfTI (dcm2niix)"),
    (".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".bz2", ".xz"): ("an archive", "unpack it"),
}  # fmt: skip
BY_START = {
    b"\x1f\x8b": ("a file packed by gzip", "unpack it (gunzip)", True),
    b"NRRD": ("a NRRD image", "name it .nrrd"),
    b"ObjectType": ("a MetaImage", "name it .mha, or .mhd if its voxels are in another file"),
    b"\x89HDF": ("an HDF5 file", TO_NIFTI),
    b"\x89PNG": ("a PNG picture", "give the scan it was made of"),
    b"\xff\xd8\xff": ("a JPEG picture", "give the scan it was made of"),
    b"PK\x03\x04": ("a zip", "name it .zip"),
    b"%PDF": ("a PDF", "give the scan it tells of"),
    b"BZh": ("a file packed by bzip2", "unpack it"),
    b"7z\xbc\xaf": ("a 7-Zip archive", "unpack it"),
    b"Rar!": ("a RAR archive", "unpack it"),
}
NIFTI_SIZES = (348, 540)
NIFTI = ("a NIfTI image", "name it .nii, or .nii.gz if it is packed")


class Kind(NamedTuple):
    """What a file is, and what to do with it."""

    found: str
    advice: str
    may_be_slice: bool = False  # of a DICOM series that lies around it


def kind_of(path: Path, start: bytes) -> Kind | None:
    """The kind of a file that is not read here; None where neither name nor content tells.

    start   its first bytes, 16 or more
    """
    name = path.name.lower()
    for begin, kind in BY_START.items():
        packed = begin == b"\x1f\x8b"
        if start.startswith(begin) and not (packed and _by_name(name)):
            return Kind(*kind)
    if by_name := _by_name(name):
        return by_name
    if any(int.from_bytes(start[:4], order) in NIFTI_SIZES for order in ("little", "big")):
        return Kind(*NIFTI)
    return None


def _by_name(name: str) -> Kind | None:
    return next((Kind(*kind) for ends, kind in BY_NAME.items() if name.endswith(ends)), None)
