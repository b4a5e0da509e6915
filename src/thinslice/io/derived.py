"""Whether a scan was computed from another one, as its files tell: restored, reformatted, averaged.

DICOM says so in ImageType: DERIVED from other images, SECONDARY to the examination. Mixtures of two
energies are DERIVED and PRIMARY, and count as acquired. What thinslice wrote says so in a NIfTI's
description, or in the statement that lies beside it.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydicom.dataset import Dataset

OURS = "computed by thinslice"
STATEMENT = ".thinslice.json"


def of_header(data: Dataset) -> str | None:
    """What a DICOM header says of how the image was derived; None of an acquired one."""
    kind = data.get("ImageType") or []
    described = str(data.get("SeriesDescription") or "").strip()
    words = of_type([kind] if isinstance(kind, str) else kind)
    return words and (f"{words}, {described}" if described else words)


def of_type(kind: object) -> str | None:
    """What the values of ImageType say; None where they say nothing of the kind."""
    if not isinstance(kind, Iterable) or isinstance(kind, str):
        return None
    words = [str(word).strip().upper() for word in kind]
    is_derived = words[:2] == ["DERIVED", "SECONDARY"]
    return f"ImageType {'/'.join(words)}" if is_derived else None


def by_statement(path: Path) -> str | None:
    """What a statement beside the scan says; None where there is none."""
    statement = path.with_name(path.name + STATEMENT)
    with suppress(OSError):  # a name that is too long once the ending is added
        return f"{OURS}, as {statement.name} says" if statement.is_file() else None
    return None


def note(words: str) -> str:
    """The warning about a derived scan."""
    return f"this scan was computed from another one, not acquired ({words})"
