"""RPLHR-CT: chest CT reconstructed by the scanner at 1 mm and at 5 mm (Yu, MICCAI 2022).

Source     Zenodo record 17239183 (October 2025), named by the authors' repository; before that,
           20/10/20 of the cases were distributed as a "tiny" set and the rest on request
Licence    as the record states; the authors' repository states none for the data
Splits     100/50/100 by folder, as published: {train,val,test}/{1mm,5mm}/<case>.nii.gz
Checksums  MD5 and sizes as Zenodo lists them; SHA-256 recorded on first download

The list of archives is read from Zenodo: every .zip or .tar in the record is unpacked if it holds
the folders above, at any depth. Archives of other kinds (.7z, .rar) must be unpacked by hand,
anywhere below the raw folder; files that are there are not downloaded again.

Thick slice i lies on thin slice 5 i, so that n_thin = 5 (n_thick - 1) + 1 (the released code of
TVSRN, CTHNet and ACVTT agree). Origins in the files are not used: the first thick slice is
placed on the first thin one, and its position by the header is recorded in ``source``. The earlier
release holds [0, 1] floats of the window [-1024, 2048] HU; whether a file does is detected from its
values and recorded in ``source``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from thinslice.datasets._readers import by_case
from thinslice.download.fetch import fetch
from thinslice.download.zenodo import list_of, remotes_of
from thinslice.errors import Refused, listed, refused
from thinslice.interfaces import SPLITS, Case
from thinslice.io.archive import TARS, unpack
from thinslice.io.nifti.content import SUFFIXES
from thinslice.io.nifti.read import read_hu_or_unit
from thinslice.volume import Volume

RECORD = 17239183
THIN, THICK = "1mm", "5mm"  # folders
THIN_MM, THICK_MM = 1.0, 5.0  # nominal; NIfTI does not say
RATIO = 5  # thin slices per thick increment
WINDOW = (-1024.0, 2048.0)  # HU that 0 and 1 stand for in the earlier release
SAME_PITCH = 1e-3  # of the increment, and of a pixel: headers are single precision
ALIKE = "pair reconstructions of one acquisition"
CASES: Mapping[str, int] = {"train": 100, "val": 50, "test": 100}


@dataclass(frozen=True)
class RplhrCt:
    """The RPLHR-CT data set; see the module docstring."""

    simulated = False

    cases_per_split: Mapping[str, int] = field(default_factory=lambda: dict(CASES))

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download and unpack the archives on Zenodo, unless every case is there already."""
        try:
            self._pairs(raw)
            return
        except Refused:
            by_hand = not (raw / list_of(RECORD)).exists()
            if by_hand and any(_by_name(raw, s, f) for s in SPLITS for f in (THIN, THICK)):
                raise  # do not mix files that were put there by hand with a download
        for path in fetch(remotes_of(RECORD, raw, mirror), raw, mirror):
            if path.name.endswith((".zip", *TARS)):
                unpack(path, raw, _is_scan)
        self._pairs(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Sorted paths of both files of every case."""
        return sorted(path for _, thin, thick in self._pairs(raw) for path in (thin, thick))

    def cases(self, raw: Path) -> Iterator[Case]:
        """Training, validation and test cases, by file name within each split."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        return by_case(
            (_name(thin), partial(_case, split, thin, thick))
            for split, thin, thick in self._pairs(raw)
        )

    def _pairs(self, raw: Path) -> list[tuple[str, Path, Path]]:
        """Split, thin and thick file of every case; Refused if one is missing or there twice."""
        pairs = []
        for split in SPLITS:
            thin, thick = (_by_name(raw, split, folder) for folder in (THIN, THICK))
            unpaired = [f"{name} ({THIN})" for name in sorted(thin.keys() - thick.keys())]
            unpaired += [f"{name} ({THICK})" for name in sorted(thick.keys() - thin.keys())]
            if unpaired:
                found = f"{len(unpaired)} unpaired scans in {split}: {listed(unpaired)}"
                raise refused(raw, found, f"each in {THIN} and {THICK}", "unpack the archive again")
            n = self.cases_per_split.get(split, 0)
            if len(thin) != n:
                found = f"{len(thin)} cases in {split}/{THIN}"
                advice = "complete the download, or set cases_per_split"
                raise refused(raw, found, f"{n}", advice)
            pairs += [(split, thin[name], thick[name]) for name in sorted(thin)]
        return pairs


