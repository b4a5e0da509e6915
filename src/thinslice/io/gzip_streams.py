"""Gzip streams by ISA-L where it is installed, else by zlib: 4x faster to write, 2.5x to read.

Packages of isal exist for Linux, macOS and Windows on common processors (pyproject.toml); elsewhere
zlib writes and reads the same content. Packed bytes are the same each time on one machine; between
machines they may differ, as they always may by version of zlib, and what they hold never does.
"""

import gzip
import zlib
from typing import IO, cast

try:
    from isal import igzip, isal_zlib
except ImportError:
    GzipFile, LEVEL, error = gzip.GzipFile, 1, zlib.error
else:  # its best level makes CT as small as zlib's 1, in a quarter of the time
    GzipFile, LEVEL = igzip.IGzipFile, isal_zlib.ISAL_BEST_COMPRESSION
    error = cast(type[Exception], isal_zlib.error)

# What reading a broken stream raises.
BROKEN: tuple[type[Exception], ...] = (gzip.BadGzipFile, EOFError, zlib.error, error)


def packed(plain: IO[bytes]) -> gzip.GzipFile:
    """A stream to write to, whose packed bytes go to ``plain``; without name and time."""
    return GzipFile("", "wb", LEVEL, plain, mtime=0)


def unpacked(file: IO[bytes]) -> gzip.GzipFile:
    """The content of a gzip of one or more members, whose checksums are verified as they end.

    Reading a stream that is cut or corrupt raises one of ``BROKEN``.
    """
    return GzipFile(fileobj=file, mode="rb")
