"""Body wall, lungs, diaphragm, heart and mediastinum."""

import numpy as np

from thinslice.phantom.body import Body
from thinslice.phantom.layers import Layer
from thinslice.phantom.solids import Barrels, Ellipsoids, Solids, barrel, chain, column, ellipsoid

SIDES = (-1, 1)  # right and left: x grows to the patient's left
FAT_HU = -100.0
RIB_CAGE_MM = 7.2  # from the skin's inner side to the lung
WIDEST_MM = -12.0  # height above which the rib cage narrows
DOME_MM = 62.0
LUNG = ("lung", "pulmonary vessel", "airway wall", "airway")  # what fills a lung
RIGHT_HILUM, LEFT_HILUM = (6.0, 8.0, -17.0), (9.0, 9.0, 19.0)


def turned(about_z: float = 0.0, about_y: float = 0.0, about_x: float = 0.0) -> np.ndarray:
    """Axes [3, 3] of a solid turned by angles in radians, about z first."""
    out = np.eye(3)
    for i, j, angle in ((1, 2, about_z), (0, 2, about_y), (0, 1, about_x)):
        turn = np.eye(3)
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = np.sin(angle), -np.sin(angle)
        out = turn @ out
    return out


def body_wall(h: Body) -> list[Layer]:
    """Skin fat, muscles and a thin fat plane between them; shoulders at the top."""

    def shell(inwards_mm: float) -> list[Solids]:
        wide, deep = h.half_width_mm - inwards_mm, h.half_depth_mm - inwards_mm
        trunk = barrel((-30, 0, 0), (230 - inwards_mm, deep, wide), h.squareness)
        shoulders = [
            ellipsoid(
                (50, 26, side * 50),
                np.array((40.0, 23.0, 28.0)) - inwards_mm,
                turned(about_z=side * 0.6),
            )
            for side in SIDES
        ]
        return [trunk, *shoulders]

    return [
        Layer("skin fat", FAT_HU, shell(0)),
        Layer("muscle", h.muscle_hu, shell(h.fat_mm)),
        Layer("fat plane", FAT_HU + 30, shell(h.fat_mm + 1.3)),
        Layer("chest wall", h.muscle_hu - 5, shell(h.fat_mm + 2.2)),
        Layer("cavity", h.muscle_hu - 5, cavity(h)),
    ]


def cavity(h: Body) -> list[Solids]:
    """What the ribs enclose: straight below, narrowing to the top as ``taper`` says."""
    deep, wide = h.back_mm - RIB_CAGE_MM, h.flank_mm - RIB_CAGE_MM
    dome = barrel((WIDEST_MM, 0, 0), (DOME_MM, deep, wide), h.squareness)
    below = column((WIDEST_MM - 60, 0, 0), (60, deep, wide), h.squareness)
    return [dome, below]


def taper(h: Body, z_mm: np.ndarray) -> np.ndarray:
    """In-plane size of the rib cage at heights z, share of its widest; not below 0.45."""
    above = np.clip((z_mm - WIDEST_MM) / DOME_MM, 0, 0.999)
    return np.maximum((1 - above**2) ** (1 / h.squareness), 0.45)


def lungs(h: Body) -> list[Barrels]:
    """Right and left lung, to be held to the cavity; the middle of the chest is painted over."""
    semi = (66, h.back_mm - RIB_CAGE_MM, 0.42 * h.half_width_mm)
    reach = h.flank_mm - RIB_CAGE_MM
    return [barrel((WIDEST_MM, 1, side * (reach - semi[2])), semi, 2.3) for side in SIDES]


def abdomen(h: Body, rng: np.random.Generator) -> list[Layer]:
    """Diaphragm domes over liver and spleen, with the stomach's bubble of gas."""
    wide, deep, low = h.half_width_mm, h.half_depth_mm, h.breath_mm
    right = ellipsoid((-76 + low, 0, -0.42 * wide), (55, 0.92 * deep, 0.60 * wide))
    left = ellipsoid((-83 + low, 2, 0.44 * wide), (55, 0.92 * deep, 0.56 * wide))
    bubble = ellipsoid((-52 + low, -12, 34), rng.uniform((7, 12, 10), (10, 18, 15)))
    bulk = ellipsoid((-88 + low, 0, 0), (55, 0.9 * deep, 0.9 * wide))
    hidden = (*LUNG, "mediastinum")
    vessels = chain([(-30 + low, 4, -26), (-46 + low, -2, -38), (-60 + low, -4, -46)], 2.5)
    return [
        Layer("abdomen", h.muscle_hu + rng.uniform(0, 12), [right, left, bulk], hidden),
        Layer("liver vein", 0.5 * (h.blood_hu + h.muscle_hu), [vessels], ("abdomen",)),
        Layer("stomach gas", -990.0, [bubble], ("abdomen",)),
    ]


