"""Find NIfTI files, DICOM series and broken files in a folder and everywhere below it.

A series is its images wherever they are: exports spread one over several folders, and put several
into one. Which files are looked at is ``workflow/scan_files.py``'s.
"""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from thinslice.errors import Refused, refused
from thinslice.io import images
from thinslice.io.dicom.headers import BrokenSlice, Slice, slices_of
from thinslice.io.dicom.slice_order import key_of
from thinslice.workflow.scan_files import files_below

ZIP = ".zip"


class Series(NamedTuple):
    """The images of one series and the folder that holds them all."""

    folder: Path
    slices: tuple[Slice, ...]

    @property
    def is_scan(self) -> bool:
        """Whether there is a slice in it: a localizer, a capture or a report is no scan."""
        return any(image.kind == "slice" for image in self.slices)

    @property
    def files(self) -> tuple[Path, ...]:
        """Sorted, each once."""
        return tuple(sorted({image.path for image in self.slices}))

    @property
    def words(self) -> str:
        """Its description in messages."""
        kinds = Counter(image.kind for image in self.slices if image.kind != "slice")
        other = "".join(f", {n} {kind}" for kind, n in sorted(kinds.items()))
        return f"{self.slices[0].label.strip()}, {len(self.slices)} images{other}"


class Tree(NamedTuple):
    """The content of ``path``, in the order of the paths."""

    path: Path
    niftis: tuple[Path, ...]
    series: tuple[Series, ...]
    broken: tuple[tuple[Path, Refused], ...]  # files that are no image, and why

    @property
    def scans(self) -> list[Path | Series]:
        """What can be read as a scan: NIfTI files, and the series that have slices."""
        return [*self.niftis, *(series for series in self.series if series.is_scan)]

    def broken_beside(self, scan: Series) -> list[tuple[Path, Refused]]:
        """Broken slices of the scan, and files beside it that may be its slices."""
        return [(file, why) for file, why in self.broken if _is_slice_of(scan, file, why)]

    def odd_beside(self, scan: Series) -> list[tuple[Path, Refused]]:
        """Files in the folders of the scan that cannot be read as images at all."""
        folders = {file.parent for file in scan.files}
        return [(file, why) for file, why in self.broken if file.parent in folders]

    def names(self) -> list[str]:
        """The name that selects each of ``scans``: of a NIfTI its path below the folder, of a
        series its number if no other has it, else its UID."""
        series = [scan for scan in self.scans if isinstance(scan, Series)]
        numbers = Counter(each.slices[0].series_number for each in series)
        return [self._name(scan, numbers) for scan in self.scans]

    def _name(self, scan: Path | Series, numbers: Counter) -> str:
        if isinstance(scan, Path):
            return scan.relative_to(self.path).as_posix() if scan != self.path else scan.name
        first = scan.slices[0]
        alone = first.series_number is not None and numbers[first.series_number] == 1
        return str(first.series_number) if alone else first.series


def look(path: Path) -> Tree:
    """The content of a file or folder; reads headers, not pixels. OSError for an unlistable one."""
    by_series: dict[tuple[str, str, str], list[Slice]] = {}
    broken: list[tuple[Path, Refused]] = []
    files = [path] if path.is_file() else files_below(path)
    niftis = [file for file in files if images.format_of(file)]
    voxels = {data for file in niftis for data in images.data_of(file)}
    niftis = [file for file in niftis if file not in voxels]
    for file in files:
        if file in voxels or images.format_of(file):
            continue
        try:
            in_file = _images(file)
        except Refused as error:
            broken.append((file, error))
            continue
        for image in in_file:
            by_series.setdefault(key_of(image), []).append(image)
    series = [Series(_common(path, slices), tuple(slices)) for slices in by_series.values()]
    return Tree(path, tuple(niftis), tuple(series), tuple(broken))


def _images(file: Path) -> list[Slice]:
    if file.name.lower().endswith(ZIP):
        advice = "unpack it, or name the zip itself"
        raise refused(file, "a zip among the files", "images", advice)
    try:
        return slices_of(file)
    except OSError as error:
        found = f"that the system refuses: {error.strerror or error}"
        raise refused(file, found, "a readable file", "check it", error=BrokenSlice) from error


def _is_slice_of(scan: Series, file: Path, why: Refused) -> bool:
    if not isinstance(why, BrokenSlice):
        return False
    if why.series is None:
        return file.parent in {file.parent for file in scan.files}
    return why.series == key_of(scan.slices[0])


def _common(path: Path, slices: list[Slice]) -> Path:
    folders = {image.path.parent for image in slices}
    return Path(os.path.commonpath(folders)) if path.is_dir() else path
