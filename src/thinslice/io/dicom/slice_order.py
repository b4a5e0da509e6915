"""Order DICOM slices by position into one regular stack, or refuse.

Order and increment come from the positions along the normal of the image plane; file names,
instance numbers and SpacingBetweenSlices are not looked at. SliceLocation is a witness only: where
it tells of the same regular stack in another order, one of the two is wrong. What is ordered but
not regular is refused as ``Irregular``: ``planes`` reads it as it was acquired.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.errors import Refused, listed, refused
from thinslice.io.dicom.headers import Slice

ROUNDED_MM = 0.06  # headers to a tenth of a millimetre are half of it off, and the line a little
ROUNDED = 0.01  # of the increment
SAME_MM = 0.01  # positions closer than this are one position
SAME_PLANE = 1e-4  # orientation components: 0.03 mm over a slice
SQUARE = 1e-3  # cosine between rows and columns, and how far from unit vectors
STRAIGHT = 0.9e-3  # tangent between normal and line of positions, 0.05 degrees


AS_ACQUIRED = "--as-acquired restores them"


class Irregular(Refused):
    """Parallel slices that make no regular stack: tilted, unevenly spaced or of mixed thickness."""


class Ordered(NamedTuple):
    """Parallel slices by ascending position along the normal, which may be uneven."""

    slices: tuple[Slice, ...]
    positions: np.ndarray  # [n, 3] LPS mm
    along_mm: np.ndarray  # [n], ascending
    axes: tuple[np.ndarray, np.ndarray, np.ndarray]  # unit vectors of x, y and the normal


class Stack(NamedTuple):
    """Slices in order along the normal, and where they are."""

    slices: tuple[Slice, ...]
    affine: np.ndarray  # 4x4, index (slice, row, column) to patient LPS, mm


def stack_of(path: Path, slices: Sequence[Slice]) -> Stack:
    """The regular stack that the slices make; Refused, with numbers, if they make none."""
    stack = ordered_of(path, slices)
    ordered, positions, along_mm, (x, y, normal) = stack
    _one_thickness(path, ordered)
    _no_tilt(path, ordered, positions, normal)
    increment_mm, start_mm = _regular(path, ordered, along_mm)
    same_order(path, ordered, [np.full(len(ordered) - 1, increment_mm)])
    line = positions[-1] - positions[0]
    line /= np.linalg.norm(line)
    rows_mm, columns_mm = np.array(slices[0].pixel_mm, float)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = line * increment_mm, y * rows_mm, x * columns_mm
    affine[:3, 3] = positions[0] + line * start_mm
    return Stack(ordered, affine)


def ordered_of(path: Path, slices: Sequence[Slice]) -> Ordered:
    """The slices of one scan in order, on a straight line; Refused if there are others or two."""
    _one_scan(path, slices)
    x, y, normal = _plane(path, slices[0])
    points = np.array([s.position for s in slices], float)
    along_mm = points @ normal
    order = np.argsort(along_mm, kind="stable")
    ordered, positions = tuple(slices[i] for i in order), points[order]
    _no_duplicates(path, ordered, along_mm[order])
    _straight(path, ordered, positions)
    return Ordered(ordered, positions, along_mm[order], (x, y, normal))


def _one_scan(path: Path, slices: Sequence[Slice]) -> None:
    """Refuse anything but slices of one series that differ in position alone."""
    _only_slices(path, slices)
    _one_series(path, slices)
    _complete(path, slices)
    _one_frame(path, slices)
    _one_kind_of_pixels(path, slices)
    _same(path, slices, "sizes", lambda s: s.shape, 0, "pixels")
    _same(path, slices, "pixel spacings", lambda s: s.pixel_mm, 1e-4, "mm")
    _same(path, slices, "orientations", lambda s: s.orientation, SAME_PLANE, "")
    if len(slices) < 2:
        raise refused(path, "1 slice", "two or more", "give the folder with the whole series")


def _one_thickness(path: Path, slices: Sequence[Slice]) -> None:
    """Refuse slices of mixed thickness."""
    advice = f"separate the scans, or {AS_ACQUIRED}"
    _same(
        path, slices, "thicknesses", lambda s: (s.thickness_mm or 0.0,), ROUNDED_MM, "mm",
        advice=advice, error=Irregular,
    )  # fmt: skip


def key_of(image: Slice) -> tuple[str, str, str]:
    """Patient, study and series of an image: equal for the images of one series."""
    return (image.patient, image.study, image.series)


def _only_slices(path: Path, slices: Sequence[Slice]) -> None:
    others = [s for s in slices if s.kind != "slice"]
    if others:
        kinds = [f"{n} {kind}" for kind, n in Counter(s.kind for s in others).items()]
        names = listed([s.name for s in others])
        found = f"{', '.join(kinds)} among {len(slices)} images ({names})"
        raise refused(path, found, "slices only", "move those files elsewhere")
    foreign = sorted({s.modality for s in slices} - {"CT", "MR"})
    if foreign:
        raise refused(path, f"modality {', '.join(foreign) or 'none'}", "CT or MR", "leave it out")


def _one_series(path: Path, slices: Sequence[Slice]) -> None:
    labels = {key_of(s): s.label.strip() for s in slices}
    counts = Counter(key_of(s) for s in slices)
    if len(counts) > 1:
        each = [f"{key[-1]} ({labels[key]}, {n} images)" for key, n in sorted(counts.items())]
        found = f"{len(counts)} series: {listed(each)}"
        raise refused(path, found, "one series", "put each series in a folder of its own")


def _complete(path: Path, slices: Sequence[Slice]) -> None:
    """Refuse slices without a position or without the meaning of their values."""
    needed = {
        "ImagePositionPatient": [s for s in slices if len(s.position or ()) != 3],
        "ImageOrientationPatient": [s for s in slices if len(s.orientation or ()) != 6],
        "PixelSpacing": [s for s in slices if len(s.pixel_mm or ()) != 2],
        "RescaleSlope and RescaleIntercept": [
            s for s in slices if s.modality == "CT" and s.rescale is None
        ],
    }
    for tag, silent in needed.items():
        if silent:
            names = listed([s.name for s in silent])
            found = f"no {tag} in {len(silent)} of {len(slices)} images ({names})"
            raise refused(path, found, "it in every image", "export the original series")
    numbers = np.array([(*(s.position or ()), *(s.orientation or ())) for s in slices])
    if not np.isfinite(numbers).all():
        raise refused(path, "positions that are not numbers", "finite ones", "export it again")
    for image in slices:
        slope, intercept = image.rescale or (1.0, 0.0)
        if not np.isfinite((slope, intercept)).all() or slope == 0:
            found = f"RescaleSlope {slope:g} and RescaleIntercept {intercept:g} in {image.name}"
            raise refused(path, found, "finite numbers, a slope other than 0", "export it again")


def _one_frame(path: Path, slices: Sequence[Slice]) -> None:
    """Refuse several frames of reference: their positions cannot be compared."""
    frames = Counter(s.reference for s in slices if s.reference)
    if len(frames) > 1:
        found = f"{len(frames)} frames of reference ({listed(sorted(frames))})"
        raise refused(path, found, "one FrameOfReferenceUID", "separate the scans")


def _one_kind_of_pixels(path: Path, slices: Sequence[Slice]) -> None:
    """A slice stored otherwise than the others was damaged, or made elsewhere."""
    kinds = Counter(s.facts["stored_as"] for s in slices)
    if len(kinds) > 1:
        usual = kinds.most_common(1)[0][0]
        odd = next(s for s in slices if s.facts["stored_as"] != usual)
        a, b = (" ".join(map(str, kind)) for kind in (odd.facts["stored_as"], usual))
        found = f"different pixels: {a} in {odd.name}, {b} in most"
        raise refused(path, found, "the same in every slice", "export the original series")


def _same(
    path: Path,
    slices: Sequence[Slice],
    what: str,
    get: Callable[[Slice], Any],
    tolerance: float,
    unit: str,
    *,
    advice: str = "separate the scans",
    error: type[Refused] = Refused,
) -> None:
    first = np.array(get(slices[0]))
    for other in slices:
        if not np.abs(np.array(get(other)) - first).max() <= tolerance:  # NaN is not the same
            a, b = ("x".join(f"{v:g}" for v in get(s)) for s in (slices[0], other))
            found = f"different {what}: {a} {unit} in {slices[0].name}, {b} {unit} in {other.name}"
            raise refused(path, found, "the same in every slice", advice, error=error)


def _plane(path: Path, image: Slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors of x, y and the normal of the image plane."""
    x, y = np.array(image.orientation).reshape(2, 3)
    lengths, cosine = np.linalg.norm([x, y], axis=1), float(x @ y)
    if np.abs(lengths - 1).max() > SQUARE or abs(cosine) > SQUARE:
        found = (
            f"ImageOrientationPatient {image.orientation} (lengths {lengths}, cosine {cosine:.3g})"
        )
        raise refused(path, found, "two unit vectors at right angles", "export it again")
    normal = np.cross(x, y)
    return x / lengths[0], y / lengths[1], normal / np.linalg.norm(normal)