def heart(h: Body, rng: np.random.Generator) -> list[Layer]:
    """Two chambers' blood in myocardium, in fat; the heart leans to the left and down."""
    size, low = rng.uniform(0.9, 1.1), h.breath_mm / 2
    lean = turned(about_z=-0.5, about_y=0.5)
    apex, base = (-13 + low, -13, 15), (2 + low, 3, -5)

    def outline(grown_mm: float) -> list[Ellipsoids]:
        semi = size * np.array((22.0, 22.0, 30.0)), size * np.array((19.0, 17.0, 21.0))
        return [
            ellipsoid(apex, semi[0] + grown_mm, lean),
            ellipsoid(base, semi[1] + grown_mm, lean),
        ]

    chambers = [
        ellipsoid((-11 + low, -9, 20), size * np.array((11.0, 10.0, 19.0)), lean),
        ellipsoid((-12 + low, -22, 6), size * np.array((11.0, 8.0, 17.0)), lean),
        ellipsoid((3 + low, 6, 2), size * np.array((12.0, 9.0, 14.0)), lean),
        ellipsoid((2 + low, -2, -16), size * np.array((14.0, 11.0, 8.0)), lean),
    ]
    return [
        Layer("heart fat", FAT_HU, [*outline(1.8)]),
        Layer("heart", h.muscle_hu + 0.25 * max(h.blood_hu - 50, 0), [*outline(0)]),
        Layer("heart blood", h.blood_hu, [*chambers], ("heart",)),
    ]


def mediastinum(h: Body, rng: np.random.Generator) -> Layer:
    """The fat between the lungs."""
    fat = barrel((10, -2, 0), (95, h.back_mm - 7, rng.uniform(9, 13)), 2.0)
    return Layer("mediastinum", rng.uniform(-95, -20), [fat])


def pipes(h: Body, rng: np.random.Generator) -> list[Layer]:
    """Gullet, great vessels, trachea and main bronchi."""
    gullet = [(70, 17, 2), (20, 18, 3), (-20, 17, 5), (-60, 10, 10)]
    trachea = [(70, 6, 0), (40, 7, -1), (17, 9, 1)]
    return [
        Layer("gullet", h.muscle_hu - 10, [chain(gullet, 3.4)]),
        Layer("gullet air", -700.0, [chain([(40, 17, 2), (24, 18, 3)], 1.2)], ("gullet",)),
        Layer("great vessel", h.blood_hu, _great_vessels(h, rng)),
        Layer("trachea wall", 20.0, _windpipe(trachea, 4.8, 3.7)),
        Layer("trachea", -985.0, _windpipe(trachea, 3.7, 2.7)),
    ]


def _windpipe(trachea: list, wide_mm: float, branch_mm: float) -> list[Solids]:
    carina = trachea[-1]
    right = [carina, (11, 9, -8), RIGHT_HILUM]
    left = [carina, (12, 9, 9), LEFT_HILUM]
    return [chain(trachea, wide_mm), chain(right, branch_mm), chain(left, branch_mm)]


def _great_vessels(h: Body, rng: np.random.Generator) -> list[Solids]:
    wide = rng.uniform(0.9, 1.1)
    arch = 32 + rng.uniform(-4, 4)
    x = 13 + h.scoliosis_mm / 2
    up = [(2, -10, -2), (18, -14, -6), (arch - 3, -8, -4), (arch, 2, 5), (arch - 3, 12, 11)]
    down = [(arch - 3, 12, 11), (arch - 14, 19, x), (-30, 20, x - 2), (-70, 19, x - 6)]
    trunk = [(-2, -20, 8), (12, -12, 10), (15, -2, 8)]
    lung_arteries = [(14, 3, 19), (15, -2, 8), (9, 0, -6), (7, 3, -20)]
    hollow = [(62, -10, -13), (30, -10, -13), (6, -6, -13)]
    neck = [[(arch, 2 + 4 * i, 4 * i - 3), (68, 3 * i - 2, 9 * i - 8)] for i in (0, 1, 2)]
    paths = [(up, 6.6), (down, 5.4), (trunk, 6.2), (lung_arteries, 4.6), (hollow, 4.4)]
    arteries = [chain(path, wide * radius) for path, radius in paths]
    return [*arteries, *(chain(path, 2.3 * wide) for path in neck)]
