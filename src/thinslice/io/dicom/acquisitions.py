"""Split a series that is no one stack into its acquisitions: passes, phases, energies, planes.

A series may hold several scans that a header tag tells apart. It is split by the first tag whose
every value makes a regular stack, or else by that which puts the most slices into stacks.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thinslice.errors import Refused
from thinslice.io.dicom.headers import APART, Slice
from thinslice.io.dicom.slice_order import stack_of

NUMBER = "AcquisitionNumber"
TIMES = ("AcquisitionTime", "ContentTime")
MOST_ADJACENT = 3  # more pieces one after another are the rotations of one sequential scan
FEWEST = 2  # slices of a stack
ALTERNATING = (
    "AcquisitionNumber",
    "KVP",
    "ConvolutionKernel",
    "ContrastBolusAgent",
)  # what no single scan changes


class Acquisition(NamedTuple):
    """Some slices of a series, and what they have in common."""

    name: str  # what selects it: its AcquisitionNumber, or its place in the list
    tag: str
    value: str
    slices: tuple[Slice, ...]
    refusal: Refused | None  # why they are no regular stack

    @property
    def label(self) -> str:
        """The tag that tells it apart, and its value."""
        return f"{self.tag} {self.value}"

    @property
    def words(self) -> str:
        """Its description in messages."""
        low, high = _extent(self.slices)
        images = f"{len(self.slices)} slices from {low:g} to {high:g} mm"
        return f"{self.name} ({self.label}: {images})"


def acquisitions_of(path: Path, slices: Sequence[Slice]) -> list[Acquisition]:
    """The acquisitions in a series; none where no tag tells any apart."""
    best: list[Acquisition] = []
    for tag, groups in _splits(slices):
        parts = _parts(path, tag, groups)
        if all(part.refusal is None for part in parts):
            return parts
        if _in_stacks(parts) > _in_stacks(best):
            best = parts
    return best


def overlap(groups: Sequence[Sequence[Slice]]) -> bool:
    """Whether the extents of groups of slices overlap, as those of pieces of one scan do not."""
    extents = sorted(_extent(images) for images in groups)
    return not all(low > high for (_, high), (low, _) in pairwise(extents))


def interleaved(path: Path, slices: Sequence[Slice]) -> list[Acquisition]:
    """Regular stacks whose slices alternate, so that together they look like one; else none."""
    for tag in ALTERNATING:
        groups = _grouped(slices, lambda s, tag=tag: s.facts["apart"].get(tag, ""))
        sizes = [len(images) for images in groups.values()]
        if len(groups) < 2 or min(sizes) <= FEWEST or "none" in groups:
            continue
        parts = _parts(path, tag, groups)
        if overlap(list(groups.values())) and all(part.refusal is None for part in parts):
            return parts
    return []


def by_number(path: Path, slices: Sequence[Slice]) -> list[Acquisition]:
    """The slices by AcquisitionNumber alone, also of what is one stack."""
    groups = _grouped(slices, lambda s: s.facts["apart"].get(NUMBER, ""))
    return _parts(path, NUMBER, groups)


def _splits(slices: Sequence[Slice]) -> list[tuple[str, dict[str, list[Slice]]]]:
    """Every way to group the slices that may make sense, the most telling tag first."""
    keys: dict[str, Callable[[Slice], Hashable]] = {
        tag: lambda s, tag=tag: s.facts["apart"].get(tag, "") for tag in APART
    }
    keys["ImageOrientationPatient"] = lambda s: _rounded(s.orientation)
    keys["Rows and Columns"] = lambda s: f"{s.shape[0]} x {s.shape[1]}"
    keys["PixelSpacing"] = lambda s: _rounded(s.pixel_mm)
    keys["SliceThickness"] = lambda s: _rounded((s.thickness_mm or 0.0,))
    keys["FrameOfReferenceUID"] = lambda s: s.reference
    found = [(tag, _grouped(slices, key)) for tag, key in keys.items()]
    found += [(tag, _in_order_of(tag, slices)) for tag in TIMES]
    return [(tag, groups) for tag, groups in found if _makes_sense(groups)]


def _grouped(slices: Sequence[Slice], key: Callable[[Slice], Hashable]) -> dict[str, list[Slice]]:
    groups: dict[str, list[Slice]] = {}
    for image in slices:
        groups.setdefault(str(key(image)) or "none", []).append(image)
    return dict(sorted(groups.items(), key=lambda item: _as_number(item[0])))


def _in_order_of(tag: str, slices: Sequence[Slice]) -> dict[str, list[Slice]]:
    """Phases by a time of every slice: the first at each position, the second, and so on.

    None where one phase did not end before the next began.
    """
    places: dict[Hashable, list[Slice]] = {}
    for image in slices:
        places.setdefault(_rounded(image.position), []).append(image)
    counts = {len(images) for images in places.values()}
    if len(counts) != 1 or counts == {1} or not all(s.facts["apart"].get(tag) for s in slices):
        return {}
    order = [sorted(images, key=lambda s: s.facts["apart"][tag]) for images in places.values()]
    phases = [list(images) for images in zip(*order, strict=True)]
    times = [[s.facts["apart"][tag] for s in phase] for phase in phases]
    apart = all(max(before) < min(after) for before, after in pairwise(times))
    return {f"{min(t)} to {max(t)}": p for t, p in zip(times, phases)} if apart else {}


def _makes_sense(groups: dict[str, list[Slice]]) -> bool:
    """Whether there are several groups of several slices, other than pieces of one long scan."""
    n = sum(map(len, groups.values()))
    if not 2 <= len(groups) <= max(2, n // FEWEST):
        return False
    return overlap(list(groups.values())) or len(groups) <= MOST_ADJACENT


def _parts(path: Path, tag: str, groups: dict[str, list[Slice]]) -> list[Acquisition]:
    parts = []
    for k, (value, images) in enumerate(groups.items(), 1):
        name = value if tag == NUMBER else str(k)
        parts.append(Acquisition(name, tag, value, tuple(images), _refusal(path, images)))
    return parts


def _refusal(path: Path, slices: Sequence[Slice]) -> Refused | None:
    try:
        stack_of(path, slices)
    except Refused as error:
        return error
    return None


def _in_stacks(parts: Sequence[Acquisition]) -> int:
    return sum(len(part.slices) for part in parts if part.refusal is None)


def one_above_another(parts: Sequence[Acquisition]) -> bool:
    """Whether the parts follow each other along the normal: a scan that changes on its way."""
    extents = sorted(_extent(part.slices) for part in parts)
    return all(low > high for (_, high), (low, _) in pairwise(extents))


def _extent(slices: Sequence[Slice]) -> tuple[float, float]:
    """First and last position along the normal of the first image, mm; NaN where it has none."""
    first = next((s for s in slices if len(s.orientation or ()) == 6), None)
    placed = [s.position for s in slices if len(s.position or ()) == 3]
    if first is None or not placed:
        return float("nan"), float("nan")
    x, y = np.array(first.orientation, float).reshape(2, 3)
    normal = np.cross(x, y)
    along_mm = np.array(placed) @ normal
    return round(float(along_mm.min()), 3) + 0.0, round(float(along_mm.max()), 3) + 0.0


def _rounded(numbers: Sequence[float] | None) -> str:
    """Numbers that differ by rounding alone as the same words."""
    return "\\".join(f"{round(v, 3) + 0.0:g}" for v in numbers or ())


def _as_number(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
