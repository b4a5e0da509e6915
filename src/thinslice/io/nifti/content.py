"""Open a NIfTI file: its header, and as many bytes of voxels as the header promises.

A gzip is read to its end, because only then its checksum is checked; of what it holds no more than
the header promises is kept. Name and content may disagree about gzip: the content is believed.
A pair is a header (.hdr) and its voxels (.img) in two files.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

import nibabel as nib
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from thinslice.errors import Refused, refused
from thinslice.io import gzip_streams
from thinslice.io.nifti.header import refuse_impossible, voxels_in

SUFFIXES = (".nii", ".nii.gz")  # in small or capital letters
HEADER, VOXELS = ".hdr", ".img"  # of a pair
FORMS = {348: nib.Nifti1Image, 540: nib.Nifti2Image}  # by size of header
PAIRS = {348: nib.Nifti1Pair, 540: nib.Nifti2Pair}
MAGIC_AT, OFFSET_AT = {348: 344, 540: 4}, {348: (108, "f"), 540: (168, "q")}
EXTENSION = 4  # bytes behind the header that say whether it is extended
PIECE = 1 << 24  # bytes read at once
BROKEN = (
    *gzip_streams.BROKEN,
    OSError,
    ValueError,
    OverflowError,
    TypeError,
    struct.error,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


class Content(NamedTuple):
    """Header, stored values with their scaling, and what was odd about the file."""

    header: nib.Nifti1Header
    stored: ArrayProxy
    notes: list[str]


def is_nifti(path: Path) -> bool:
    """Whether the name is that of a NIfTI file, in small or capital letters."""
    return path.name.lower().endswith(SUFFIXES)


def pair_of(path: Path) -> tuple[Path, Path] | None:
    """Header and voxels of the pair that ``path`` is one half of; None where it is none."""
    for header, voxels in ((HEADER, VOXELS), (HEADER.upper(), VOXELS.upper())):
        if path.suffix in (header, voxels):
            both = path.with_suffix(header), path.with_suffix(voxels)
            return both if all(half.is_file() for half in both) else None
    return None


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of the image at ``path``, sorted."""
    return pair_of(path) or (path,)


def opened(path: Path) -> Content:
    """Header and values, not scaled yet; Refused if it is not one whole NIfTI file or pair."""
    _refuse_names(path)
    with _explained(path):
        pair = pair_of(path)
        return _pair(*pair) if pair else _single(path)


def header_of(path: Path) -> nib.Nifti1Header:
    """The header alone, as ``opened`` reads it."""
    _refuse_names(path)
    with _explained(path), _plain(files_of(path)[0]) as file:
        return _repaired(_header(path, file, FORMS if pair_of(path) is None else PAIRS)[1])


def _single(path: Path) -> Content:
    """The header, then as many bytes as it promises, then the rest, which is dropped."""
    with _plain(path) as file:
        start, header = _header(path, file, FORMS)
        voxels = header.get_data_dtype().itemsize * voxels_in(header)
        begin, assumed = int(header["vox_offset"]), len(start) + EXTENSION
        content = io.BytesIO(start)
        _fill(content, file, (begin or assumed) + voxels)
        rest = _dropped(file)
    notes = []
    if begin == 0:
        size = content.tell() + rest
        notes = [_offset_by_size(path, content, size, assumed, voxels)]
        begin = assumed
    if content.tell() < begin + voxels:
        found = f"a truncated file: {content.tell()} bytes when unpacked, with header"
        raise refused(path, found, f"{begin + voxels}", "copy or export it again")
    content.seek(0)
    image = FORMS[len(start)].from_stream(content)
    return Content(_repaired(header), cast(ArrayProxy, image.dataobj), notes)


def _offset_by_size(path: Path, content: io.BytesIO, size: int, assumed: int, voxels: int) -> str:
    """Correct an offset of 0 where the file's size proves that voxels follow the header."""
    if size != assumed + voxels or content.getvalue()[assumed - EXTENSION : assumed] != bytes(4):
        found = f"voxels at byte 0, inside the header, in {size} bytes"
        expected = f"an offset, or {assumed + voxels} bytes: header, extension flag and voxels"
        raise refused(path, found, expected, "export it again")
    at, form = OFFSET_AT[assumed - EXTENSION]
    order = "<" if content.getvalue()[:4] == struct.pack("<i", assumed - EXTENSION) else ">"
    content.seek(at)
    content.write(struct.pack(order + form, assumed))
    content.seek(0, io.SEEK_END)
    return f"vox_offset is 0; by the size of the file the voxels begin at byte {assumed}"


