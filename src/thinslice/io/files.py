"""Read and write a user's own scan: DICOM, NIfTI or OME-Zarr, by the name of the path.

``read`` gives the volume and what its files state; ``write`` keeps the position, the axes and, in
DICOM, the patient of the scan that a volume was made of.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from thinslice.errors import in_one_line, refused
from thinslice.fs import transaction
from thinslice.io import derived, images, zip_folder
from thinslice.io.acquired import AcquiredScan
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.dicom.write import OURS, write_dicom
from thinslice.io.nifti.content import SUFFIXES
from thinslice.io.nifti.write import write_nifti
from thinslice.io.padding import settled
from thinslice.io.read import read_scan
from thinslice.io.scan import LoadedScan
from thinslice.io.whole_hu import narrow_fractions
from thinslice.volume import HU_INT16, Modality, Volume

ZARR = ".zarr"
STORE = "*"  # the store itself refuses a folder that is not one
OTHER = set(
    ".nii .gz .zarr .zip .dcm .ima .mha .mhd .nrrd .nhdr .img .hdr .mgz .mgh .mnc .vtk .npy .npz "
    ".png .jpg .json .tar .tgz".split()
)  # any case


@overload
def read(
    path: Path | str,
    *,
    series: str | int | None = ...,
    acquisition: str | int | None = ...,
    thickness_mm: float | None = ...,
    unit_window: tuple[float, float] | None = ...,
    modality: Modality | None = ...,
    as_acquired: Literal[False] = ...,
) -> LoadedScan: ...


@overload
def read(
    path: Path | str,
    *,
    series: str | int | None = ...,
    acquisition: str | int | None = ...,
    thickness_mm: float | None = ...,
    unit_window: tuple[float, float] | None = ...,
    modality: Modality | None = ...,
    as_acquired: bool,
) -> LoadedScan | AcquiredScan: ...


def read(
    path: Path | str,
    *,
    series: str | int | None = None,
    acquisition: str | int | None = None,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
    as_acquired: bool = False,
) -> LoadedScan | AcquiredScan:
    """The scan at ``path``: a DICOM folder, a NIfTI file, a zip of one, or a store (.zarr) of one.

    series         which scan of a folder or a zip that holds several: what ``thinslice inspect``
                   prints (SeriesNumber, or a NIfTI's path below the folder), or SeriesInstanceUID;
                   "thickest" or "thinnest" of the DICOM series
    acquisition    which acquisition of a series that holds several, as ``inspect`` prints it
    thickness_mm   declared; None: what the format knows (NIfTI: the increment)
    unit_window    HU that 0 and 1 stand for; NIfTI only
    modality       declared; None: what the file says, CT for NIfTI
    as_acquired    read a DICOM series that is tilted, unevenly spaced or of mixed thickness, which
                   is refused otherwise, as an ``AcquiredScan``; ``restore`` takes it

    Refused, in one line, for anything that cannot be read exactly.
    """
    path = Path(path)
    with in_one_line(path):
        if path.name.endswith(ZARR) and path.is_dir():
            return _stored(path, thickness_mm, modality)
    return read_scan(
        path,
        series=series,
        acquisition=acquisition,
        thickness_mm=thickness_mm,
        unit_window=unit_window,
        modality=modality,
        as_acquired=as_acquired,
    )


def write(
    volume: Volume,
    out: Path | str,
    *,
    source: LoadedScan | None = None,
    derivation: Derivation | None = None,
    overwrite: bool = False,
) -> None:
    """The volume at ``out``: .nii and .nii.gz are NIfTI, .zarr is OME-Zarr, else a DICOM folder.

    source       the scan it was made of: a NIfTI gives its axes to a NIfTI, a DICOM series its
                 patient, study and layout to a DICOM series
    derivation   how a DICOM series describes its making; None: only its slices and this software
    overwrite    replace what ``write`` made before; anything else is never replaced

    Atomic: ``out`` is complete or as it was. Refused (a ValueError) where ``out`` is taken, where
    the disk does not take it, and for values that do not fit the format.
    """
    out = Path(out)
    advice = "choose another place, or make room"
    with in_one_line(out, "a place that can be written", advice), _headers(source) as headers:
        kind = source.source["format"] if source else None
        if out.name.endswith(SUFFIXES):
            like = next((h for h in headers if images.format_of(h) == "NIfTI"), None)
            write_nifti(
                volume,
                out,
                like=like,
                dtype=_dtype(volume, source),
                derived=derivation is not None,
                overwrite=overwrite,
            )
        elif out.name.endswith(ZARR):
            _store(volume, out, source, overwrite)
        else:
            _no_other_ending(out)
            write_dicom(
                volume,
                out,
                source=headers if kind == "DICOM" else (),
                derivation=derivation or _plainly(volume),
                overwrite=overwrite,
            )


def _dtype(volume: Volume, source: LoadedScan | AcquiredScan | None) -> Literal["int16"] | None:
    """int16 for CT made of a scan in HU, however narrow its range: it is HU too, to be rounded.

    None: as the values are. Floats of a narrow range would be refused when they are read again.
    """
    if source is None or volume.modality != "CT" or not narrow_fractions(volume.voxels):
        return None
    made_of = source.volume if isinstance(source, LoadedScan) else source
    low, high = (float(np.rint(limit(volume.voxels))) for limit in (np.min, np.max))
    fits = HU_INT16[0] <= low and high <= HU_INT16[1]
    return "int16" if fits and not narrow_fractions(made_of.voxels) else None


def _headers(source: LoadedScan | None) -> AbstractContextManager[tuple[Path, ...]]:
    """The files that a scan was read from, unpacked again if they came from a zip."""
    return zip_folder.files_of(source) if source else nullcontext(())


def refuse_taken(
    out: Path | str,
    *,
    source: LoadedScan | AcquiredScan | None = None,
    overwrite: bool = False,
) -> None:
    """Refuse a path that ``write`` would refuse, before there is anything to write."""
    out, files = Path(out), source.files if source else ()
    if out.name.endswith(SUFFIXES):
        transaction.refuse_taken(out, overwrite=overwrite, ours="", source=files)
    elif out.name.endswith(ZARR):
        _refuse_taken_store(out, files, overwrite)
    else:
        _no_other_ending(out)
        transaction.refuse_taken(out, overwrite=overwrite, ours=OURS, source=files)


def refuse_unfit(out: Path | str, scan: LoadedScan | AcquiredScan) -> None:
    """Refuse CT that ``out`` could not hold, before anything is made of it.

    NIfTI holds any values, as float32 where they are beyond 16 bits; DICOM a span of 65535 HU.
    """
    out, values = Path(out), scan.volume if isinstance(scan, LoadedScan) else scan
    low, high = float(values.voxels.min()), float(values.voxels.max())
    is_zarr = out.name.endswith(ZARR)
    lowest, highest = HU_INT16 if is_zarr else (low, low + HU_INT16[1] - HU_INT16[0])
    if values.modality != "CT" or out.name.endswith(SUFFIXES):
        return
    if low < lowest or high > highest:
        found = f"HU {low:g} to {high:g} in {os.path.commonpath(scan.files)}"
        expected = f"{lowest} to {highest}" if is_zarr else "a span of 65535, as 16 bits hold"
        raise refused(out, found, expected, "name OUT .nii.gz: it is then written as float32")


def _no_other_ending(out: Path) -> None:
    """Refuse a name such as out.mha: it asks for another format, not for a folder."""
    if out.suffix.lower() in OTHER and not out.is_dir():
        expected = ".nii, .nii.gz or .zarr, in lower case, or a folder"
        raise refused(out, f"the ending {out.suffix}, which is not written", expected, "choose one")


def _plainly(volume: Volume) -> Derivation:
    grid = volume.grid
    slices = f"{grid.thickness_mm:g} mm slices every {grid.increment_mm:g} mm"
    return Derivation(f"Computed, not acquired: {slices}.", f"thinslice {slices}", "not stated")


def _store(volume: Volume, out: Path, source: LoadedScan | None, overwrite: bool) -> None:
    from thinslice.store import write_scan  # imports zarr: only where it is needed

    _refuse_taken_store(out, source.files if source else (), overwrite)
    about: dict[str, Any] = {"source": dict(source.source)} if source else {}
    with transaction.parent_made(out):
        write_scan(out, volume, **about)


def _refuse_taken_store(out: Path, source: Sequence[Path], overwrite: bool) -> None:
    from thinslice.store import StoreError, refuse_foreign

    transaction.refuse_taken(out, overwrite=overwrite, ours=STORE, source=source)
    try:
        refuse_foreign(out)
    except StoreError as error:
        raise refused(out, str(error), "a store or nothing", "choose another name") from error


def _stored(path: Path, thickness_mm: float | None, modality: Modality | None) -> LoadedScan:
    from thinslice.store import StoreError, open_scan

    try:
        scan = open_scan(path)
        voxels = scan.read()
    except StoreError as error:
        found = f"no store to read ({error})"
        raise refused(path, found, "a store of one scan", "write it anew") from error
    if modality not in (None, scan.modality):
        raise refused(path, f"modality {scan.modality}", f"{modality} as declared", "correct it")
    grid = scan.grid
    if thickness_mm is not None:
        grid = grid.with_slices(
            n=grid.n,
            increment_mm=grid.increment_mm,
            thickness_mm=thickness_mm,
            start_mm=grid.start_mm,
        )
    source = {
        "format": "OME-Zarr",
        "modality": scan.modality,
        **dict.fromkeys(("maker", "device", "kernel", "lossy")),
        "thickness_mm": grid.thickness_mm,
        "thickness_from": "file" if thickness_mm is None else "declared",
        "derived": derived.by_statement(path),
        "warnings": [],
    }
    files = tuple(sorted(file for file in path.rglob("*") if file.is_file()))
    volume, source["warnings"] = settled(path, Volume(voxels, grid, scan.modality, scan.padding))
    if source["derived"]:
        source["warnings"].append(derived.note(source["derived"]))
    return LoadedScan(volume, source, files)
