"""What a compressed image says of itself: JPEG, lossless JPEG, JPEG-LS and JPEG 2000 headers.

The header of the DICOM file may say otherwise; then one of the two is wrong. Sources: ITU-T T.81
B.2.2, T.87 C.2.2, T.800 A.5.1.
"""

import struct
from typing import NamedTuple

J2K_START = b"\xff\x4f\xff\x51"  # SOC, SIZ
JPEG_START = b"\xff\xd8"
SEARCHED = 4096  # bytes of boxes before a JPEG 2000 codestream
FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15, and that of JPEG-LS
SIZ = ">HHIIIIIIIIHB"


class Codestream(NamedTuple):
    """One image as its codestream describes it."""

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool  # JPEG and JPEG-LS have no sign: values are patterns of bits


def header_of(content: bytes) -> Codestream | None:
    """The description in a compressed image; None where it is of no kind known here."""
    at = content.find(J2K_START, 0, SEARCHED)
    if at >= 0:
        return _jpeg_2000(content[at + 4 :])
    return _jpeg(content) if content.startswith(JPEG_START) else None


def is_jpeg_2000(content: bytes) -> bool:
    """Whether a JPEG 2000 codestream begins in the content."""
    return content.find(J2K_START, 0, SEARCHED) >= 0


def _jpeg_2000(siz: bytes) -> Codestream | None:
    if len(siz) < struct.calcsize(SIZ):
        return None
    _, _, right, bottom, left, top, *_, components, precision = struct.unpack_from(SIZ, siz)
    bits, signed = (precision & 0x7F) + 1, bool(precision & 0x80)
    return Codestream(bottom - top, right - left, components, bits, signed)


def _jpeg(content: bytes) -> Codestream | None:
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in FRAMES:
            bits, rows, columns, components = struct.unpack_from(">BHHB", content, at + 4)
            return Codestream(rows, columns, components, bits, signed=False)
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None
