"""Keep freed memory in the process, so that the next step or tile finds its pages there.

A network's activations are freed and taken again at every step and every batch of tiles. Left as it
is, glibc gives them back to the system in between, and to have the pages zeroed and mapped anew
costs 5 to 20 % of the processor's time. Whole volumes are still given back: they are larger than
``LARGE``. No number changes.
"""

import ctypes
import sys
from functools import cache

LARGE = 128 * 2**20  # bytes; what is larger is mapped by itself
LARGE_BEFORE = 32 * 2**20  # the most that an older glibc takes
KEPT = 512 * 2**20  # bytes of freed memory at most
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)


def keep() -> bool:
    """Keep what is freed from now on; False, and nothing changed, where libc is not glibc."""
    libc = _glibc()
    if libc is None:
        return False
    trimmed = libc.mallopt(_TRIM_THRESHOLD, KEPT)
    mapped = any(libc.mallopt(_MMAP_THRESHOLD, size) for size in (LARGE, LARGE_BEFORE))
    return bool(trimmed and mapped)


def is_glibc() -> bool:
    """Whether the process's C library can keep freed memory; nothing is changed."""
    return _glibc() is not None


def give_back() -> None:
    """Give freed memory back to the system, before what the process holds is measured."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The process's own C library, where it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") else None
