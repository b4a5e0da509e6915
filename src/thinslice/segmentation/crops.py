"""Training crops of thin scans with their labels, small structures as often as large ones.

Shape suffixes: B crops, 1 channel, Z Y X axes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Scan
from thinslice.segmentation.settings import Settings


class Labelled(NamedTuple):
    """A thin scan and its labels, uint8 [Z, Y, X]."""

    case: str
    scan: Scan
    labels: np.ndarray


class Crops:
    """Draws batches of (x_B1ZYX in [0, 1], labels_BZYX); what lies beyond a scan is its edge."""

    def __init__(self, scans: Sequence[Labelled], structures: int, settings: Settings):
        self.scans, self.settings = scans, settings
        self.places = [
            [
                (number, places)
                for number, each in enumerate(scans)
                if len(places := np.flatnonzero(each.labels.ravel() == k + 1))
            ]
            for k in range(structures)
        ]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        crops = [self._crop(rng) for _ in range(self.settings.batch)]
        x, y = (np.stack(part) for part in zip(*crops))
        return torch.from_numpy(x[:, None]), torch.from_numpy(y)

    def shares(self) -> list[float]:
        """How frequent each label is in the scans, nothing first."""
        voxels = sum(each.labels.size for each in self.scans)
        found = [sum(len(places) for _, places in each) / voxels for each in self.places]
        return [1 - sum(found), *found]

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        number, centre = self._centre(rng)
        scan = self.scans[number]
        shape = scan.labels.shape
        block = [
            _span(c, s, n, rng) for c, s, n in zip(centre, self.settings.side, shape, strict=True)
        ]
        low, high = self.settings.window_hu
        hu = np.asarray(scan.scan.read(*block), np.float32)
        unit = np.clip((hu - low) / (high - low), 0, 1)
        labels = scan.labels[tuple(block)].astype(np.int64)
        more = [(0, s - n) for s, n in zip(self.settings.side, unit.shape, strict=True)]
        both = np.pad(unit, more, "edge"), np.pad(labels, more, "edge")
        turned = rng.random() < 0.5
        x, y = (each[..., ::-1] if turned else each for each in both)
        return np.ascontiguousarray(x), np.ascontiguousarray(y)

    def _centre(self, rng: np.random.Generator) -> tuple[int, tuple[int, ...]]:
        """A scan's number, and a voxel of it: of a structure, or any."""
        there = [scans for scans in self.places if scans]
        if there and rng.random() < self.settings.centred:
            scans = there[int(rng.integers(len(there)))]
            number, places = scans[int(rng.integers(len(scans)))]
            place = places[int(rng.integers(len(places)))]
            at = np.unravel_index(place, self.scans[number].labels.shape)
            return number, tuple(map(int, at))
        number = int(rng.integers(len(self.scans)))
        return number, tuple(int(rng.integers(n)) for n in self.scans[number].labels.shape)


def _span(centre: int, side: int, n: int, rng: np.random.Generator) -> slice:
    """``side`` voxels, or as many as there are, that hold the centre somewhere inside."""
    first = centre - int(rng.integers(side // 4, side - side // 4))
    first = min(max(first, 0), max(n - side, 0))
    return slice(first, min(first + side, n))
