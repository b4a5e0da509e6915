"""Lung contents: vessels, airways, fissures, uneven parenchyma, nodules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.errors import Refused
from thinslice.phantom.body import Body
from thinslice.phantom.layers import Layer, Tint
from thinslice.phantom.organs import LEFT_HILUM, LUNG, RIGHT_HILUM, SIDES, turned
from thinslice.phantom.solids import Barrels, Capsules, Ellipsoids, Solids, contains, ellipsoid
from thinslice.phantom.trees import grow

TWIGS = 330  # of one artery or vein tree, in one lung
TWIG_MM = 0.38  # radius
AIRWAYS = 36
AIRWAY_MM = 0.55
BLOBS = 2600
NODULES_MM = (1.5, 5.0)  # radii
TRIES = 1000  # at a patient's nodules; those of 5.5 to 6 mm take about a hundred
SURFACE = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)], float)


@dataclass(frozen=True)
class LungMask:
    """What bounds the lungs: their cavity, and all that is painted over them."""

    cavity: Sequence[Solids]
    painted: Sequence[Solids]

    def free(self, lung: Barrels, points: np.ndarray) -> np.ndarray:
        """Which points [N, (z, y, x)] are lung in the finished chest; bool [N]."""
        inside = contains([lung], points)
        inside[inside] = contains(self.cavity, points[inside])
        inside[inside] = ~contains(self.painted, points[inside])
        return inside


def free_points(lung: Barrels, mask: LungMask, n: int, rng: np.random.Generator) -> np.ndarray:
    """n points (z, y, x), even in the part of a lung that nothing else is painted over."""
    free = np.empty((0, 3))
    while len(free) < n:
        points = lung.centres[0] + lung.semi_mm[0] * rng.uniform(-1, 1, (4 * n, 3))
        free = np.vstack([free, points[mask.free(lung, points)]])
    return free[:n]


def trees(
    h: Body, lungs: Sequence[Barrels], mask: LungMask, rng: np.random.Generator
) -> list[Layer]:
    """Arteries, veins and airways, only inside the lungs."""
    vessels, walls, lumens = [], [], []
    for lung, hilum in zip(lungs, (RIGHT_HILUM, LEFT_HILUM), strict=True):
        for offset in ((3.0, -4.0, 0.0), (-7.0, -3.0, 0.0)):  # artery above, vein below
            targets = free_points(lung, mask, TWIGS, rng)
            vessels.append(grow(np.array(hilum) + offset, targets, TWIG_MM, rng))
        airways = grow(np.array(hilum), free_points(lung, mask, AIRWAYS, rng), AIRWAY_MM, rng)
        lumens.append(airways)
        walls.append(Capsules(airways.starts, airways.ends, 1.3 * airways.radii + 0.25))
    return [
        Layer("pulmonary vessel", h.blood_hu, vessels, ("lung",)),
        Layer("airway wall", -40.0, walls, LUNG[:2]),
        Layer("airway", -970.0, lumens, LUNG[:3]),
    ]


def parenchyma(lungs: Sequence[Barrels], rng: np.random.Generator) -> list[Tint]:
    """Uneven lung tissue: small blobs, denser tissue at the back, and the fissures."""
    out = []
    for lung, side in zip(lungs, SIDES, strict=True):
        centres = lung.centres[0] + lung.semi_mm[0] * rng.uniform(-1, 1, (BLOBS // 2, 3))
        semi = rng.uniform(1.5, 6.0, (BLOBS // 2, 1)) * rng.uniform(0.6, 1.4, (BLOBS // 2, 3))
        axes = np.linalg.qr(rng.normal(size=(BLOBS // 2, 3, 3)))[0]
        out.append(Tint(rng.normal(0, 28, BLOBS // 2), Ellipsoids(centres, semi, axes), ("lung",)))
        z, y, x = lung.centres[0]
        back = ellipsoid((z - 10, y + 34, x), (60, 26, 40))
        out.append(Tint(np.array([rng.uniform(15, 50)]), back, ("lung",)))
        sheets = [_sheet((z + 8, y + 4, x), turned(about_x=rng.uniform(0.75, 1.0)))]
        if side < 0:
            sheets.append(_sheet((z + 14, y - 24, x), turned(about_x=rng.uniform(-0.2, 0.1)), 20))
        out += [Tint(np.array([rng.uniform(150, 300)]), sheet, ("lung",)) for sheet in sheets]
    return out


def nodules(
    lungs: Sequence[Barrels],
    mask: LungMask,
    rng: np.random.Generator,
    radii_mm: tuple[float, float] = NODULES_MM,
) -> list[tuple[Ellipsoids, float]]:
    """Nodules wholly inside free lung and apart from each other, each with its HU.

    Refused where the lungs have no room for as many of these radii.
    """
    smallest, largest = np.log(radii_mm)
    out: list[tuple[Ellipsoids, float]] = []
    wanted = int(rng.integers(2, 7))
    for _ in range(TRIES):
        lung = lungs[int(rng.integers(2))]
        radius = float(np.exp(rng.uniform(smallest, largest)))
        centre = free_points(lung, mask, 1, rng)[0]
        around = centre + (1.3 * radius + 1.0) * SURFACE
        apart = not contains([nodule for nodule, _ in out], around).any()
        if apart and mask.free(lung, around).all():
            semi = radius * rng.uniform(0.8, 1.25, 3)
            axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
            hu = rng.uniform(0, 60) if rng.random() < 0.75 else rng.uniform(-650, -400)
            out.append((ellipsoid(centre, semi, axes), float(hu)))
            if len(out) == wanted:
                return out
    raise Refused(
        f"nodules_mm: found {radii_mm[0]:g} to {radii_mm[1]:g} mm, of which {len(out)} of {wanted} "
        f"nodules had room in the lungs after {TRIES} tries; expected smaller radii"
    )


def _sheet(centre: Sequence[float], axes: np.ndarray, wide_mm: float = 46) -> Ellipsoids:
    """A thin disc; its axes start with the direction across it."""
    return ellipsoid(centre, (0.5, wide_mm, wide_mm), axes)
