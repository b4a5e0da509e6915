"""Read NRRD scans by ITK, with their exact position: .nrrd, or .nhdr beside its data.

NRRD knows no modality and no unit of its values, so both are declared by who reads. A file without
a space (its axes' place in the patient) is refused: ITK would make one up.
"""

from pathlib import Path

import numpy as np
import SimpleITK

from thinslice.errors import refused
from thinslice.io.orientation import place
from thinslice.io.padding import settled
from thinslice.io.scan import LoadedScan, source_without_scanner
from thinslice.volume import Modality, Volume

SUFFIXES = (".nrrd", ".nhdr")
SPACES = ("left-posterior-superior", "right-anterior-superior", "left-anterior-superior")


def read_nrrd(
    path: Path | str,
    *,
    modality: Modality,
    thickness_mm: float | None = None,
    through_plane: int | None = None,
) -> LoadedScan:
    """One NRRD volume [Z, Y, X]; CT must be HU.

    thickness_mm    None: equal to the increment, and ``source`` says so
    through_plane   the file's slice axis, 0 the fastest; None: as ``frame.place`` finds it

    Raises Refused for broken files, for anything but one 3-D volume, and for files that do not say
    where they lie.
    """
    path = Path(path)
    image = _image(path)
    affine, shape = _affine(image), image.GetSize()
    placed = place(path, affine, shape, thickness_mm=thickness_mm, through_plane=through_plane)
    voxels = np.empty(placed.grid.zyx, np.float32)
    placed.file_view(voxels)[...] = SimpleITK.GetArrayViewFromImage(image).transpose(2, 1, 0)
    bad = voxels.size - int(np.isfinite(voxels).sum())
    if bad:
        found = f"{bad} voxels that are NaN or infinite, of {voxels.size}"
        raise refused(path, found, "finite values", "fix them where they arose")
    volume, notes = settled(path, Volume(voxels, placed.grid, modality))
    source = {
        **source_without_scanner("NRRD", modality, thickness_mm),
        "space": image.GetMetaData("NRRD_space"),
        "slice_axis": placed.order[0],
        "stored_as": image.GetPixelIDTypeAsString(),
        "warnings": notes,
    }
    return LoadedScan(volume, source, files(path))


def shape_of(path: Path | str) -> tuple[int, ...]:
    """Voxels along the file's axes, fastest first; Refused as in ``read``, pixels not looked at."""
    return tuple(_header(Path(path)).GetSize())


def files(path: Path) -> tuple[Path, ...]:
    """The file, and the data file that a detached header (.nhdr) names beside itself."""
    if path.suffix != ".nhdr":
        return (path,)
    lines = path.read_bytes().split(b"\n\n")[0].decode(errors="replace").splitlines()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("data file:")]
    data = path.parent / (named[0] if named else "")
    if not named or not data.is_file():
        raise refused(path, f"no data file {named}", "it beside the header", "copy both")
    return (path, data)


def _image(path: Path) -> SimpleITK.Image:
    _header(path)
    try:
        return SimpleITK.ReadImage(str(path), imageIO="NrrdImageIO")
    except RuntimeError as error:
        raise _broken(path, error) from error


def _header(path: Path) -> SimpleITK.ImageFileReader:
    if not path.is_file() or path.suffix not in SUFFIXES:
        raise refused(path, "no such NRRD", "a .nrrd or .nhdr file", "check the path")
    files(path)
    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO("NrrdImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _broken(path, error) from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        found = f"{reader.GetDimension()}-D data, {reader.GetNumberOfComponents()} values per voxel"
        raise refused(path, found, "one 3-D volume of numbers", "name the scan, not its derivative")
    space = reader.GetMetaData("NRRD_space") if reader.HasMetaDataKey("NRRD_space") else "none"
    if space not in SPACES:
        advice = "write its header anew, with space directions and origin"
        raise refused(path, f"space {space}", f"one of {', '.join(SPACES)}", advice)
    return reader


def _affine(image: SimpleITK.Image) -> np.ndarray:
    """4x4, file index to patient LPS, mm, as ITK holds it."""
    affine = np.eye(4)
    axes = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = axes * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def _broken(path: Path, error: RuntimeError) -> Exception:
    reason = str(error).strip().splitlines()[-1].strip()
    found = f"a broken NRRD ({path.stat().st_size} bytes; {reason})"
    return refused(path, found, "a whole one", "copy or export it again")
