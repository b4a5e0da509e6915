"""Open a DICOM file and read its elements: plain, without preamble, or packed by gzip.

What is packed is unpacked into memory, up to ``MOST_BYTES``.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import VR

from thinslice.errors import refused
from thinslice.io import gzip_streams

MOST_BYTES = 4 << 30  # unpacked: the largest multi-frame object of a scanner
GZIP = b"\x1f\x8b"
SMALL = 1 << 16  # bytes
FIRST_GROUPS = (0x0002, 0x0008)  # what a file without preamble begins with
LAST_OF_FIRST = 0x0070  # no element beyond it comes first in these groups
SHORT = 256  # bytes: no first element is longer


class Bounded(io.BufferedReader):
    """A file whose reads are cut at its end, so that a damaged length allocates no memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``size`` bytes, as of any file."""
        if size is not None and 0 <= size <= SMALL:
            return super().read(size)
        here = self.tell()
        left = max(self.seek(0, io.SEEK_END) - here, 0)
        self.seek(here)
        return super().read(left if size is None or size < 0 else min(size, left))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a DICOM file, unpacked where its name ends in .gz; Refused if they cannot be."""
    with Bounded(path.open("rb", buffering=0)) as file:
        packed = path.name.lower().endswith(".gz") and file.read(2) == GZIP
        file.seek(0)
        yield io.BytesIO(_unpacked(path, file)) if packed else file


def elements(file: BinaryIO, **how: Any) -> FileDataset:
    """Elements by pydicom, which ``how`` is for; also of a file without preamble.

    Raises InvalidDicomError where the file has neither the DICM mark nor such a beginning.
    """
    start = file.read(8)
    file.seek(0)
    return pydicom.dcmread(file, force=_begins_plainly(start), **how)


@contextmanager
def without_remarks() -> Iterator[None]:
    """Drop pydicom's warnings on formats of values inside the block, one or two for every slice.

    What matters of them is a note of the reader's, once for a series.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def syntax_of(data: FileDataset) -> UID:
    """Transfer syntax as stated; of a file that states none, as its elements were read."""
    stated = str(data.file_meta.get("TransferSyntaxUID", "") or "")
    if stated:
        return UID(stated)
    implicit, little = data.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _begins_plainly(start: bytes) -> bool:
    """Whether the bytes are the first element of a data set: its tag, and a type or a length."""
    if len(start) < 8:
        return False
    group, element, length = struct.unpack("<HHL", start)
    typed = start[4:6].decode("latin-1") in set(VR)
    within = group in FIRST_GROUPS and element <= LAST_OF_FIRST
    return within and (typed or length <= SHORT)


def _unpacked(path: Path, file: BinaryIO) -> bytes:
    try:
        with gzip_streams.unpacked(file) as packed:
            content = packed.read(MOST_BYTES + 1)
    except gzip_streams.BROKEN as error:
        found = f"a file packed by gzip that is broken ({error})"
        raise refused(path, found, "a whole one", "copy it again") from error
    if len(content) > MOST_BYTES:
        found = f"more than {MOST_BYTES >> 30} GiB packed by gzip"
        raise refused(path, found, "one DICOM file", "unpack it")
    return content