def _no_duplicates(path: Path, ordered: Sequence[Slice], along_mm: np.ndarray) -> None:
    twice = np.flatnonzero(np.diff(along_mm) < SAME_MM)
    if twice.size:
        k = int(twice[0])
        found = (
            f"{twice.size} positions given twice among {len(ordered)} slices, the first at "
            f"{along_mm[k]:g} mm by {ordered[k].name} and {ordered[k + 1].name}"
        )
        raise refused(path, found, "one slice per position", "separate the phases or copies")


def _straight(path: Path, ordered: Sequence[Slice], positions: np.ndarray) -> None:
    """Positions on one straight line, whether or not it is the normal."""
    reach = positions - positions[0]
    line = reach[-1] / np.linalg.norm(reach[-1])
    beside_mm = np.linalg.norm(reach - np.outer(reach @ line, line), axis=1)
    worst = int(beside_mm.argmax())
    if beside_mm[worst] > ROUNDED_MM:
        found = f"{ordered[worst].name} {beside_mm[worst]:.3g} mm beside the line of the others"
        raise refused(path, found, "slices straight above each other", "export the original series")


def _no_tilt(
    path: Path, ordered: Sequence[Slice], positions: np.ndarray, normal: np.ndarray
) -> None:
    """The line of positions along the normal."""
    reach = positions - positions[0]
    line = reach[-1] / np.linalg.norm(reach[-1])
    tangent = np.linalg.norm(np.cross(line, normal)) / abs(line @ normal)
    if tangent > STRAIGHT:
        degrees = np.degrees(np.arctan(tangent))
        shift_mm = np.linalg.norm(reach[-1] - (reach[-1] @ normal) * normal)
        found = (
            f"gantry tilt: the slices' normal and the line of their positions are {degrees:.2f} "
            f"degrees apart ({shift_mm:.3g} mm over {len(ordered)} slices)"
        )
        raise refused(path, found, "0 degrees", AS_ACQUIRED, error=Irregular)


