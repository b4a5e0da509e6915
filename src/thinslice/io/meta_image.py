"""Read MetaImage scans by ITK: .mha, or .mhd beside its data.

The header is read here first: what ITK would make up (a missing position), pass over (units, a
scaling of the values) or read short is refused.
"""

import math
import zlib
from pathlib import Path

from thinslice.errors import refused
from thinslice.io import itk
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality

SUFFIXES = (".mha", ".mhd")
ITK = "MetaImageIO", "MetaImage"
HEADER_BYTES = 1 << 16
PIECE = 1 << 22  # bytes unpacked at once
LAST = "ElementDataFile"  # the line before the voxels
LOCAL = "LOCAL"
SIZES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4,
    "MET_LONG": 4, "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8,
    "MET_FLOAT": 4, "MET_DOUBLE": 8,
}  # fmt: skip
PLACE = {  # each by any of its names
    "TransformMatrix": ("TransformMatrix", "Rotation", "Orientation"),
    "Offset": ("Offset", "Position", "Origin"),
    "ElementSpacing": ("ElementSpacing",),
}
AS_IT_IS = {  # what must be as here, or absent
    "ElementToIntensityFunctionSlope": 1.0,
    "ElementToIntensityFunctionOffset": 0.0,
    "ElementNumberOfChannels": 1.0,
}


def read_meta_image(
    path: Path | str,
    *,
    modality: Modality,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
) -> LoadedScan:
    """One MetaImage volume [Z, Y, X]; CT must be HU.

    thickness_mm    None: equal to the increment, and ``source`` says so
    unit_window     (low, high) HU that 0 and 1 stand for, for files that hold [0, 1] floats

    Raises Refused for broken files, for anything but one 3-D volume, for label maps, and for files
    that do not say where they lie.
    """
    path = Path(path)
    stated, begins = _fields(path)
    _refuse_meaning(path, stated)
    _refuse_short(path, stated, begins)
    image = itk.opened(path, *ITK)
    return itk.scan_of(
        path, image, {"format": "MetaImage"}, modality=modality, thickness_mm=thickness_mm,
        unit_window=unit_window, files=files(path),
    )  # fmt: skip


def files(path: Path) -> tuple[Path, ...]:
    """The file, and the data file that a header names beside itself."""
    named = _fields(path)[0][LAST]
    if named.upper() == LOCAL:
        return (path,)
    data = path.parent / named
    if "%" in named or named.upper().startswith("LIST") or not data.is_file():
        found = f"the data file {named!r}, which is not one file beside it"
        raise refused(path, found, "header and voxels", "copy both, or convert it to .nii.gz")
    return tuple(sorted((path, data)))


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The lines of the header, and the byte where they end."""
    with path.open("rb") as file:
        head, stated, at = file.read(HEADER_BYTES), {}, 0
    while LAST not in stated and (end := head.find(b"\n", at)) >= 0:
        key, equals, value = head[at:end].decode(errors="replace").partition("=")
        at = end + 1
        if not equals:
            break
        if key.strip() in stated:
            found = f"{key.strip()} twice"
            raise refused(path, found, "each line once", "write its header anew")
        stated[key.strip()] = value.strip()
    if LAST not in stated:
        found = f"a broken MetaImage ({path.stat().st_size} bytes without {LAST})"
        raise refused(path, found, "a whole header", "copy or export it again")
    return stated, at


def _refuse_meaning(path: Path, stated: dict[str, str]) -> None:
    """Refuse what the lines of a header say, or leave out, that ITK would not heed."""
    for what, names in PLACE.items():
        if not any(name in stated for name in names):
            advice = "write its header anew, with its orientation and position"
            raise refused(path, f"no {what}: it does not say where it lies", what, advice)
    for key, value in AS_IT_IS.items():
        if key in stated and _number(stated[key]) != value:
            raise refused(path, f"{key} {stated[key]}", f"{value:g}", "export it in plain HU")
    if (skipped := stated.get("HeaderSize", "0")) != "0":
        raise refused(path, f"HeaderSize {skipped}", "0", "convert it to .nii.gz")
    if (unit := stated.get("DistanceUnits", "mm").lower()) not in ("mm", "?"):
        raise refused(path, f"lengths in {unit}", "mm", "write its header anew")
    if stated.get("BinaryData", "True").lower() not in ("true", "1"):
        raise refused(path, "voxels as text", "binary voxels", "convert it to .nii.gz")
    if stated.get("ElementType") not in SIZES:
        found = f"voxels of type {stated.get('ElementType')}"
        raise refused(path, found, "one real number per voxel", "export it in grey values")


def _refuse_short(path: Path, stated: dict[str, str], begins: int) -> None:
    """Refuse other bytes than the header promises: ITK makes up the rest of a packed file."""
    data = next((file for file in files(path) if file != path), path)
    begins = begins if data == path else max(_whole(stated, "HeaderSize"), 0)
    sizes = [int(n) for n in stated.get("DimSize", "").split() if n.isdecimal()]
    promised = math.prod(sizes) * SIZES[stated["ElementType"]]
    packed = stated.get("CompressedData", "False").lower() in ("true", "1")
    try:
        has = _unpacked(data, begins) if packed else data.stat().st_size - begins
    except zlib.error as error:
        found = f"corrupt voxels in {data.name} ({error})"
        raise refused(path, found, "whole ones", "copy or export it again") from error
    if has < promised:
        found = f"a truncated file: {has} bytes of voxels in {data.name}"
        raise refused(path, found, f"{promised}", "copy or export it again")


def _unpacked(data: Path, begins: int) -> int:
    """How many bytes a packed file holds; zlib.error where its checksum does not hold."""
    count, unpacker = 0, zlib.decompressobj()
    with data.open("rb") as file:
        file.seek(begins)
        while not unpacker.eof and (piece := unpacker.unconsumed_tail or file.read(PIECE)):
            count += len(unpacker.decompress(piece, PIECE))
    return count if unpacker.eof else 0


def _whole(stated: dict[str, str], key: str) -> int:
    return int(_number(stated.get(key, "0")))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan if text else 0.0
