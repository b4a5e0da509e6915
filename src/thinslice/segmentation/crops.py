"""Training crops of thin scans with their labels, structures as often as nothing.

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
            [np.flatnonzero(each.labels.ravel() == k + 1) for k in range(structures)]
            for each in scans
        ]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        crops = [self._crop(rng) for _ in range(self.settings.batch)]
        x, y = (np.stack(part) for part in zip(*crops))
        return torch.from_numpy(x[:, None]), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        number = int(rng.integers(len(self.scans)))
        scan = self.scans[number]
        shape = scan.labels.shape
        centre = self._centre(number, shape, rng)
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

    def _centre(
        self, number: int, shape: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[int, ...]:
        """A voxel of a structure, or any."""
        there = [places for places in self.places[number] if len(places)]
        if there and rng.random() < self.settings.centred:
            places = there[int(rng.integers(len(there)))]
            return tuple(map(int, np.unravel_index(places[int(rng.integers(len(places)))], shape)))
        return tuple(int(rng.integers(n)) for n in shape)


def _span(centre: int, side: int, n: int, rng: np.random.Generator) -> slice:
    """``side`` voxels, or as many as there are, that hold the centre somewhere inside."""
    first = centre - int(rng.integers(side // 4, side - side // 4))
    first = min(max(first, 0), max(n - side, 0))
    return slice(first, min(first + side, n))
