"""Errors that a person can act on, and the one line that each of them prints.

A full disk, too little memory or an input that is not what its record says is no fault of the code:
a traceback would hide the one sentence that helps. Every other error is a bug and keeps its
traceback. A job ends with exit status 1, or with 74 where the disk may not have taken even that
line (workflow_scripts/job_exit.sh prints it then). Standard library only.
"""

import contextlib
import errno
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SAME_AGAIN = "then run the same command again"
DISK = {
    errno.ENOSPC: f"the disk is full: free some space, {SAME_AGAIN}",
    errno.EDQUOT: f"the quota of this disk is used up: free some space, {SAME_AGAIN}",
    errno.EROFS: f"the disk is read-only: mount it for writing, {SAME_AGAIN}",
    errno.EIO: f"the disk fails: see the system's log, {SAME_AGAIN}",
    errno.ESTALE: f"the network disk went away: mount it again, {SAME_AGAIN}",
}
OF_DISK = 74  # EX_IOERR of sysexits.h
PERMISSION = f"no permission: change it, {SAME_AGAIN}"
MEMORY = (
    "more memory is needed: raise the method's train_mem_mb or restore_mem_mb, or run fewer jobs "
    f"at once (--cores), {SAME_AGAIN}"
)


class ThinsliceError(Exception):
    """Base class of the errors that a person can act on; the message says where and what to do."""


class Refused(ThinsliceError, ValueError):  # noqa: N818 - printed as "refused: ..."
    """An input, a setting or a destination that cannot be used."""


class UnusableCaseError(Refused):
    """A scan of which nothing can be computed, whichever method answers: too short, or all air."""


class AmbiguousError(Refused):
    """A place that holds several scans, where one was named; which ones, and how to choose."""


class SetAside(Refused):
    """A case that its data set does not give: "code: reason"; ``about`` is JSON, as of a case."""

    def __init__(self, reason: str, about: Mapping[str, str]):
        super().__init__(reason)
        self.about = dict(about)


class SeveralRefused(Refused):
    """Refusals of several inputs at once, each of them one line."""

    def __init__(self, lines: Sequence[str]):
        super().__init__("\n".join(one_line(line) for line in lines))


def all_refused(refusals: Sequence[Refused]) -> Refused:
    """Several refusals as one error; a single one as it is."""
    return refusals[0] if len(refusals) == 1 else SeveralRefused([str(each) for each in refusals])


def refused(
    path: Path | str, found: str, expected: str, advice: str, *, error: type[Refused] = Refused
) -> Refused:
    """A refusal of ``path`` in one line: what was found, what was expected, what to do.

    error   its class, where a caller tells refusals apart: by class, never by their words
    """
    return error(one_line(f"{path}: found {found}; expected {expected}; {advice}"))


def counted(n: int, noun: str) -> str:
    """ "1 pair", "2 pairs"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def run_script(main: Callable[[], None]) -> None:
    """Run a script's ``main``; SystemExit with one line for an error that a person can act on."""
    try:
        main()
    except Exception as error:
        if (line := known_reason(error)) is None:
            raise
        with contextlib.suppress(OSError):
            for each in line.splitlines():
                print(f"refused: {each}", file=sys.stderr, flush=True)
        sys.exit(OF_DISK if any(reason in line for reason in DISK.values()) else 1)


def known_reason(error: BaseException) -> str | None:
    """The one line of an error that a job can end with, one each of several; None for a bug.

    A full disk and missing memory are recognised in whatever wraps them.
    """
    if isinstance(error, SeveralRefused):
        return str(error)
    if isinstance(error, ThinsliceError):
        return " ".join(str(error).split())
    cause: BaseException | None = error
    while cause is not None:
        if (line := _of_system(cause)) is not None:
            return " ".join(line.split())
        cause = cause.__cause__ or cause.__context__
    return None


def is_of_full_disk(error: BaseException) -> bool:
    """Whether a job ends with this error because a disk, or a quota, has no space left."""
    line = known_reason(error) or ""
    return DISK[errno.ENOSPC] in line or DISK[errno.EDQUOT] in line


def is_expected(error: BaseException) -> bool:
    """Whether a command prints one line for an error: ours, the system's or of missing memory."""
    return isinstance(error, ThinsliceError | OSError) or _is_of_memory(error)


def _of_system(error: BaseException) -> str | None:
    reasons = {**DISK, errno.EACCES: PERMISSION}
    if isinstance(error, OSError) and error.errno in reasons:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{reasons[error.errno]}"
    if (isinstance(error, OSError) and error.errno == errno.ENOMEM) or _is_of_memory(error):
        return MEMORY
    return None


def _is_of_memory(error: BaseException) -> bool:
    """Whether memory was missing; some libraries have no class for it."""
    text = str(error).lower()
    of_library = isinstance(error, RuntimeError | ImportError) and (
        "out of memory" in text or "cannot allocate memory" in text or "can't allocate" in text
    )
    return isinstance(error, MemoryError) or of_library


def one_line(text: str) -> str:
    """Text as one printable line, whatever characters names and messages hold."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in plain)


@contextmanager
def in_case(name: str) -> Iterator[None]:
    """Name the case in whatever is raised inside the block: in a refusal's line, below a bug's
    traceback."""
    try:
        yield
    except ThinsliceError as error:
        error.args = (f"case {name}: {error}",)
        raise
    except Exception as error:
        error.add_note(f"case {name}")
        raise


@contextmanager
def in_one_line(
    path: Path | str, expected: str = "a readable file", advice: str = "check it"
) -> Iterator[None]:
    """Turn an OSError or a MemoryError inside the block into a refusal of ``path``."""
    try:
        yield
    except MemoryError as error:
        found = f"more than fits into memory ({error})"
        raise refused(path, found, "a smaller scan", "use a larger machine") from error
    except OSError as error:
        which = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
        found = f"that the system refuses: {error.strerror or error}{which}"
        raise refused(path, found, expected, advice) from error


def listed(items: list[str], most: int = 5) -> str:
    """The first few items, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