def _is_scan(member: str) -> bool:
    parts = member.split("/")[-3:]
    return (
        len(parts) == 3
        and parts[0] in SPLITS
        and parts[1] in (THIN, THICK)
        and parts[2].endswith(SUFFIXES)
        and not parts[2].startswith(".")  # ._x: what macOS adds to archives
    )


def _by_name(raw: Path, split: str, folder: str) -> dict[str, Path]:
    """Files of one split and thickness by case name, at any depth below ``raw``."""
    paths: dict[str, Path] = {}
    for path in sorted(raw.rglob(f"{split}/{folder}/*.nii*")):
        if not _is_scan(path.as_posix()):
            continue
        name = path.name.split(".")[0]
        if name in paths:
            where = f"{path} and {paths[name]}"
            raise refused(raw, f"{split} case {name} twice: {where}", "once", "remove one copy")
        paths[name] = path
    return paths


def _name(path: Path) -> str:
    return path.name.split(".")[0].lower()


def _case(split: str, thin_path: Path, thick_path: Path) -> Case:
    thin = read_hu_or_unit(thin_path, thickness_mm=THIN_MM, window=WINDOW)
    thick = read_hu_or_unit(thick_path, thickness_mm=THICK_MM, window=WINDOW)
    n_thin, n_thick = thin.volume.grid.n, thick.volume.grid.n
    if n_thin != RATIO * (n_thick - 1) + 1:
        found = f"{n_thin} thin slices to {n_thick} thick ones"
        expected = f"{RATIO} x ({n_thick} - 1) + 1 = {RATIO * (n_thick - 1) + 1}"
        raise refused(
            thin_path, found, expected, "check that both files are whole and of one patient"
        )
    placed, start_mm = _placed(thin.volume, thick.volume, thick_path)
    name = _name(thin_path)
    source = {
        "thin": {"path": f"{split}/{THIN}/{thin_path.name}", **thin.source},
        "thick": {"path": f"{split}/{THICK}/{thick_path.name}", **thick.source},
        "thick_start_by_header_mm": start_mm,
    }
    return Case(name, name, split, thin.volume, placed, source)


def _placed(thin: Volume, thick: Volume, path: Path) -> tuple[Volume, float]:
    """The thick scan in the thin one's frame, first slice on first slice.

    Also the offset of its first slice by its own header, in mm.
    """
    a, b = thin.grid, thick.grid
    pitch = np.abs(np.array(b.pixel_mm) / np.array(a.pixel_mm) - 1).max()
    if a.shape != b.shape or pitch > SAME_PITCH:
        found = f"{b.shape} pixels of {b.pixel_mm} mm"
        raise refused(path, found, f"{a.shape} of {a.pixel_mm} mm as the thin scan", ALIKE)
    if abs(b.increment_mm / (RATIO * a.increment_mm) - 1) > SAME_PITCH:
        found = f"increments of {a.increment_mm:g} and {b.increment_mm:g} mm"
        raise refused(path, found, f"a ratio of {RATIO}", ALIKE)
    if not np.allclose(a.direction, b.direction, atol=SAME_PITCH):
        raise refused(path, f"axes {b.direction}", f"{a.direction} as the thin scan", ALIKE)
    grid = a.with_slices(
        n=b.n,
        increment_mm=RATIO * a.increment_mm,
        thickness_mm=b.thickness_mm,
        start_mm=a.start_mm,
    )
    by_header = (np.array(b.affine()[:3, 3]) - np.array(a.affine()[:3, 3])) @ a.direction[0]
    return replace(thick, grid=grid), round(float(by_header), 4)


def build(cases_per_split: Mapping[str, int] | None = None) -> RplhrCt:
    counts = dict(CASES if cases_per_split is None else cases_per_split)
    if set(counts) - set(SPLITS):
        raise ValueError(f"cases_per_split names {', '.join(SPLITS)}, found {counts}")
    return RplhrCt(counts)
