"""Read a scan: a NIfTI file, DICOM files in a folder or below it, or a zip of either.

A folder or a zip may hold more than the scan. Localizers, captures and reports are never read as
scans. Of several scans none is read unless ``series`` names it: nothing is guessed.
"""

from collections import Counter
from pathlib import Path

from thinslice.errors import Refused, in_one_line, listed, refused
from thinslice.io import zip_folder
from thinslice.io.dicom.headers import files_of
from thinslice.io.dicom.read import of_slices
from thinslice.io.dicom.slice_order import stack_of
from thinslice.io.folder import Series, Tree, files_below, look
from thinslice.io.nifti.content import SUFFIXES
from thinslice.io.nifti.read import read_nifti
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality


def read_scan(
    path: Path | str,
    *,
    series: str | int | None = None,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
) -> LoadedScan:
    """The scan at ``path``: .nii or .nii.gz, a DICOM file or folder, or a .zip of any of these.

    series         which scan of a folder or zip with several: the number that ``inspect`` prints
                   (SeriesNumber), or SeriesInstanceUID; of a NIfTI its path below the folder
    thickness_mm   declared; None: what the format knows (NIfTI: the increment)
    unit_window    HU that 0 and 1 stand for; for NIfTI only, DICOM has its own rescale
    modality       declared; None: as DICOM states, CT for NIfTI

    Without ``series`` a folder with one scan is read, whatever else it holds. An unreadable series
    beside it (one image of a bolus tracker) is left out, with a note, if its number shows that it
    is another series. Refused, in one line, for anything that cannot be read exactly.
    """
    path = Path(path)

    def plain(at: Path) -> LoadedScan:
        if at.name.endswith(SUFFIXES):
            return read_nifti(
                at, thickness_mm=thickness_mm, unit_window=unit_window, modality=modality or "CT"
            )
        tree = look(at)
        scan, notes = _chosen(tree, None if series is None else str(series).strip())
        if isinstance(scan, Path):
            loaded = plain(scan)
        else:
            for _, refusal in tree.broken_beside(scan):
                raise refusal
            loaded = of_slices(
                scan.folder, scan.slices, thickness_mm=thickness_mm, modality=modality
            )
        loaded.source["warnings"] += notes
        return loaded

    with in_one_line(path):
        if not path.exists():
            raise refused(path, "nothing there", "a NIfTI file or a DICOM folder", "check the path")
        if not zip_folder.is_zip(path):
            return plain(path)
        with zip_folder.unpacked(path) as folder:
            return zip_folder.from_zip(path, folder, plain(folder))


def scan_files(path: Path | str) -> tuple[Path, ...]:
    """Every file that ``read_scan`` would open, sorted; nothing is read."""
    path = Path(path)
    if path.name.endswith(SUFFIXES) or zip_folder.is_zip(path) or not path.is_dir():
        return (path,) if path.name.endswith(SUFFIXES) else files_of(path)
    return tuple(files_below(path)) or files_of(path)


def _chosen(tree: Tree, series: str | None) -> tuple[Path | Series, list[str]]:
    """The scan that ``series`` names, or the only one; and notes on what else there is."""
    scans = tree.scans
    if not scans:
        raise _no_scan(tree)
    if series is None:
        chosen = scans if len(scans) == 1 else _readable(scans)
    else:
        named = zip(scans, tree.names())
        chosen = [scan for scan, name in named if series in _all_names(scan, name)]
    if len(chosen) != 1:
        raise _ambiguous(tree, series, chosen)
    return chosen[0], _left_out(tree, chosen[0], series)


def _all_names(scan: Path | Series, name: str) -> tuple[str, ...]:
    if isinstance(scan, Path):
        return (name,)
    first = scan.slices[0]
    return (name, first.series, str(first.series_number))


def _readable(scans: list[Path | Series]) -> list[Path | Series]:
    """The only one that can be read, if the numbers of the others differ from its own; else all.

    A slice whose series UID was damaged keeps its number: it is never left out.
    """
    readable = [scan for scan in scans if isinstance(scan, Path) or _makes_a_stack(scan)]
    if len(readable) != 1 or isinstance(readable[0], Path):
        return scans
    number = readable[0].slices[0].series_number
    others = [scan for scan in scans if isinstance(scan, Series) and scan is not readable[0]]
    numbers = {series.slices[0].series_number for series in others}
    return scans if number is None or numbers & {number, None} else [*readable]


def _makes_a_stack(series: Series) -> bool:
    try:
        stack_of(series.folder, series.slices)
    except Refused:
        return False
    return True


def _left_out(tree: Tree, scan: Path | Series, series: str | None) -> list[str]:
    """Notes on what is not part of the scan, unless ``series`` named it."""
    if series is not None:
        return []
    others = [other.words for other in tree.series if other is not scan]
    notes = [f"left out: {len(others)} other series ({listed(others)})"] if others else []
    names = [file.name for file, _ in tree.broken]
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
    inside = f"no files of a scan, {folders} folders" if folders else "no files"
    expected = "the DICOM files of one series"
    return refused(tree.path, inside, expected, "name the series' own folder")


def _ambiguous(tree: Tree, series: str | None, chosen: list[Path | Series]) -> Refused:
    """A refusal to guess, with the names to choose from."""
    named = [(n, scan) for n, scan in zip(tree.names(), tree.scans) if not chosen or scan in chosen]
    each = [name if isinstance(scan, Path) else f"{name} ({scan.words})" for name, scan in named]
    what = "series" if all(isinstance(scan, Series) for _, scan in named) else "scans"
    found = f"{len(named)} {what}: {listed(each)}"
    if series is not None:
        found = f"no series {series!r}, but {found}" if not chosen else f"{series!r} is {found}"
    advice = f"choose one, as in series {named[0][0]}, or put each into a folder of its own"
    return refused(tree.path, found, "one", advice)
