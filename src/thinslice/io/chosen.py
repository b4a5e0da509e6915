"""Choose one scan of a folder, and one acquisition of a series, or refuse to guess.

Every refusal lists what there is to choose from, with what tells it apart.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from thinslice.errors import AmbiguousError, Refused, listed, refused
from thinslice.io.acquisition import narrowed, parts_of, read_of
from thinslice.io.dicom.headers import nothing_in
from thinslice.io.dicom.slice_order import Irregular, stack_of
from thinslice.io.folder import Series, Tree

BY_THICKNESS = {"thickest": max, "thinnest": min}


def chosen(
    tree: Tree, series: str | None, acquisition: str | None, *, as_acquired: bool = False
) -> tuple[Path | Series, list[str]]:
    """The scan that ``series`` and ``acquisition`` name, or the only one; notes on what is left.

    as_acquired   take acquisitions that lie one above another for one scan

    Refused where nothing or more than one is named, for a broken slice, and for a series that
    is read whole but has parts.
    """
    scan, notes = _one_of(tree, series)
    if isinstance(scan, Path):
        if acquisition is not None:
            raise refused(scan, "a NIfTI file", "a series with acquisitions", "leave it out")
        return scan, notes
    part, more = narrowed(tree, scan, acquisition, as_acquired=as_acquired)
    return part, [*more, *notes]


def _one_of(tree: Tree, series: str | None) -> tuple[Path | Series, list[str]]:
    scans = tree.scans
    if not scans:
        raise _no_scan(tree)
    if series is None:
        found = scans if len(scans) == 1 else _readable(scans)
    elif series in BY_THICKNESS:
        found = _by_thickness(tree, series)
    else:
        named = zip(scans, tree.names())
        found = [scan for scan, name in named if series in _all_names(scan, name)]
    if len(found) != 1:
        raise _ambiguous(tree, series, found)
    return found[0], _left_out(tree, found[0], series)


def _all_names(scan: Path | Series, name: str) -> tuple[str, ...]:
    if isinstance(scan, Path):
        return (name,)
    first = scan.slices[0]
    return (name, first.series, str(first.series_number))


def _by_thickness(tree: Tree, series: str) -> list[Path | Series]:
    """The DICOM series with the thickest or thinnest slices."""
    stated = [(_thickness_mm(scan), scan) for scan in tree.scans if isinstance(scan, Series)]
    known = [(mm, scan) for mm, scan in stated if mm is not None]
    if not known:
        return []
    best = BY_THICKNESS[series](mm for mm, _ in known)
    return [scan for mm, scan in known if mm == best]


def _thickness_mm(scan: Series) -> float | None:
    """SliceThickness, or the increment where the files do not say; None if it is no scan.

    A scan is chosen, or is one of several to choose from, also if it is refused in the end: with
    tilted or uneven slices, or with several acquisitions.
    """
    slices, _ = read_of(scan)
    try:
        step = stack_of(scan.folder, slices).affine[:3, 0]
    except Irregular:
        return slices[0].thickness_mm
    except Refused:
        return slices[0].thickness_mm if parts_of(scan) else None
    return slices[0].thickness_mm or round(float(np.linalg.norm(step)), 6)


def _readable(scans: list[Path | Series]) -> list[Path | Series]:
    """The only one that can be read, if the numbers of the others differ from its own; else all.

    A slice whose series UID was damaged keeps its number: it is never left out.
    """
    readable = [scan for scan in scans if isinstance(scan, Path) or _thickness_mm(scan)]
    if len(readable) != 1 or isinstance(readable[0], Path):
        return scans
    number = readable[0].slices[0].series_number
    others = [scan for scan in scans if isinstance(scan, Series) and scan is not readable[0]]
    numbers = {series.slices[0].series_number for series in others}
    return scans if number is None or numbers & {number, None} else [*readable]


def _left_out(tree: Tree, scan: Path | Series, series: str | None) -> list[str]:
    """Notes on what is not part of the scan; of other series not if ``series`` named it."""
    others = [other.words for other in tree.series if other is not scan]
    notes = [f"left out: {len(others)} other series ({listed(others)})"] if others else []
    if series is not None and series not in BY_THICKNESS:
        notes = []
    odd = tree.broken if series is None else []
    if isinstance(scan, Series) and series is not None:
        odd = tree.odd_beside(scan)
    names = [file.name for file, _ in odd]
    return [*notes, f"ignored: files that are no images ({listed(names)})"] if names else notes


def _no_scan(tree: Tree) -> Refused:
    if tree.broken:
        return tree.broken[0][1]
    if tree.series:
        images = Counter(image.kind for series in tree.series for image in series.slices)
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(images.items()))
        found = f"no slices: {kinds} among {images.total()} images"
        return refused(tree.path, found, "a scan", "name another folder")
    folders = sum(p.is_dir() for p in tree.path.iterdir()) if tree.path.is_dir() else 0
    inside = f"no files of a scan, {folders} folders" if folders else nothing_in(tree.path)
    expected = "the DICOM files of one series"
    return refused(tree.path, inside, expected, "name the series' own folder")


def _ambiguous(tree: Tree, series: str | None, found: list[Path | Series]) -> Refused:
    """A refusal to guess, with the names to choose from."""
    named = [(n, scan) for n, scan in zip(tree.names(), tree.scans) if not found or scan in found]
    each = [name if isinstance(scan, Path) else f"{name} ({scan.words})" for name, scan in named]
    what = "series" if all(isinstance(scan, Series) for _, scan in named) else "scans"
    words = f"{len(named)} {what}: {listed(each)}"
    if series is not None:
        words = f"no series {series!r}, but {words}" if not found else f"{series!r} is {words}"
    advice = f"choose one, as in series {named[0][0]}, or put each into a folder of its own"
    return refused(tree.path, words, "one", advice, error=AmbiguousError)
