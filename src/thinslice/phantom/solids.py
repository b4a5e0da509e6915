"""Solids with closed-form chords: where a line along z enters and leaves them.

With the chord known, the integral of a solid along z under any slice profile is a difference of two
values of the profile's cumulative integral: exact, on no grid. Solids come in bunches: one object
holds N of a kind as arrays, and a chord is asked for as (which solid, y, x). All are convex, so one
chord is enough. Points and vectors are (z, y, x), millimetres.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np

Chords = tuple[np.ndarray, np.ndarray]  # low_M, high_M in mm; a miss has low > high
MISS = 1.0, -1.0


class Solids(Protocol):
    """A bunch of solids of one kind."""

    def __len__(self) -> int: ...
    def boxes_mm(self) -> np.ndarray:
        """In-plane bounds [N, (y0, y1, x0, x1)]."""
        ...

    def chords_mm(self, which: np.ndarray, y: np.ndarray, x: np.ndarray) -> Chords:
        """Chords of solids ``which`` [M] at the points (y, x) [M]."""
        ...

    def scaled(self, factor: float) -> "Solids":
        """The same bunch, every length times ``factor``."""
        ...


@dataclass(frozen=True)
class Ellipsoids:
    """Ellipsoids of any orientation; ``axes`` [N, 3, 3] has their unit axes as rows."""

    centres: np.ndarray
    semi_mm: np.ndarray
    axes: np.ndarray

    def __len__(self) -> int:
        return len(self.centres)

    def boxes_mm(self) -> np.ndarray:
        """In-plane bounds."""
        reach = np.sqrt(((self.axes * self.semi_mm[..., None]) ** 2).sum(1))
        return _boxes(self.centres - reach, self.centres + reach)

    def chords_mm(self, which: np.ndarray, y: np.ndarray, x: np.ndarray) -> Chords:
        """Roots of the quadric along z."""
        quadric = np.einsum("nai,naj,na->nij", self.axes, self.axes, self.semi_mm**-2.0)
        zz, zy, zx = (quadric[:, 0, i][which] for i in range(3))
        yy, yx, xx = quadric[:, 1, 1][which], quadric[:, 1, 2][which], quadric[:, 2, 2][which]
        y, x = y - self.centres[which, 1], x - self.centres[which, 2]
        linear = (zy * y + zx * x) / zz
        inside = linear**2 - (yy * y * y + 2 * yx * y * x + xx * x * x - 1) / zz
        return _around(self.centres[which, 0] - linear, inside)

    def scaled(self, factor: float) -> "Ellipsoids":
        """The same bunch, larger or smaller."""
        return replace(self, centres=self.centres * factor, semi_mm=self.semi_mm * factor)

    def volumes_mm3(self) -> np.ndarray:
        """Closed-form volumes [N]."""
        return 4 / 3 * np.pi * self.semi_mm.prod(1)


@dataclass(frozen=True)
class Capsules:
    """Cylinders with hemispherical ends: all points within ``radii`` of the line start-end."""

    starts: np.ndarray
    ends: np.ndarray
    radii: np.ndarray

    def __len__(self) -> int:
        return len(self.radii)

    def boxes_mm(self) -> np.ndarray:
        """In-plane bounds."""
        low, high = np.minimum(self.starts, self.ends), np.maximum(self.starts, self.ends)
        return _boxes(low - self.radii[:, None], high + self.radii[:, None])

    def chords_mm(self, which: np.ndarray, y: np.ndarray, x: np.ndarray) -> Chords:
        """The union of spheres along the line: their tops are a concave function of place.

        The sphere at share t of the way sits at height z(t) and covers (y, x) where
        Q(t) = r^2 - |(y, x) - c(t)|^2 >= 0; the chord's ends are the extremes of z(t) +- sqrt Q(t),
        found where the derivative is zero or, failing that, at the nearest end of t's range.
        """
        a, d, r = self.starts[which], (self.ends - self.starts)[which], self.radii[which]
        across = np.maximum(d[:, 1] ** 2 + d[:, 2] ** 2, 1e-12)
        y, x = y - a[:, 1], x - a[:, 2]
        nearest = (y * d[:, 1] + x * d[:, 2]) / across
        clear = r**2 - (y * y + x * x) + nearest**2 * across  # Q at its largest
        reach = np.sqrt(np.maximum(clear, 0) / across)
        first, last = np.maximum(nearest - reach, 0), np.minimum(nearest + reach, 1)
        steep = d[:, 0] * reach / np.sqrt(across + d[:, 0] ** 2)
        out = []
        for sign in (-1, 1):
            t = np.clip(nearest + sign * steep, first, np.maximum(first, last))
            q = np.maximum(clear - across * (t - nearest) ** 2, 0)
            out.append(a[:, 0] + t * d[:, 0] + sign * np.sqrt(q))
        hit = (clear >= 0) & (first <= last)
        return np.where(hit, out[0], MISS[0]), np.where(hit, out[1], MISS[1])

    def scaled(self, factor: float) -> "Capsules":
        """The same bunch, larger or smaller."""
        return Capsules(self.starts * factor, self.ends * factor, self.radii * factor)


@dataclass(frozen=True)
class Barrels:
    """|y/b|^p + |x/a|^p + (z/c)^2 <= 1: ellipsoids with a squarer outline in-plane."""

    centres: np.ndarray
    semi_mm: np.ndarray
    powers: np.ndarray

    def __len__(self) -> int:
        return len(self.powers)

    def boxes_mm(self) -> np.ndarray:
        """In-plane bounds."""
        return _boxes(self.centres - self.semi_mm, self.centres + self.semi_mm)

    def chords_mm(self, which: np.ndarray, y: np.ndarray, x: np.ndarray) -> Chords:
        """Half chord c sqrt(1 - outline)."""
        outline = _outline(self, which, y, x)
        half = self.semi_mm[which, 0] ** 2 * (1 - outline)
        return _around(self.centres[which, 0], half)

    def scaled(self, factor: float) -> "Barrels":
        """The same bunch, larger or smaller."""
        return replace(self, centres=self.centres * factor, semi_mm=self.semi_mm * factor)


@dataclass(frozen=True)
class Columns:
    """Upright cylinders of the same outline, ended by planes that rise ``slopes`` per mm of y."""

    centres: np.ndarray
    semi_mm: np.ndarray
    powers: np.ndarray
    slopes: np.ndarray

    def __len__(self) -> int:
        return len(self.powers)

    def boxes_mm(self) -> np.ndarray:
        """In-plane bounds."""
        return _boxes(self.centres - self.semi_mm, self.centres + self.semi_mm)

    def chords_mm(self, which: np.ndarray, y: np.ndarray, x: np.ndarray) -> Chords:
        """The planes' heights inside the outline."""
        hit = _outline(self, which, y, x) <= 1
        rise = self.slopes[which] * (y - self.centres[which, 1])
        middle, half = self.centres[which, 0] + rise, self.semi_mm[which, 0]
        return np.where(hit, middle - half, MISS[0]), np.where(hit, middle + half, MISS[1])

    def scaled(self, factor: float) -> "Columns":
        """The same bunch, larger or smaller."""
        return replace(self, centres=self.centres * factor, semi_mm=self.semi_mm * factor)


