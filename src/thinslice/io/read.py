"""Read a scan: a NIfTI file, DICOM files in a folder or below it, or a zip of either.

A folder or a zip may hold more than the scan. Localizers, captures and reports are never read as
scans. Of several scans none is read unless ``series`` names it: nothing is guessed.
"""

from pathlib import Path

from thinslice.errors import in_one_line, refused
from thinslice.io import images, zip_folder
from thinslice.io.chosen import chosen
from thinslice.io.dicom.headers import files_of
from thinslice.io.dicom.read import of_slices
from thinslice.io.folder import files_below, look
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality


def read_scan(
    path: Path | str,
    *,
    series: str | int | None = None,
    acquisition: str | int | None = None,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
) -> LoadedScan:
    """The scan at ``path``: .nii or .nii.gz, a DICOM file or folder, or a .zip of any of these.

    series         which scan of a folder or zip with several: the number that ``inspect`` prints
                   (SeriesNumber), or SeriesInstanceUID; of a NIfTI its path below the folder;
                   "thickest" or "thinnest" of the DICOM series
    acquisition    which acquisition of a series with several (phases, passes, energies), as
                   ``inspect`` prints it; "all": the whole series, whatever its tags say
    thickness_mm   declared; None: what the format knows (NIfTI: the increment)
    unit_window    HU that 0 and 1 stand for; for NIfTI only, DICOM has its own rescale
    modality       declared; None: as DICOM states, CT for NIfTI

    Without ``series`` a folder with one scan is read, whatever else it holds. An unreadable series
    beside it (one image of a bolus tracker) is left out, with a note, if its number shows that it
    is another series. Refused, in one line, for anything that cannot be read exactly.
    """
    path = Path(path)

    def plain(at: Path) -> LoadedScan:
        if images.format_of(at):
            return images.read_image(
                at, thickness_mm=thickness_mm, unit_window=unit_window, modality=modality
            )
        tree = look(at)
        scan, notes = chosen(tree, _text(series), _text(acquisition))
        if isinstance(scan, Path):
            loaded = plain(scan)
        else:
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
    if images.format_of(path):
        return images.files_of(path)
    if zip_folder.is_zip(path) or not path.is_dir():
        return files_of(path)
    below = files_below(path)
    images_below = [file for file in below if images.format_of(file)]
    return tuple(sorted({*below, *(f for i in images_below for f in images.files_of(i))})) or (
        files_of(path)
    )


def _text(choice: str | int | None) -> str | None:
    return None if choice is None else str(choice).strip()
