"""Images of a series that are no slices of it, or the same slice once more."""

import filecmp
from collections.abc import Sequence

from thinslice.errors import listed
from thinslice.io.dicom.headers import Slice
from thinslice.io.dicom.kinds import UNREADABLE_SLICES


def without_copies(slices: Sequence[Slice]) -> tuple[list[Slice], list[str]]:
    """The slices without files that are the same, byte for byte, as another; and a note of them."""
    first: dict[tuple[str, int | None, tuple[float, ...] | None], Slice] = {}
    left, copies = [], []
    for image in slices:
        other = first.setdefault((image.uid, image.frame, image.position), image)
        if other is image or not image.uid or not _same_bytes(image, other):
            left.append(image)
        else:
            copies.append(image.name)
    note = f"left out: {len(copies)} copies of other slices, the same byte for byte"
    return left, [f"{note} ({listed(sorted(copies))})"] if copies else []


def without_others(slices: Sequence[Slice]) -> tuple[list[Slice], list[str]]:
    """The slices without images of another kind in the series, such as captures; and a note.

    Slices that cannot be read (with a look-up table for HU) stay: they belong to the scan.
    """
    scan = [s for s in slices if s.kind == "slice" or s.kind in UNREADABLE_SLICES]
    others = [s for s in slices if s not in scan]
    if not others or not scan:
        return list(slices), []
    names = listed(sorted(f"{s.name}: {s.kind}" for s in others))
    return scan, [f"left out: {len(others)} images of the series that are no slices ({names})"]


def _same_bytes(a: Slice, b: Slice) -> bool:
    return a.path != b.path and filecmp.cmp(a.path, b.path, shallow=False)
