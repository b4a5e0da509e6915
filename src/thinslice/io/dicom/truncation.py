"""Check that a DICOM file holds all the pixels that its header promises, without decoding.

A file cut short, or labelled with a transfer syntax that is not its own, is known by the lengths
alone: of plain pixels by rows times columns, of compressed ones by their fragments.
"""

import io
import struct
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pydicom.valuerep import VR

from thinslice.errors import refused
from thinslice.io.dicom.opened import syntax_of

MOST_PIXELS = 16384  # along a side: no scanner's slice is larger
TYPES = {*VR, "??"}  # some software writes question marks
OPEN_END = 0xFFFFFFFF  # the length of compressed pixels: until the delimiter
GREY = ("MONOCHROME1", "MONOCHROME2")
WHOLE_BITS = (8, 16, 32)
ITEM, DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
PIXELS = {
    (0x7FE0, 0x0008): 32,
    (0x7FE0, 0x0009): 64,
    (0x7FE0, 0x0010): 0,
}  # tag: bits, 0: as stated


def refuse_cut(path: Path, file: BinaryIO, data: FileDataset) -> None:
    """Refuse pixels that are absent, too few, or not of the kind that the header states.

    file   open at the end of the header, as pydicom leaves it
    """
    _known_types(path, data)
    shape = _sane(path, data)
    syntax = syntax_of(data)
    if syntax == DeflatedExplicitVRLittleEndian:
        return  # lengths are known once it is inflated: the reader will see
    order = "<" if syntax.is_little_endian else ">"
    start, size = file.tell(), file.seek(0, io.SEEK_END)
    file.seek(start)
    tag = struct.unpack(f"{order}HH", _exactly(file, 4) or bytes(4))
    if tag not in PIXELS:
        raise refused(path, "no pixel data", "an image", "copy or export it again")
    length = _length(file, order, implicit=syntax.is_implicit_VR)
    if syntax.is_compressed != (length == OPEN_END):
        kind = "compressed" if length == OPEN_END else "plain"
        found = f"{kind} pixels under the transfer syntax {syntax.name}"
        raise refused(path, found, "what its header says", "export it again")
    bits = PIXELS[tag] or int(data.get("BitsAllocated", 0))
    needed = (shape[0] * shape[1] * shape[2] * bits + 7) // 8
    if not syntax.is_compressed:
        n_bytes = min(length, size - file.tell())
        if n_bytes < needed:
            found = f"{n_bytes} bytes of pixels (the file has {size})"
            expected = f"{needed} for {shape[1]} rows x {shape[2]} columns"
            raise refused(path, found, expected, "copy or export it again")
    elif not _fragments_fit(file, order, size):
        found = f"compressed pixels cut short (the file has {size} bytes, {size - start} of pixels)"
        raise refused(path, found, "whole fragments", "copy or export it again")


def _known_types(path: Path, data: FileDataset) -> None:
    """A damaged type makes a decoder mistake values for lengths, and lengths for gigabytes."""
    for part in (data.file_meta, data):
        for element in part.values():
            if element.VR is not None and element.VR not in TYPES:
                found = f"the element {element.tag} of the unknown type {element.VR!r}"
                raise refused(path, found, "types of DICOM", "copy or export it again")


def _sane(path: Path, data: Dataset) -> tuple[int, int, int]:
    """Images, rows, columns; refused beyond what any scanner makes."""
    shape = (
        int(data.get("NumberOfFrames") or 1) * int(data.get("SamplesPerPixel") or 1),
        int(data.Rows),
        int(data.Columns),
    )
    if min(shape) < 1 or max(shape[1:]) > MOST_PIXELS:
        found = f"{shape[1]} rows x {shape[2]} columns"
        raise refused(path, found, f"1 to {MOST_PIXELS} of each", "copy or export it again")
    grey, allocated, stored, high, sign = stored_as(data)
    fits = 1 <= stored <= high + 1 <= allocated and allocated in WHOLE_BITS and sign in (0, 1)
    floats = "FloatPixelData" in data or "DoubleFloatPixelData" in data
    if grey not in GREY or "SamplesPerPixel" not in data or not (fits or floats):
        found = f"pixels stored as {grey or 'nothing'}, {stored} of {allocated} bits up to {high}"
        raise refused(path, found, "grey values, as DICOM stores them", "export it again")
    return shape


def stored_as(data: Dataset) -> tuple[str, int, int, int, int]:
    """Photometric interpretation, bits allocated and stored, high bit, sign; -1: not stated."""
    words = ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")
    a, b, c, d = (int(data.get(word, -1)) for word in words)
    return str(data.get("PhotometricInterpretation", "")), a, b, c, d


def _length(file: BinaryIO, order: str, *, implicit: bool) -> int:
    """Length of the pixel data; an explicit VR has two letters and two bytes before it."""
    head = _exactly(file, 4 if implicit else 8)
    return struct.unpack(f"{order}L", head[-4:])[0] if head else 0


def _fragments_fit(file: BinaryIO, order: str, size: int) -> bool:
    """Whether every fragment ends inside the file; a missing delimiter is accepted."""
    fragments = 0
    while head := _exactly(file, 8):
        group, element, length = struct.unpack(f"{order}HHL", head)
        if (group, element) != ITEM:
            return (group, element) == DELIMITER and fragments > 1
        fragments += 1  # the first is the table of offsets
        if file.seek(length, 1) > size:
            return False
    return fragments > 1


def _exactly(file: BinaryIO, count: int) -> bytes:
    """So many bytes, or none at the end of the file."""
    head = file.read(count)
    return head if len(head) == count else b""
