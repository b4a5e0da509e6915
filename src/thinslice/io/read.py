"""Read a scan: a NIfTI file, DICOM files in a folder or below it, or a zip of either.

A folder or a zip may hold more than the scan. Localizers, captures and reports are never read as
scans. Of several scans none is read unless ``series`` names it: nothing is guessed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, overload

from thinslice.errors import in_one_line, refused
from thinslice.io import images, zip_folder
from thinslice.io.acquired import AcquiredScan
from thinslice.io.chosen import chosen
from thinslice.io.dicom.read import as_acquired_slices, of_slices
from thinslice.io.folder import look
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality


@overload
def read_scan(
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
def read_scan(
    path: Path | str,
    *,
    series: str | int | None = ...,
    acquisition: str | int | None = ...,
    thickness_mm: float | None = ...,
    unit_window: tuple[float, float] | None = ...,
    modality: Modality | None = ...,
    as_acquired: bool,
) -> LoadedScan | AcquiredScan: ...


def read_scan(
    path: Path | str,
    *,
    series: str | int | None = None,
    acquisition: str | int | None = None,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
    as_acquired: bool = False,
) -> LoadedScan | AcquiredScan:
    """The scan at ``path``: an image, a DICOM file or folder, or a .zip of any of these.

    series         which scan of a folder or zip with several: the number that ``inspect`` prints
                   (SeriesNumber), its UID, "thickest", "thinnest"; of an image its path below it
    acquisition    which acquisition of a series with several (phases, passes, energies), as
                   ``inspect`` prints it; "all": the whole series, whatever its tags say
    thickness_mm   declared; None: what the file or its sidecar states, else the increment
    unit_window    HU that 0 and 1 stand for; for images only, DICOM has its own rescale
    modality       declared; None: as DICOM or the sidecar states, else CT
    as_acquired    read a DICOM series that is tilted, unevenly spaced or of mixed thickness as an
                   ``AcquiredScan``; what is regular is read as without it

    Without ``series`` a folder with one scan is read, whatever else it holds. An unreadable series
    beside it (one image of a bolus tracker) is left out, with a note, if its number shows that it
    is another series. Refused, in one line, for anything that cannot be read exactly.
    """
    path, reader = Path(path), as_acquired_slices if as_acquired else of_slices

    def plain(at: Path) -> LoadedScan | AcquiredScan:
        if images.format_of(at):
            return images.read_image(
                at, thickness_mm=thickness_mm, unit_window=unit_window, modality=modality
            )
        tree = look(at)
        scan, notes = chosen(tree, _text(series), _text(acquisition), as_acquired=as_acquired)
        if isinstance(scan, Path):
            loaded = plain(scan)
        else:
            loaded = reader(*scan[:2], thickness_mm=thickness_mm, modality=modality)
        loaded.source["warnings"] += notes
        loaded.source.update({} if acquisition is None else {"acquisition": str(acquisition)})
        return loaded

    return _unpacked(path, plain)


def _unpacked(
    path: Path, plain: Callable[[Path], LoadedScan | AcquiredScan]
) -> LoadedScan | AcquiredScan:
    """What ``plain`` reads at ``path``, or in the folder that a zip unpacks to."""
    with in_one_line(path):
        if not path.exists():
            raise refused(path, "nothing there", "an image or a DICOM folder", "check the path")
        if not zip_folder.is_zip(path):
            return plain(path)
        with zip_folder.unpacked(path) as folder:
            return zip_folder.from_zip(path, folder, plain(folder))


def _text(choice: str | int | None) -> str | None:
    return None if choice is None else str(choice).strip()
