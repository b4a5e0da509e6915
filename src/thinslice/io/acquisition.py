"""Choose the slices of one acquisition in a series, and leave out what is none of its slices.

What is left out is listed in a note. A series that makes one stack is read whole; one that does
not, but whose tags tell several stacks apart, is refused until one of them is chosen.
"""

from collections.abc import Sequence

from thinslice.errors import AmbiguousError, Refused, listed, refused
from thinslice.io.dicom.acquisitions import (
    Acquisition,
    acquisitions_of,
    by_number,
    interleaved,
    one_above_another,
)
from thinslice.io.dicom.copies import without_copies, without_others
from thinslice.io.dicom.headers import Slice
from thinslice.io.dicom.slice_order import AS_ACQUIRED, stack_of
from thinslice.io.folder import Series, Tree

ALL = "all"
ODD_BY = ("ImageOrientationPatient", "Rows and Columns")  # one image that differs in it is odd


def narrowed(
    tree: Tree, series: Series, acquisition: str | None, *, as_acquired: bool = False
) -> tuple[Series, list[str]]:
    """The series with the slices of the acquisition alone, and notes.

    A series that makes no stack and has no acquisitions comes back as it is: reading it tells why.
    Refused for a broken slice of it, and where there are several acquisitions and none is chosen.

    acquisition   its name, or "all"; None: the only one
    as_acquired   take pieces of one scan together, such as those of several thicknesses
    """
    for _, refusal in tree.broken_beside(series):
        raise refusal
    slices, notes = cleaned(series.slices)
    if acquisition == ALL:
        return series._replace(slices=tuple(slices)), notes
    if acquisition is not None:
        part = _named(series, slices, acquisition)
        return series._replace(slices=part.slices), [*notes, f"read: acquisition {part.words}"]
    if _is_stack(series, slices):
        if alternating := interleaved(series.folder, slices):
            raise _ambiguous(series, alternating, f", or --acquisition {ALL}")
        return series._replace(slices=tuple(slices)), notes
    parts = acquisitions_of(series.folder, slices)
    if not parts:
        for _, refusal in tree.odd_beside(series):
            raise refusal  # it may be the slice that is missing
        return (series._replace(slices=tuple(slices)), notes) if as_acquired else (series, [])
    if (odd := _without_an_odd_one(parts)) is not None:
        return series._replace(slices=odd[0].slices), [*notes, *odd[1]]
    if as_acquired and one_above_another(parts):
        note = f"read as one: {len(parts)} acquisitions one above another, {_told_apart(parts)}"
        return series._replace(slices=tuple(slices)), [*notes, note]
    raise _ambiguous(series, parts)


def cleaned(slices: Sequence[Slice]) -> tuple[list[Slice], list[str]]:
    """The slices without copies and without images of another kind, and notes on these."""
    scan, others = without_others(slices)
    single, copies = without_copies(scan)
    return single, [*others, *copies]


def read_of(series: Series) -> tuple[list[Slice], list[str]]:
    """The slices of a series that are read, and notes on what is left out; all if none would be."""
    slices, notes = cleaned(series.slices)
    if _is_stack(series, slices):
        return slices, notes
    odd = _without_an_odd_one(acquisitions_of(series.folder, slices))
    return (list(odd[0].slices), [*notes, *odd[1]]) if odd else (list(series.slices), [])


def parts_of(series: Series) -> list[Acquisition]:
    """The acquisitions to choose from; none of a series that is one stack, or that has none."""
    slices, _ = cleaned(series.slices)
    if _is_stack(series, slices):
        return interleaved(series.folder, slices)
    parts = acquisitions_of(series.folder, slices)
    return [] if _without_an_odd_one(parts) else parts


def _is_stack(series: Series, slices: Sequence[Slice]) -> bool:
    try:
        stack_of(series.folder, slices)
    except Refused:
        return False
    return True


def _without_an_odd_one(parts: Sequence[Acquisition]) -> tuple[Acquisition, list[str]] | None:
    """The only stack, and a note, where a single image of another size or plane is beside it."""
    stacks = [part for part in parts if part.refusal is None]
    odd = [image.name for part in parts if part.refusal for image in part.slices]
    if not parts or len(stacks) != 1 or len(odd) != 1 or parts[0].tag not in ODD_BY:
        return None
    return stacks[0], [f"left out: {odd[0]}, which differs from the other slices in {parts[0].tag}"]


def _named(series: Series, slices: Sequence[Slice], name: str) -> Acquisition:
    if _is_stack(series, slices):
        parts = interleaved(series.folder, slices) or by_number(series.folder, slices)
    else:
        parts = acquisitions_of(series.folder, slices)
    for part in parts:
        if name in (part.name, part.label):
            return part
    if not parts:
        found = f"no acquisition {name!r}: no tag tells any apart"
        raise refused(series.folder, found, "one series", "leave the acquisition out")
    found = f"no acquisition {name!r}, but {listed([part.words for part in parts])}"
    raise refused(series.folder, found, "one of them", f"choose one, as in {parts[0].name}")


def _ambiguous(series: Series, parts: Sequence[Acquisition], whole: str = "") -> Refused:
    each = listed([part.words for part in parts])
    number = series.slices[0].series_number
    found = f"{len(parts)} acquisitions in series {number}, {_told_apart(parts)}: {each}"
    advice = f"choose one, as in --acquisition {parts[0].name}"
    advice += whole
    if one_above_another(parts):
        advice += f", or {AS_ACQUIRED}"
    return refused(series.folder, found, "one", advice, error=AmbiguousError)


def _told_apart(parts: Sequence[Acquisition]) -> str:
    return f"told apart by {parts[0].tag}"
