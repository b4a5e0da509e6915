"""Branching trees that fill an organ: pulmonary arteries, veins and airways.

A tree supplies target points. The targets are split in two across their longest direction, a branch
runs part of the way to the middle of each half, and so on until a twig reaches every target. Radii
follow Murray: a branch that feeds n twigs is n^(1/2.6) times as wide as one. Branches bow a little.
"""

import numpy as np

from thinslice.phantom.solids import Capsules

MURRAY = 2.6
REACH = 0.45  # share of the way from a branching to the middle of what the branch feeds
BOW = 0.08  # sideways, share of a branch's length


def grow(
    root: np.ndarray, targets: np.ndarray, tip_mm: float, rng: np.random.Generator
) -> Capsules:
    """The tree from ``root`` (z, y, x) to every target [N, 3], its twigs ``tip_mm`` in radius."""
    starts, ends, radii = [], [], []
    waiting = [(np.asarray(root, float), targets)]
    while waiting:
        node, fed = waiting.pop()
        for half in _halves(fed, rng) if len(fed) > 1 else [fed]:
            share = REACH if len(half) > 1 else 1.0
            tip = node + share * (half.mean(0) - node)
            middle = (node + tip) / 2 + BOW * np.linalg.norm(tip - node) * rng.normal(size=3)
            starts += [node, middle]
            ends += [middle, tip]
            radii += [tip_mm * len(half) ** (1 / MURRAY)] * 2
            if len(half) > 1:
                waiting.append((tip, half))
    return Capsules(np.array(starts), np.array(ends), np.array(radii))


def _halves(points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The points parted across their longest direction, somewhere near the middle."""
    centred = points - points.mean(0)
    longest = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    order = np.argsort(centred @ longest)
    cut = int(np.clip(round(len(points) * rng.uniform(0.3, 0.7)), 1, len(points) - 1))
    return points[order[:cut]], points[order[cut:]]
