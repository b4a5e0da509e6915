"""How a job ends on what a person can mend: one line, the last one of its log, and exit status 1,
or 74 where the disk may not have taken even that line (workflow_scripts/ending.sh says it then).

A full disk, too little memory or an input that is not what its record says is no fault of the code;
a traceback would hide the one sentence that helps. Everything else keeps its traceback. Standard
library only.
"""

import contextlib
import errno
import sys
from collections.abc import Callable

SAME_AGAIN = "then run the same command again"
DISK = {
    errno.ENOSPC: f"the disk is full: free some space, {SAME_AGAIN}",
    errno.EDQUOT: f"the quota of this disk is used up: free some space, {SAME_AGAIN}",
    errno.EROFS: f"the disk is read-only: mount it for writing, {SAME_AGAIN}",
    errno.EIO: f"the disk fails: see the system's log, {SAME_AGAIN}",
    errno.ESTALE: f"the network disk went away: mount it again, {SAME_AGAIN}",
}
OF_DISK = 74  # EX_IOERR of sysexits.h
PERMISSION = f"no permission: mend it, {SAME_AGAIN}"
MEMORY = (
    "more memory is needed: raise the method's train_mem_mb or restore_mem_mb, or run fewer jobs "
    f"at once (--cores), {SAME_AGAIN}"
)


def run(main: Callable[[], None]) -> None:
    """Run a script's ``main``; SystemExit with one line where it meets a known condition."""
    try:
        main()
    except Exception as error:
        if (line := said(error)) is None:
            raise
        with contextlib.suppress(OSError):
            print(f"refused: {line}", file=sys.stderr, flush=True)
        sys.exit(OF_DISK if any(reason in line for reason in DISK.values()) else 1)


def said(error: BaseException) -> str | None:
    """The one line for a known condition, whatever it was wrapped in; None for any other."""
    seen: BaseException | None = error
    while seen is not None:
        if (line := _known(seen)) is not None:
            return " ".join(line.split())
        seen = seen.__cause__ or seen.__context__
    return None


def _known(error: BaseException) -> str | None:
    reasons = {**DISK, errno.EACCES: PERMISSION}
    if isinstance(error, OSError) and error.errno in reasons:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{reasons[error.errno]}"
    if (isinstance(error, OSError) and error.errno == errno.ENOMEM) or _is_of_memory(error):
        return MEMORY
    if isinstance(error, ValueError) and type(error).__module__.startswith("thinslice."):
        return str(error)  # our own refusals say themselves what was found and what to do
    return None


def _is_of_memory(error: BaseException) -> bool:
    """Python's own, and those of libraries that have no class for it."""
    text = str(error).lower()
    of_library = isinstance(error, RuntimeError | ImportError) and (
        "out of memory" in text or "cannot allocate memory" in text or "can't allocate" in text
    )
    return isinstance(error, MemoryError) or of_library
