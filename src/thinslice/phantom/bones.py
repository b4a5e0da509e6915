"""Spine, ribs, breastbone, collarbones and shoulder blades."""

import numpy as np

from thinslice.phantom.body import Body
from thinslice.phantom.layers import Layer
from thinslice.phantom.organs import SIDES, taper, turned
from thinslice.phantom.solids import Solids, chain, column, ellipsoid

LEVEL_MM = 12.6  # from vertebra to vertebra
TOP_MM = 62.0  # height of the first rib's vertebra
LEVELS = 12
CORTEX_MM = 0.9


def skeleton(h: Body, rng: np.random.Generator) -> list[Layer]:
    """All bones; marrow is painted into the cortex, cartilage stays soft."""
    heights = TOP_MM - LEVEL_MM * np.arange(LEVELS) + rng.normal(0, 0.5, LEVELS)
    body, spongy, arches, discs, canals = _spine(h, heights)
    ribs, marrow, cartilage = _ribs(h, heights, rng)
    flat, flat_marrow = _breastbone(h)
    blades = _shoulders(h)
    spongy_hu = rng.uniform(140, 260)
    return [
        Layer("cartilage", rng.uniform(90, 150), [*discs, *cartilage]),
        Layer("canal", 30.0, canals),
        Layer("vertebra", 0.6 * h.bone_hu, [*body, *flat]),
        Layer("spongy bone", spongy_hu, [*spongy, *flat_marrow]),
        Layer("bone", h.bone_hu, [*ribs, *arches, *blades]),
        Layer("marrow", spongy_hu, marrow, ("bone",)),
    ]


def spine_bend(h: Body, z_mm: float) -> tuple[float, float, float]:
    """Offset (y, x) of the spine at a height, and how much its end plates slope."""
    return -3.0 * (z_mm / 60) ** 2, h.scoliosis_mm * np.sin(z_mm / 28), 6.0 * z_mm / 3600


def _spine(h: Body, heights: np.ndarray) -> tuple[list[Solids], ...]:
    body, spongy, arches, discs, canals = [], [], [], [], []
    front = h.back_mm - 23.5
    for z in heights:
        dy, dx, slope = spine_bend(h, z)
        y = front + dy
        size = np.array((0.5 * LEVEL_MM - 1.5, 8.5, 11.0))
        body.append(column((z, y, dx), size, 2.3, slope))
        spongy.append(column((z, y, dx), size - CORTEX_MM, 2.3, slope))
        discs.append(column((z - LEVEL_MM / 2, y, dx), (2.2, 7.8, 10.2), 2.3, slope))
        canals.append(column((z, y + 13, dx), (LEVEL_MM / 2 + 0.3, 4.6, 5.6)))
        tip = (z - 8, h.back_mm - 1.5, dx)
        arches.append(chain([(z - 2, y + 18.5, dx), tip], 1.5))
        for side in SIDES:
            root = (z + 1, y + 7, dx + side * 7.5)
            corner = (z, y + 13.5, dx + side * 8.2)
            arches.append(chain([root, corner, (z - 2, y + 18.5, dx)], 1.7))
            arches.append(chain([corner, (z + 1, y + 14.5, dx + side * 17)], 1.9))
    return body, spongy, arches, discs, canals


def _ribs(
    h: Body, heights: np.ndarray, rng: np.random.Generator
) -> tuple[list[Solids], list[Solids], list[Solids]]:
    ribs, marrow, cartilage = [], [], []
    drop, radius = rng.uniform(30, 44), rng.uniform(2.1, 2.6)
    for level, z in enumerate(heights):
        for side in SIDES:
            ends = rng.uniform(2.15, 2.35), rng.uniform(2.75, 2.85)
            bony = _rib_path(h, z, side, drop, np.linspace(0.28, ends[0], 22))
            joint = (z, h.back_mm - 17, side * 9.0)
            bony = np.vstack([joint, bony])
            ribs.append(chain(bony, radius))
            marrow.append(chain(bony, radius - CORTEX_MM))
            if level < LEVELS - 3:
                soft = _rib_path(h, z, side, drop, np.linspace(ends[0], ends[1], 7))
                soft[:, 0] += np.linspace(0, 2.0 * level, 7)  # lower cartilages turn up
                cartilage.append(chain(soft, radius))
    return ribs, marrow, cartilage


def _rib_path(h: Body, z: float, side: int, drop_mm: float, angles: np.ndarray) -> np.ndarray:
    """Points [N, 3] around the chest; angle 0 is the back, pi the front."""
    sine, cosine, power = np.sin(angles), np.cos(angles), h.squareness
    out = (np.abs(sine) ** power + np.abs(cosine) ** power) ** (-1 / power)
    heights = z - drop_mm * (1 - cosine) / 2
    out *= taper(h, heights)
    y, x = (h.back_mm - 4.4) * cosine * out, side * (h.flank_mm - 4.4) * sine * out
    return np.stack([heights, y, x], 1)


def _breastbone(h: Body) -> tuple[list[Solids], list[Solids]]:
    hard, spongy = [], []
    for z in (28, 12, -3, -18):
        place, size = (z, -(h.back_mm - 5.0), 0), np.array((6.8, 3.0, 9.0))
        hard.append(column(place, size, 3.0))
        spongy.append(column(place, size - CORTEX_MM, 3.0))
    return hard, spongy


def _shoulders(h: Body) -> list[Solids]:
    out: list[Solids] = []
    for side in SIDES:
        inner, outer = (36, 7 - h.back_mm, side * 8), (54, -22, side * 58)
        out.append(chain([inner, (44, 9 - h.back_mm, side * 28), outer], 2.6))
        blade = turned(about_z=side * 0.75, about_x=0.12)
        out.append(ellipsoid((36, 37, side * 57), (24, 1.5, 14), blade))
    return out
