"""Tell padding from measurements when a scan is read, and fill it.

Scanners and converters write a number below air (-2000, -3024, -32768) where they measured nothing:
outside a round field of view, or where a scan was turned. Padding is what the file states as such,
and in CT a number below air that repeats itself exactly along the border of the slices; of both,
what is joined to that border within a slice. Measured air and metal are noisy, and a dark streak
inside the patient does not reach the border. Beside such numbers, everything far below air is
their blurred edge. A number no lower than air (-1024 HU) is padding only
where the file says so and it covers more than single pixels: noise cut at -1024 does not.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from thinslice.errors import refused
from thinslice.io.scan import BELOW_AIR_HU, odd_hu
from thinslice.io.whole_hu import doubts, refuse_narrow
from thinslice.volume import Padding, Volume, filled

REPEATS = 0.5  # of the border voxels of padding, at least, are followed by the same number
BLURRED_HU = -1500.0  # lower beside padding: its edge, blurred by resampling or lossy compression
FLAT = np.ones((3, 3), np.uint8)  # pixels that padding no lower than air covers at least


def settled(
    path: Path, volume: Volume, stated: np.ndarray | None = None
) -> tuple[Volume, list[str]]:
    """A scan as read, with its padding marked and filled, and notes on that and on odd HU.

    stated   boolean [Z, Y, X], true where the file itself says padding

    Refused where nothing else is there, and for CT of fractions in a narrow range.
    """
    marked = with_padding(volume, stated)
    notes, measured = [], marked.voxels
    if marked.padding is not None:
        mask = marked.padding.mask
        if mask.all():
            found = f"padding alone ({_listed(marked.padding)})"
            raise refused(path, found, "measured voxels", "export it again")
        notes.append(note(marked.padding))
        measured = measured[~mask]
    if marked.modality == "CT":
        refuse_narrow(path, measured)
        notes += doubts(measured) or odd_hu(float(measured.min()), float(measured.max()))
    return marked, notes


def note(padding: Padding) -> str:
    """What is padding and how much of it, as a sentence."""
    n = sum(padding.counts().values())
    share = 100 * n / padding.labels.size
    return (
        f"{n} voxels ({share:.3g} %) are padding ({_listed(padding)}): no measurement, they take "
        "part in nothing and come back unchanged"
    )


def with_padding(volume: Volume, stated: np.ndarray | None = None) -> Volume:
    """The volume with its padding marked and filled, as it is if that was done before.

    stated   as of ``settled``
    """
    if volume.padding is not None:
        return volume
    voxels, candidates = volume.voxels, None
    if stated is not None:
        candidates = _believed(voxels, stated, volume.modality)
    if volume.modality == "CT":
        for number in _repeated_below_air(voxels):
            more = voxels == number
            candidates = more if candidates is None else candidates | more
        if candidates is not None and voxels[candidates].min(initial=0) < BLURRED_HU:
            candidates |= voxels < BLURRED_HU
    mask = None if candidates is None else _joined_to_border(candidates)
    padding = None if mask is None else Padding.of(mask, voxels)
    if mask is None or padding is None:
        return volume
    return replace(volume, voxels=filled(voxels, mask, volume.modality), padding=padding)


def _believed(voxels: np.ndarray, stated: np.ndarray, modality: str) -> np.ndarray:
    """The stated padding, without noise cut off at its number; of MR without 0, the background."""
    if modality == "MR":
        return stated & (voxels != 0)
    out = np.empty_like(stated)
    for plane, values, believed in zip(stated, voxels, out):
        flat = cv2.morphologyEx(plane.view(np.uint8), cv2.MORPH_OPEN, FLAT).view(bool)
        believed[...] = plane & (flat | (values < BELOW_AIR_HU))
    return out


def _repeated_below_air(voxels: np.ndarray) -> list[float]:
    """Numbers below air that most of their border voxels share with those beside them.

    Beside them along the border, or at the same place in the next slice.
    """
    border = _border(voxels)
    numbers = np.unique(border[border < BELOW_AIR_HU])
    shares = [np.zeros(len(numbers))]
    for here, before in ((border, np.roll(border, 1, axis=1)), (border[1:], border[:-1])):
        below = here < BELOW_AIR_HU
        which, same = np.searchsorted(numbers, here[below]), (here == before)[below]
        n = np.bincount(which, minlength=len(numbers))
        shares.append(np.bincount(which, same, len(numbers)) / np.maximum(n, 1))
    return [float(number) for number in numbers[np.max(shares, axis=0) >= REPEATS]]


def _border(voxels: np.ndarray) -> np.ndarray:
    """Voxels on the border of each slice, [Z, P], in the order of a walk around it."""
    top, bottom = voxels[:, 0, :-1], voxels[:, -1, :0:-1]
    right, left = voxels[:, :-1, -1], voxels[:, :0:-1, 0]
    return np.concatenate([top, right, bottom, left], axis=1)


def _joined_to_border(candidates: np.ndarray) -> np.ndarray:
    """The candidates that others join, face by face within a slice, to its border."""
    out = np.zeros_like(candidates)
    for plane, joined in zip(candidates, out):
        if not plane.any():
            continue
        _, labels = cv2.connectedComponents(plane.view(np.uint8), connectivity=4)
        reaching = np.unique(_border(labels[None]))
        joined[...] = np.isin(labels, reaching[reaching > 0])
    return out


def _listed(padding: Padding, most: int = 4) -> str:
    """Its numbers, those with most voxels first."""
    ranked = sorted(padding.counts().items(), key=lambda each: -each[1])
    shown = ", ".join(f"{number:g}" for number, _ in ranked[:most])
    return shown if len(ranked) <= most else f"{shown} and {len(ranked) - most} more"
