"""What reading a scan gives: a volume with its story, or a refusal with its numbers.

A scan that cannot be read exactly is refused in one line that a person can act on; nothing is
repaired silently.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from thinslice.volume import Volume

NO_AIR_HU = -200.0  # every CT of a person shows air below this
PADDING_HU = -1024.5  # nothing is emptier than air


class Found(NamedTuple):
    """A scan as read.

    source   JSON: format, modality, maker, device, kernel, thickness_mm (nominal; None where the
             file does not say), thickness_from ("file", "declared" or "increment"), lossy (None:
             the format does not say), warnings
    files    every file the voxels come from, sorted; of a zip, the zip
    members  of those files inside the zip: name to sha256; else empty
    """

    volume: Volume
    source: dict[str, Any]
    files: tuple[Path, ...]
    members: Mapping[str, str] = MappingProxyType({})


class Refused(ValueError):  # noqa: N818 - the word for it
    """A scan that will not be read: the path, what was found, what was expected, what to do."""


def refused(path: Path | str, found: str, expected: str, advice: str) -> Refused:
    """The one line of a refusal; raise it."""
    return Refused(one_line(f"{path}: found {found}; expected {expected}; {advice}"))


def one_line(text: str) -> str:
    """For a terminal: whatever names and errors hold, one line that can be printed."""
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in plain)


@contextmanager
def in_one_line(
    path: Path | str, expected: str = "a readable file", advice: str = "check it"
) -> Iterator[None]:
    """What the system or its memory refuses inside the block, as a refusal of ``path``."""
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
    """The first few of many, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def odd_hu(low: float, high: float) -> list[str]:
    """What a person should look at, given the lowest and highest value of a CT."""
    notes = []
    if low > NO_AIR_HU:
        notes.append(f"values {low:g} to {high:g} show no air; are they HU?")
    if low < PADDING_HU:
        notes.append(f"values go down to {low:g}, below air; padding outside the field of view?")
    return notes
