"""What lies in a folder and everywhere below it: NIfTI files, DICOM series, and what is neither.

A series is its images wherever they lie: exports spread one over several folders, and put several
into one. No link is followed; hidden files, companions such as DICOMDIR or *.txt, and stores are
passed over by their names.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from thinslice.errors import Refused, refused
from thinslice.io.dicom.headers import Slice, is_companion, slices_of
from thinslice.io.dicom.slice_order import key_of
from thinslice.io.nifti.header import SUFFIXES

STORE = ".zarr"
ZIP = ".zip"


class Series(NamedTuple):
    """The images of one series and the folder that holds them all."""

    folder: Path
    slices: tuple[Slice, ...]

    @property
    def is_scan(self) -> bool:
        """Whether there is a slice in it: a localizer, a capture or a report is no scan."""
        return any(one.kind == "slice" for one in self.slices)

    @property
    def files(self) -> tuple[Path, ...]:
        """Sorted, each once."""
        return tuple(sorted({one.path for one in self.slices}))

    @property
    def words(self) -> str:
        """How messages describe it."""
        kinds = Counter(one.kind for one in self.slices if one.kind != "slice")
        other = "".join(f", {n} {kind}" for kind, n in sorted(kinds.items()))
        return f"{self.slices[0].label.strip()}, {len(self.slices)} images{other}"


class Tree(NamedTuple):
    """Everything that was found below ``path``, in the order of the paths."""

    path: Path
    niftis: tuple[Path, ...]
    series: tuple[Series, ...]
    broken: tuple[tuple[Path, Refused], ...]  # files that are no image, and why

    @property
    def scans(self) -> list[Path | Series]:
        """What could be read as one: NIfTI files, and the series that have slices."""
        return [*self.niftis, *(one for one in self.series if one.is_scan)]

    def broken_beside(self, scan: Series) -> list[tuple[Path, Refused]]:
        """Broken files among those of the scan: each may be one of its slices."""
        folders = {file.parent for file in scan.files}
        return [one for one in self.broken if one[0].parent in folders]

    def names(self) -> list[str]:
        """How each of ``scans`` is asked for: a NIfTI by its path below the folder, a series by
        its number if that is its alone, else by its UID."""
        series = [one for one in self.scans if isinstance(one, Series)]
        numbers = Counter(one.slices[0].series_number for one in series)
        return [self._name(one, numbers) for one in self.scans]

    def _name(self, scan: Path | Series, numbers: Counter) -> str:
        if isinstance(scan, Path):
            return scan.relative_to(self.path).as_posix() if scan != self.path else scan.name
        first = scan.slices[0]
        alone = first.series_number is not None and numbers[first.series_number] == 1
        return str(first.series_number) if alone else first.series


def look(path: Path) -> Tree:
    """Headers are read, pixels are not; OSError where a folder may not be listed."""
    niftis: list[Path] = []
    heaps: dict[tuple[str, str, str], list[Slice]] = {}
    broken: list[tuple[Path, Refused]] = []
    for file in [path] if path.is_file() else files_below(path):
        if file.name.endswith(SUFFIXES):
            niftis.append(file)
            continue
        try:
            images = _images(file)
        except Refused as error:
            broken.append((file, error))
            continue
        for one in images:
            heaps.setdefault(key_of(one), []).append(one)
    series = [Series(_common(path, slices), tuple(slices)) for slices in heaps.values()]
    return Tree(path, tuple(niftis), tuple(series), tuple(broken))


def files_below(path: Path) -> list[Path]:
    """Every file that may be part of a scan, sorted; nothing is read."""
    return sorted(top / name for top, _, names in walk(path) for name in names)


def walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folder, names of its folders and of its plain files; no link to a folder is followed."""
    if path.name.endswith(STORE):
        return
    for top, folders, names in os.walk(path, onerror=_raise):
        found = sorted(name for name in folders if not is_companion(name))
        folders[:] = [name for name in found if not name.endswith(STORE)]
        plain = [name for name in names if not is_companion(name)]
        yield Path(top), found, [name for name in plain if _is_file(Path(top, name))]


def _images(file: Path) -> list[Slice]:
    if file.name.lower().endswith(ZIP):
        advice = "unpack it, or name the zip itself"
        raise refused(file, "a zip among the files", "images", advice)
    try:
        return slices_of(file)
    except OSError as error:
        found = f"that the system refuses: {error.strerror or error}"
        raise refused(file, found, "a readable file", "check it") from error


def _is_file(path: Path) -> bool:
    """Also a link that leads nowhere: it is a file that cannot be read, and is named as one."""
    return path.is_file() or path.is_symlink()


def _common(path: Path, slices: list[Slice]) -> Path:
    folders = {one.path.parent for one in slices}
    return Path(os.path.commonpath(folders)) if path.is_dir() else path


def _raise(error: OSError) -> None:
    raise error
