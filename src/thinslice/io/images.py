"""Scans that are image files: NIfTI, NRRD and MetaImage, told by their names, with their sidecars.

Names count in small and in capital letters. An .img or .hdr without its other half is none of
these: DICOM is found under such names too.
"""

from pathlib import Path

from thinslice.errors import Refused
from thinslice.io import derived, meta_image, nrrd, sidecar
from thinslice.io.nifti import content
from thinslice.io.nifti.read import read_nifti
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality

FORMATS = ("NIfTI", "NRRD", "MetaImage")


def format_of(path: Path) -> str | None:
    """NIfTI, NRRD or MetaImage, by the name; None for any other file."""
    if content.is_nifti(path) or content.pair_of(path):
        return "NIfTI"
    others = {nrrd.SUFFIXES: "NRRD", meta_image.SUFFIXES: "MetaImage"}
    name = path.name.lower()
    return next((kind for endings, kind in others.items() if name.endswith(endings)), None)


def files_of(path: Path) -> tuple[Path, ...]:
    """Every file that an image consists of, its sidecar too, sorted; headers alone are read."""
    beside = sidecar.beside(path)
    pair = content.pair_of(path) or ()
    return tuple(sorted({path, *pair, *data_of(path), *([beside] if beside else [])}))


def data_of(path: Path) -> set[Path]:
    """The files beside a header that hold its voxels: no scans by themselves."""
    if pair := content.pair_of(path):
        return {pair[1]}
    others = {"NRRD": nrrd.files, "MetaImage": meta_image.files}.get(format_of(path) or "")
    try:
        return set(others(path)) - {path} if others else set()
    except (Refused, OSError):
        return set()


def read_image(
    path: Path,
    *,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
) -> LoadedScan:
    """The scan in an image file; what is not declared is taken from its sidecar.

    Without a sidecar the modality is CT and the thickness the increment. Refused for whatever
    cannot be read exactly.
    """
    beside = sidecar.read(path)
    kind = beside.modality(path, modality)
    readers = {"NRRD": nrrd.read_nrrd, "MetaImage": meta_image.read_meta_image}
    reader = readers.get(format_of(path) or "", read_nifti)
    scan = reader(path, thickness_mm=thickness_mm, unit_window=unit_window, modality=kind)
    whole = beside.completed(path, scan, thickness_mm=thickness_mm, modality=modality)
    whole.source["derived"] = whole.source["derived"] or derived.by_statement(path)
    if whole.source["derived"]:
        whole.source["warnings"].append(derived.note(whole.source["derived"]))
    return whole