def _regular(path: Path, ordered: Sequence[Slice], along_mm: np.ndarray) -> tuple[float, float]:
    """Increment, and the regular line's start from the first slice; Refused if uneven."""
    k = np.arange(len(ordered))
    increment_mm, start_mm = (float(c) for c in np.polyfit(k, along_mm - along_mm[0], 1))
    off_mm = np.abs(along_mm - along_mm[0] - start_mm - increment_mm * k)
    allowed_mm = max(ROUNDED * increment_mm, ROUNDED_MM)
    if off_mm.max() <= allowed_mm:
        return round(increment_mm, 9), round(start_mm, 9)
    gaps_mm = np.diff(along_mm)
    usual_mm = float(np.median(gaps_mm))
    odd = np.flatnonzero(np.abs(gaps_mm - usual_mm) > max(ROUNDED * usual_mm, ROUNDED_MM))
    if not odd.size:
        found = f"an increment that drifts, up to {off_mm.max():.3g} mm off a regular line"
        advice = f"export the original series, or {AS_ACQUIRED}"
        raise refused(path, found, f"within {allowed_mm:.3g} mm", advice, error=Irregular)
    where = [
        f"{gaps_mm[i]:g} mm between {ordered[i].name} ({along_mm[i]:g} mm) and "
        f"{ordered[i + 1].name} ({along_mm[i + 1]:g} mm){_missing(gaps_mm[i], usual_mm)}"
        for i in odd.tolist()
    ]
    found = f"uneven or missing slices: increment {usual_mm:g} mm, but {listed(where, 3)}"
    expected, advice = (
        f"one increment within {allowed_mm:.3g} mm",
        f"add the slices, or {AS_ACQUIRED}",
    )
    raise refused(path, found, expected, advice, error=Irregular)


def same_order(path: Path, ordered: Sequence[Slice], gaps_mm: Sequence[np.ndarray]) -> None:
    """Refuse a SliceLocation that puts the slices in another order.

    gaps_mm   the gaps between the slices, once for every axis that SliceLocation may be along
    """
    locations_mm = [s.location_mm for s in ordered if s.location_mm is not None]
    if len(locations_mm) < len(ordered):
        return
    located_mm = np.diff(np.sort(locations_mm))
    if not any(np.abs(located_mm - gaps).max() <= ROUNDED_MM for gaps in gaps_mm):
        return  # of another stack: stale, as after reformatting
    steps = np.sign(np.diff(locations_mm))
    usual = 1 if steps.sum() > 0 else -1
    if (steps == usual).all():
        return
    k = int(np.flatnonzero(steps != usual)[0])
    found = (
        f"slices that SliceLocation and ImagePositionPatient put in different orders, the first "
        f"{ordered[k].name} and {ordered[k + 1].name}"
    )
    raise refused(path, found, "one order", "export the original series")


def _missing(gap_mm: float, usual_mm: float) -> str:
    holes = round(gap_mm / usual_mm) - 1
    whole = holes > 0 and abs(gap_mm - (holes + 1) * usual_mm) <= max(ROUNDED_MM, 0.05 * usual_mm)
    return f", {holes} missing" if whole else ""
