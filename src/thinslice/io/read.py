"""A scan from wherever it lies: a NIfTI file, DICOM files in a folder or below it, or a zip of one.

A folder or a zip may hold more than the scan. Localizers, captures and reports are never taken for
scans. Of several scans none is taken unless ``series`` says which: nothing is guessed.
"""

from collections import Counter
from pathlib import Path

from thinslice.errors import Refused, in_one_line, listed, refused
from thinslice.io import zip_folder
from thinslice.io.dicom.headers import files_of
from thinslice.io.dicom.read import of_slices
from thinslice.io.dicom.slice_order import stack_of
from thinslice.io.folder import Series, Tree, files_below, look
from thinslice.io.nifti.header import SUFFIXES
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
    unit_window    HU that 0 and 1 stand for; speaks of NIfTI only, DICOM carries its own rescale
    modality       declared; None: what DICOM says, CT for NIfTI

    Without ``series`` a folder with one scan is read, whatever else lies there. An unreadable
    series beside it (one image of a bolus tracker) is left out, with a note, if its number says
    that it is another one. Raises Refused in one line for whatever cannot be read exactly.
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
            found = plain(scan)
        else:
            for _, refusal in tree.broken_beside(scan):
                raise refusal
            found = of_slices(
                scan.folder, scan.slices, thickness_mm=thickness_mm, modality=modality
            )
        found.source["warnings"] += notes
        return found

    with in_one_line(path):
        if not path.exists():
            raise refused(path, "nothing there", "a NIfTI file or a DICOM folder", "check the path")
        if not zip_folder.is_zip(path):
            return plain(path)
        with zip_folder.unpacked(path) as folder:
            return zip_folder.told(path, folder, plain(folder))


def scan_files(path: Path | str) -> tuple[Path, ...]:
    """Every file that ``read`` would open, sorted; nothing is read."""
    path = Path(path)
    if path.name.endswith(SUFFIXES) or zip_folder.is_zip(path) or not path.is_dir():
        return (path,) if path.name.endswith(SUFFIXES) else files_of(path)
    return tuple(files_below(path)) or files_of(path)


def _chosen(tree: Tree, asked: str | None) -> tuple[Path | Series, list[str]]:
    """The scan that is asked for, or the only one; and what else there is, in words."""
    scans = tree.scans
    if not scans:
        raise _no_scan(tree)
    if asked is None:
        taken = scans if len(scans) == 1 else _readable(scans)
    else:
        taken = [one for one, name in zip(scans, tree.names()) if asked in _answers(one, name)]
    if len(taken) != 1:
        raise _which(tree, asked, taken)
    return taken[0], _left_out(tree, taken[0], asked)


def _answers(scan: Path | Series, name: str) -> tuple[str, ...]:
    if isinstance(scan, Path):
        return (name,)
    first = scan.slices[0]
    return (name, first.series, str(first.series_number))


def _readable(scans: list[Path | Series]) -> list[Path | Series]:
    """The only one that can be read, if the others are told from it by their numbers; else all.

    A slice whose series UID was damaged keeps its number: it is never left out.
    """
    readable = [one for one in scans if isinstance(one, Path) or _makes_a_stack(one)]
    if len(readable) != 1 or isinstance(readable[0], Path):
        return scans
    number = readable[0].slices[0].series_number
    others = [one for one in scans if isinstance(one, Series) and one is not readable[0]]
    numbers = {one.slices[0].series_number for one in others}
    return scans if number is None or numbers & {number, None} else [*readable]


def _makes_a_stack(series: Series) -> bool:
    try:
        stack_of(series.folder, series.slices)
    except Refused:
        return False
    return True


def _left_out(tree: Tree, scan: Path | Series, asked: str | None) -> list[str]:
    """What is not part of the scan, unless it was asked for by name."""
    if asked is not None:
        return []
    others = [one.words for one in tree.series if one is not scan]
    notes = [f"left out: {len(others)} other series ({listed(others)})"] if others else []
    names = [file.name for file, _ in tree.broken]
    return [*notes, f"passed over: files that are no images ({listed(names)})"] if names else notes


def _no_scan(tree: Tree) -> Refused:
    if tree.broken:
        return tree.broken[0][1]
    if tree.series:
        images = Counter(one.kind for series in tree.series for one in series.slices)
        kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(images.items()))
        found = f"no slices: {kinds} among {images.total()} images"
        return refused(tree.path, found, "a scan", "name another folder")
    folders = sum(p.is_dir() for p in tree.path.iterdir()) if tree.path.is_dir() else 0
    inside = f"no files of a scan, {folders} folders" if folders else "no files"
    expected = "the DICOM files of one series"
    return refused(tree.path, inside, expected, "name the series' own folder")


def _which(tree: Tree, asked: str | None, taken: list[Path | Series]) -> Refused:
    """Refuse to guess, and say what to say."""
    kept = [(n, one) for n, one in zip(tree.names(), tree.scans) if not taken or one in taken]
    each = [name if isinstance(one, Path) else f"{name} ({one.words})" for name, one in kept]
    what = "series" if all(isinstance(one, Series) for _, one in kept) else "scans"
    found = f"{len(kept)} {what}: {listed(each)}"
    if asked is not None:
        found = f"no series {asked!r}, but {found}" if not taken else f"{asked!r} is {found}"
    advice = f"say which, as in series {kept[0][0]}, or put each into a folder of its own"
    return refused(tree.path, found, "one", advice)
