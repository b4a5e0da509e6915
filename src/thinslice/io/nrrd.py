"""Read NRRD scans by ITK, with their exact position: .nrrd, or .nhdr beside its data.

NRRD knows no modality and no unit of its values, so both are declared by who reads. A file without
a space (its axes' place in the patient) is refused: ITK would make one up. So are segmentations,
and values that were stored in steps (``old min``): ITK would not scale them back. The checksum of
packed voxels is verified here: ITK gives wrong values where it does not hold.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from thinslice.errors import refused
from thinslice.io import gzip_streams, itk
from thinslice.io.label_map import ADVICE
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality

if TYPE_CHECKING:
    import SimpleITK

SUFFIXES = (".nrrd", ".nhdr")
SPACES = ("left-posterior-superior", "right-anterior-superior", "left-anterior-superior")
ITK = "NrrdImageIO", "NRRD"
HEADER_BYTES = 1 << 20
PIECE = 1 << 22  # bytes unpacked at once
SKIPS = ("line skip", "lineskip", "byte skip", "byteskip")


def read_nrrd(
    path: Path | str,
    *,
    modality: Modality,
    thickness_mm: float | None = None,
    through_plane: int | None = None,
    unit_window: tuple[float, float] | None = None,
) -> LoadedScan:
    """One NRRD volume [Z, Y, X]; CT must be HU.

    thickness_mm    None: equal to the increment, and ``source`` says so
    through_plane   the file's slice axis, 0 the fastest; None: as ``frame.place`` finds it
    unit_window     (low, high) HU that 0 and 1 stand for, for files that hold [0, 1] floats

    Raises Refused for broken files, for anything but one 3-D volume, for label maps, and for files
    that do not say where they lie.
    """
    path = Path(path)
    _header(path)
    _refuse_corrupt(path, fields(path))
    image = itk.opened(path, *ITK)
    about = {"format": "NRRD", "space": image.GetMetaData("NRRD_space")}
    return itk.scan_of(
        path, image, about, modality=modality, thickness_mm=thickness_mm,
        through_plane=through_plane, unit_window=unit_window, files=files(path),
    )  # fmt: skip


def shape_of(path: Path | str) -> tuple[int, ...]:
    """Voxels along the file's axes, fastest first; Refused as in ``read``, pixels not looked at."""
    return tuple(_header(Path(path)).GetSize())


def files(path: Path) -> tuple[Path, ...]:
    """The file, and the data file that a detached header (.nhdr) names beside itself."""
    if path.suffix.lower() != ".nhdr":
        return (path,)
    named = fields(path).get("data file", fields(path).get("datafile", ""))
    data = path.parent / named
    if not named or not data.is_file():
        raise refused(path, f"no data file {[named]}", "it beside the header", "copy both")
    return tuple(sorted((path, data)))


def fields(path: Path) -> dict[str, str]:
    """The fields and key/value pairs of the header, their names in lower case."""
    with path.open("rb") as file:
        text = file.read(HEADER_BYTES).replace(b"\r\n", b"\n").split(b"\n\n")[0]
    lines = [line for line in text.decode(errors="replace").splitlines() if ":" in line]
    parts = (line.split(":", 1) for line in lines if not line.startswith("#"))
    return {key.strip().lower(): value.lstrip("=").strip() for key, value in parts}


def _header(path: Path) -> "SimpleITK.ImageFileReader":
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise refused(path, "no such NRRD", "a .nrrd or .nhdr file", "check the path")
    files(path)
    _refuse_meaning(path, fields(path))
    reader = itk.header_of(path, *ITK)
    space = reader.GetMetaData("NRRD_space") if reader.HasMetaDataKey("NRRD_space") else "none"
    if space not in SPACES:
        advice = "write its header anew, with space directions and origin"
        raise refused(path, f"space {space}", f"one of {', '.join(SPACES)}", advice)
    return reader


def _refuse_corrupt(path: Path, stated: dict[str, str]) -> None:
    """Refuse packed voxels whose checksum does not hold: the decoder would not look at it."""
    encoding = stated.get("encoding", "none").lower()
    if encoding == "raw":
        return
    skipped = [key for key in SKIPS if float(stated.get(key, "0")) != 0]
    if encoding not in ("gzip", "gz") or skipped:
        found = f"encoding {encoding}{' with ' + skipped[0] if skipped else ''}"
        raise refused(path, found, "raw or gzip", "save it again, for example in 3D Slicer")
    data = next((file for file in files(path) if file != path), path)
    try:
        with data.open("rb") as file:
            file.seek(_header_bytes(path) if data == path else 0)
            with gzip_streams.unpacked(file) as packed:
                while packed.read(PIECE):
                    pass
    except (OSError, *gzip_streams.BROKEN) as error:
        found = f"a broken NRRD (voxels in {data.name}: {error})"
        raise refused(path, found, "a whole one", "copy or export it again") from error


def _header_bytes(path: Path) -> int:
    """Where the voxels begin: behind the first empty line."""
    with path.open("rb") as file:
        for line in iter(file.readline, b""):
            if not line.strip():
                break
        return file.tell()


def _refuse_meaning(path: Path, stated: dict[str, str]) -> None:
    """Refuse what the fields of a header say that the decoder would not heed."""
    if any(key.startswith(("segment0_", "segmentation_")) for key in stated):
        raise refused(path, "a segmentation", "a scan", ADVICE)
    if missing := {"space", "space directions", "space origin"} - stated.keys():
        if stated:
            found = f"space {stated.get('space', 'none')}, without {', '.join(sorted(missing))}"
            advice = "write its header anew, with space directions and origin"
            raise refused(path, found, f"one of {', '.join(SPACES)}", advice)
    units = stated.get("space units", '"mm"').replace('"', " ").split()
    if set(units) - {"mm", "???"}:
        raise refused(path, f"lengths in {' '.join(units)}", "mm", "write its header anew")
    for key in ("old min", "oldmin", "old max", "oldmax"):
        if key in stated:
            found = f"values stored in steps ({key} {stated[key]})"
            raise refused(path, found, "values as they are", "export it without quantisation")