Point = Sequence[float] | np.ndarray


def ellipsoid(centre: Point, semi_mm: Point, axes: np.ndarray | None = None) -> Ellipsoids:
    """A bunch of one; ``axes`` [3, 3] has the directions of the semi-axes as rows."""
    turned = np.eye(3) if axes is None else axes
    return Ellipsoids(np.array([centre], float), np.array([semi_mm], float), turned[None])


def barrel(centre: Point, semi_mm: Point, power: float) -> Barrels:
    """A bunch of one."""
    return Barrels(np.array([centre], float), np.array([semi_mm], float), np.array([power]))


def column(centre: Point, semi_mm: Point, power: float = 2.0, slope: float = 0.0) -> Columns:
    """A bunch of one."""
    sizes = np.array([centre], float), np.array([semi_mm], float)
    return Columns(*sizes, np.array([power]), np.array([slope]))


def chain(points: Sequence[Point] | np.ndarray, radius_mm: float) -> Capsules:
    """Capsules from point to point."""
    line = np.array(points, float)
    return Capsules(line[:-1], line[1:], np.full(len(line) - 1, radius_mm))


def contains(bunches: Sequence[Solids], points: np.ndarray) -> np.ndarray:
    """Whether any solid holds each of the points [N, (z, y, x)]; bool [N]."""
    inside = np.zeros(len(points), bool)
    z, y, x = points.T
    for bunch in bunches:
        y0, y1, x0, x1 = bunch.boxes_mm().T[..., None]
        which, point = np.nonzero((y0 <= y) & (y <= y1) & (x0 <= x) & (x <= x1))
        if len(point):
            low, high = bunch.chords_mm(which, y[point], x[point])
            inside[point[(low <= z[point]) & (z[point] <= high)]] = True
    return inside


def joined(bunches: Sequence[Solids]) -> list[Solids]:
    """The same solids in one bunch of each kind: points are looked for in all of a kind at once."""
    kinds: dict[Any, list[Solids]] = {}
    for bunch in bunches:
        kinds.setdefault(type(bunch), []).append(bunch)
    return [
        kind(
            *(
                np.concatenate([getattr(bunch, part.name) for bunch in same])
                for part in fields(kind)
            )
        )
        for kind, same in kinds.items()
    ]


def _outline(
    bunch: Barrels | Columns, which: np.ndarray, y: np.ndarray, x: np.ndarray
) -> np.ndarray:
    y = np.abs(y - bunch.centres[which, 1]) / bunch.semi_mm[which, 1]
    x = np.abs(x - bunch.centres[which, 2]) / bunch.semi_mm[which, 2]
    power = bunch.powers[which]
    return y**power + x**power


def _around(middle: np.ndarray, squared: np.ndarray) -> Chords:
    half = np.sqrt(np.maximum(squared, 0))
    hit = squared >= 0
    return np.where(hit, middle - half, MISS[0]), np.where(hit, middle + half, MISS[1])


def _boxes(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.stack([low[:, 1], high[:, 1], low[:, 2], high[:, 2]], 1)