def _pair(path: Path, voxels_path: Path) -> Content:
    with _plain(path) as file:
        _, header = _header(path, file, PAIRS)
    promised = header.get_data_offset() + header.get_data_dtype().itemsize * voxels_in(header)
    content = io.BytesIO()
    with _plain(voxels_path) as file:
        _fill(content, file, promised)
        _dropped(file)
    if content.tell() < promised:
        found = f"truncated voxels: {content.tell()} bytes of {voxels_path.name} when unpacked"
        raise refused(path, found, f"{promised}", "copy or export it again")
    header = _repaired(header)
    return Content(header, ArrayProxy(content, header), [])


def _header(path: Path, file: IO[bytes], forms: dict) -> tuple[bytes, nib.Nifti1Header]:
    """The bytes of a header and what they mean; Refused for other files and other kinds."""
    start = file.read(4)
    head = {int.from_bytes(start, order) for order in ("little", "big")} & FORMS.keys()
    if not head:
        size = len(start) + _dropped(file)
        found = f"{size} bytes that do not begin as NIfTI"
        raise refused(path, found, "a NIfTI-1 or NIfTI-2 header", "export it again")
    size = head.pop()
    start += file.read(size - 4)
    header = forms[size].header_class.from_fileobj(io.BytesIO(start), check=False)
    magic = start[MAGIC_AT[size] :][:3]
    if forms is PAIRS and magic in (b"\0\0\0", b"", b"n+1", b"n+2"):
        kind = "an Analyze 7.5 header" if b"+" not in magic else "the header of a single file"
        found, advice = f"{kind}, which is no half of a NIfTI pair", "convert it to .nii.gz"
        raise refused(path, found, "NIfTI, which says where the scan lies", advice)
    if forms is FORMS and magic in (b"ni1", b"ni2"):
        found = "the header of a pair, whose voxels are in another file"
        raise refused(path, found, "header and voxels", "name it .hdr, beside its .img")
    refuse_impossible(path, header)
    return start, header


def _repaired(header: nib.Nifti1Header) -> nib.Nifti1Header:
    """The header with nibabel's usual repairs (a qfac of 0), its voxel sizes as they are."""
    pixdim = header["pixdim"][1:4].copy()
    header.check_fix()
    header["pixdim"][1:4] = pixdim
    return header


def _fill(content: io.BytesIO, file: IO[bytes], size: int) -> None:
    """Read on, up to ``size`` bytes in all."""
    content.seek(0, io.SEEK_END)
    while (more := size - content.tell()) > 0 and (piece := file.read(min(more, PIECE))):
        content.write(piece)


def _dropped(file: IO[bytes]) -> int:
    """Count the bytes to the end of a file; reading a gzip verifies its checksum."""
    count = 0
    while piece := file.read(PIECE):
        count += len(piece)
    return count


def _plain(path: Path) -> IO[bytes]:
    """A file as it is when unpacked, whatever its name says."""
    file = path.open("rb")
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(IO[bytes], gzip_streams.unpacked(file)) if packed else file


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what reading a broken file raises into a refusal of ``path``."""
    try:
        yield
    except (PermissionError, FileNotFoundError, Refused):
        raise
    except BROKEN as error:
        found = f"a truncated or corrupt file ({path.stat().st_size} bytes: {error})"
        raise refused(path, found, "a whole NIfTI file", "copy or export it again") from error


def _refuse_names(path: Path) -> None:
    if path.is_dir():
        inside = ", ".join(sorted(p.name for p in path.iterdir())[:1]) or "nothing"
        found = f"a folder (holding {inside})"
        raise refused(path, found, "a NIfTI file", "name the file inside it")
    if path.suffix.lower() in (HEADER, VOXELS) and pair_of(path) is None:
        found = "half of a pair"
        raise refused(path, found, f"{HEADER} and {VOXELS} beside each other", "copy both")
    if not is_nifti(path) and pair_of(path) is None:
        raise refused(path, f"the name {path.name!r}", "a .nii or .nii.gz file", "convert it")
