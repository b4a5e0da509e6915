"""Decode the stored values of a DICOM image, exactly as its header describes them, or refuse.

Plain pixels are taken from the file, run-length coded ones by pydicom, those of the JPEG family by
GDCM. Whether values shall be SHOWN inverted (MONOCHROME1) does not change them. A codestream has a
header of its own; where it and that of the file allow different values, the image is refused.
"""

from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, RLELossless

from thinslice.errors import Refused, refused
from thinslice.io.dicom import gdcm
from thinslice.io.dicom.bit_field import Field, field_of, overlay_bits, values_in
from thinslice.io.dicom.codestream import Codestream, header_of, is_jpeg_2000
from thinslice.io.dicom.headers import UNREADABLE
from thinslice.io.dicom.opened import elements, opened, syntax_of, without_remarks

FLOATS = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}
AGAIN = "export it again, without compression"


def stored_values(path: Path) -> np.ndarray:
    """Stored values [frame, row, column] of a file, before any rescale; Refused if not exact."""
    try:
        with without_remarks(), opened(path) as file:
            data = elements(file)
            return _values(path, data, syntax_of(data))
    except (Refused, FileNotFoundError, PermissionError):
        raise
    except UNREADABLE as error:
        found = f"pixels that cannot be decoded ({path.stat().st_size} bytes; {error})"
        raise refused(path, found, "a whole image", "copy or export it again") from error


def _values(path: Path, data: FileDataset, syntax: UID) -> np.ndarray:
    shape = (int(data.get("NumberOfFrames") or 1), int(data.Rows), int(data.Columns))
    for keyword, kind in FLOATS.items():
        if keyword in data:
            order = "<" if syntax.is_little_endian else ">"
            floats = np.frombuffer(data[keyword].value, f"{order}{kind}", int(np.prod(shape)))
            return floats.reshape(shape)
    if syntax.is_compressed and syntax != RLELossless:
        return _jpegs(path, data, syntax, shape)
    words = _run_lengths(data) if syntax == RLELossless else _plain(data, syntax, shape)
    field, ignored = field_of(data), overlay_bits(data)
    values = np.empty(shape, _kind(field))
    for k, frame in enumerate(words.reshape(shape)):  # frame by frame: no second object in memory
        values[k] = _in_field(path, frame, field, ignored)
    return values


def _kind(field: Field) -> type:
    return np.int32 if field.stored < 32 else np.int64


def _in_field(path: Path, words: np.ndarray, field: Field, ignored: int = 0) -> np.ndarray:
    values = values_in(words, field, ignored=ignored)
    if values is None:
        found = f"pixels with something in the bits beside their values ({field.words})"
        raise refused(path, found, "pixels as the header says", "export it again")
    return values


def _plain(data: FileDataset, syntax: UID, shape: tuple[int, ...]) -> np.ndarray:
    """Unsigned words of pixels without compression."""
    n_bytes = int(data.BitsAllocated) // 8
    content = data.PixelData
    if n_bytes == 1 and not syntax.is_little_endian and data["PixelData"].VR == "OW":
        content = np.frombuffer(content, ">u2").astype("<u2").tobytes()  # bytes come in pairs
    order = "<" if syntax.is_little_endian else ">"
    return np.frombuffer(content, f"{order}u{n_bytes}", int(np.prod(shape)))


def _run_lengths(data: FileDataset) -> np.ndarray:
    pixels = np.ascontiguousarray(data.pixel_array)
    return pixels.view(f"u{pixels.dtype.itemsize}")


def _jpegs(path: Path, data: FileDataset, syntax: UID, shape: tuple[int, ...]) -> np.ndarray:
    frames = list(generate_frames(data.PixelData, number_of_frames=shape[0]))
    if len(frames) != shape[0]:
        found = f"{len(frames)} compressed images"
        raise refused(path, found, f"{shape[0]} frames", "export it again")
    field = field_of(data)
    if field.high != field.stored - 1:
        found = f"HighBit {field.high} with BitsStored {field.stored} in a compressed image"
        raise refused(path, found, f"HighBit {field.stored - 1}", AGAIN)
    values = np.empty(shape, _kind(field))
    for k, content in enumerate(frames):
        values[k] = _jpeg(path, content, syntax, field, shape[1:])
    return values


def _jpeg(
    path: Path, content: bytes, syntax: UID, field: Field, shape: tuple[int, ...]
) -> np.ndarray:
    """Values of one codestream; refused where file and codestream contradict each other."""
    image = header_of(content)
    if image is None:
        found = f"pixels that cannot be decoded ({syntax.name})"
        raise refused(path, found, "JPEG, JPEG-LS, JPEG 2000, RLE or none", AGAIN)
    if (image.rows, image.columns, image.components) != (*shape, 1):
        found = f"a compressed image of {image.rows} x {image.columns} x {image.components}"
        raise refused(path, found, f"{shape[0]} rows x {shape[1]} columns x 1", AGAIN)
    try:
        pixels = gdcm.decoded(content, image, syntax)
    except gdcm.Undecodable as error:
        found = f"pixels that cannot be decoded ({len(content)} bytes; {error})"
        raise refused(path, found, "a whole image", "copy or export it again") from error
    return _agreed(path, pixels, image, field, patterns=not is_jpeg_2000(content))


def _agreed(
    path: Path, pixels: np.ndarray, image: Codestream, field: Field, *, patterns: bool
) -> np.ndarray:
    """The values that the file's header and the codestream's agree on.

    patterns   the codestream knows no sign: a signed value is its bits, in as many as it says
    """
    if patterns and field.signed and image.bits in (field.stored, 16):
        return _in_field(path, pixels.astype(np.uint16), field)
    half = 1 << field.stored - 1
    low, high = (-half, half) if field.signed else (0, 2 * half)
    if field.signed and not image.signed:
        high = min(high, 1 << image.bits - 1)  # above it, a value or the bits of a negative one
    if pixels.min() < low or pixels.max() >= high:
        sign = "" if patterns else "signed " if image.signed else "unsigned "
        found = (
            f"values {pixels.min()} to {pixels.max()} in {sign}{image.bits}-bit compression under "
            f"a header that says {field.sign}, {field.stored} bits"
        )
        raise refused(path, found, "one sign and size in both", AGAIN)
    return pixels
