"""Slices of test cases as compressed images: what the page's viewer shows without any scan.

Each volume is in 256 shades, its slices laid out in one image. The first case is always there, and
further ones while all of them fit a budget without loss. Large scans are made smaller: pixels
averaged in-plane, and a slab of the middle slices. No number is measured on these pictures.
"""

import base64
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, NamedTuple

import cv2
import numpy as np

from thinslice.interfaces import Scan
from thinslice.report.pictures._planes import NORMAL, View, fitting, letters, limits
from thinslice.report.pictures.shades import Knots, from_shades, knots_for, to_shades
from thinslice.volume import Grid

CAPTION = "Slices of test cases for the page's viewer, in 256 shades; nothing is measured on them."
MOST_SIDE, MOST_SLICES = 160, 160  # of a volume in the viewer; larger ones are made smaller
BUDGET_BYTES = 2_400_000  # of all images together, before they are text
TOGETHER = 16  # slices read at once
QUALITIES = (101, 95, 90, 80, 60)  # of WebP, the best that fits is taken; above 100 is lossless
TEXT = "data:image/webp;base64,"


class Packed(NamedTuple):
    """A volume in shades, and where it lies, in mm from the first voxel of the case's frame."""

    shades: np.ndarray  # uint8 [z, y, x]
    first_mm: tuple[float, float, float]
    step_mm: tuple[float, float, float]


def document(cases: Iterable[tuple[str, Mapping[str, Scan]]], **about: Any) -> dict[str, Any]:
    """Everything the viewer needs of a data set, as JSON.

    cases    name -> scans of a case by name: "thin" where there is one, "thick", then the restored
    about    further facts, e.g. dataset, degradation, sim
    """
    drawn: list[dict[str, Any]] = []
    spent = 0
    for name, scans in cases:
        case, size = _case(name, scans)
        if drawn and spent + size > BUDGET_BYTES:
            break
        drawn.append(case)
        spent += size
        if not case["lossless"]:
            break  # it fills the budget: to compress another one takes seconds, for nothing
    return {**about, "cases": drawn}


def _case(name: str, scans: Mapping[str, Scan]) -> tuple[dict[str, Any], int]:
    """One case, and the bytes of its images; these are lossy where they would be too large."""
    thick = scans["thick"]
    frame = scans["thin"].grid if "thin" in scans else _last(scans).grid
    slab = _slab(frame)
    factor = ceil(max(frame.shape) / MOST_SIDE)
    knots = knots_for(thick)
    packed = {key: _packed(scan, frame, slab, factor, knots) for key, scan in scans.items()}
    images, quality = _fitting(packed)
    lossless = quality == QUALITIES[0]
    shown = packed["thin"] if "thin" in packed else packed[list(packed)[-1]]
    small = _small(packed, shown, frame, thick, knots)
    volumes = [_volume(key, packed[key], images[key], small[key]) for key in packed]
    return {
        "case": name,
        "modality": thick.modality,
        "thick_mm": [thick.grid.thickness_mm, thick.grid.increment_mm],
        "averaged": factor,
        "slices_of": [slab.start + 1, slab.stop, frame.n],
        "lossless": lossless,
        "loss": 0.0 if lossless else _loss(packed, images, knots),
        "knots": [list(knot) for knot in knots],
        "letters": {plane: letters(frame, plane) for plane in NORMAL},
        "window": fitting("coronal", frame, thick, _middle(frame)).window,
        "volumes": volumes,
    }, _bytes(images)


def _fitting(packed: Mapping[str, Packed]) -> tuple[dict[str, bytes], int]:
    """The images in the best quality that fits the budget, and which it is; else in the least."""
    for quality in QUALITIES[:-1]:
        images: dict[str, bytes] = {}
        for key, each in packed.items():
            images[key] = _webp(each.shades, quality)
            if _bytes(images) > BUDGET_BYTES:
                break  # the others need not be compressed
        else:
            return images, quality
    return {key: _webp(each.shades, QUALITIES[-1]) for key, each in packed.items()}, QUALITIES[-1]


def _loss(packed: Mapping[str, Packed], images: Mapping[str, bytes], knots: Knots) -> float:
    """Mean absolute difference that compression makes, in HU, in the volume that it hurts most."""

    def of(name: str) -> float:
        expected = from_shades(_tiled(packed[name].shades), knots)
        image = cv2.imdecode(np.frombuffer(images[name], np.uint8), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise OSError(f"the image of {name!r} cannot be read back")
        return float(np.abs(from_shades(image, knots) - expected).mean())

    return round(max(of(name) for name in packed), 1)


def _bytes(images: Mapping[str, bytes]) -> int:
    return sum(map(len, images.values()))


def _last(scans: Mapping[str, Scan]) -> Scan:
    return list(scans.values())[-1]


def _middle(frame: Grid) -> tuple[float, float, float]:
    z = frame.start_mm + (frame.n - 1) * frame.increment_mm / 2
    y, x = ((n - 1) * mm / 2 for n, mm in zip(frame.shape, frame.pixel_mm))
    return z, y, x


def _slab(frame: Grid) -> range:
    """The slices of the frame that are shown: all, or as many as fit around the middle."""
    first = max(0, (frame.n - MOST_SLICES) // 2)
    return range(first, min(frame.n, first + MOST_SLICES))


def _packed(scan: Scan, frame: Grid, slab: range, factor: int, knots: Knots) -> Packed:
    """The part of a scan within the slab, with pixels averaged ``factor`` x ``factor``."""
    grid = scan.grid
    aside = np.array(frame.direction) @ np.subtract(grid.origin_mm, frame.origin_mm)
    z, y, x = (float(mm) for mm in aside)
    z += grid.start_mm - frame.start_mm
    low, high = (slab.start - 0.5) * frame.increment_mm, (slab.stop - 0.5) * frame.increment_mm
    half = grid.increment_mm / 2
    at = [k for k in range(grid.n) if low < z + k * grid.increment_mm + half
          and z + k * grid.increment_mm - half < high]  # fmt: skip
    coarse = max(1, factor // max(1, round(grid.pixel_mm[0] / frame.pixel_mm[0])))
    blocks = [range(k, min(k + TOGETHER, at[-1] + 1)) for k in range(at[0], at[-1] + 1, TOGETHER)]
    shades = np.concatenate([to_shades(_averaged(scan, each, coarse), knots) for each in blocks])
    pixel = tuple(mm * coarse for mm in grid.pixel_mm)
    aside_mm = tuple(mm * (coarse - 1) / 2 for mm in grid.pixel_mm)
    first = z + at[0] * grid.increment_mm
    return Packed(
        shades, (first, y + aside_mm[0], x + aside_mm[1]), (grid.increment_mm, pixel[0], pixel[1])
    )


def _averaged(scan: Scan, block: range, factor: int) -> np.ndarray:
    """Slices, their pixels averaged; rows and columns that fill no square are left out."""
    images = np.asarray(scan.read(slice(block.start, block.stop)))
    rows, columns = (n // factor for n in images.shape[1:])
    whole = images[:, : rows * factor, : columns * factor]
    return whole.reshape(len(block), rows, factor, columns, factor).mean((2, 4))


def _across(n: int, height: int, width: int) -> int:
    """How many slices lie in a row of the image, so that it is about square."""
    return max(1, round((n * height / width) ** 0.5))


def _tiled(shades: np.ndarray) -> np.ndarray:
    """All slices in one image, left to right and down."""
    n, height, width = shades.shape
    across = _across(n, height, width)
    down = ceil(n / across)
    filled = np.zeros((down * across, height, width), np.uint8)
    filled[:n] = shades
    tiles = filled.reshape(down, across, height, width).swapaxes(1, 2)
    return tiles.reshape(down * height, across * width)


def _webp(shades: np.ndarray, quality: int) -> bytes:
    done, data = cv2.imencode(".webp", _tiled(shades), [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise OSError("the image library wrote no WebP image; is it built without WebP?")
    return data.tobytes()


def _volume(name: str, packed: Packed, image: bytes, small: str) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(packed.shades.shape),
        "across": _across(*packed.shades.shape),
        "first_mm": [round(mm, 4) for mm in packed.first_mm],
        "step_mm": [round(mm, 4) for mm in packed.step_mm],
        "image": TEXT + base64.b64encode(image).decode(),
        "small": small,
    }


def _small(
    packed: Mapping[str, Packed], shown: Packed, frame: Grid, thick: Scan, knots: Knots
) -> dict[str, str]:
    """A coronal picture of every volume through the middle, windowed, with square pixels."""
    view = View("coronal", fitting("coronal", frame, thick, _middle(frame)).window)
    low, high = limits(view, frame, thick, _middle(frame))
    side = min(shown.step_mm)
    n, height, width = shown.shades.shape
    y = shown.first_mm[1] + (height // 2) * shown.step_mm[1]
    z = shown.first_mm[0] + np.arange(0, n * shown.step_mm[0], side)[::-1]
    x = shown.first_mm[2] + np.arange(0, width * shown.step_mm[2], side)

    def picture(each: Packed) -> str:
        rows, columns = _nearest(each, 0, z), _nearest(each, 2, x)
        row = _nearest(each, 1, np.array([y]))[0]
        values = from_shades(each.shades[:, row][np.ix_(rows, columns)], knots)
        grey = np.clip((values - low) / (high - low), 0, 1) * 255
        _, data = cv2.imencode(".webp", grey.astype(np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 85])
        return TEXT + base64.b64encode(data.tobytes()).decode()

    return {name: picture(each) for name, each in packed.items()}


def _nearest(packed: Packed, axis: int, mm: np.ndarray) -> np.ndarray:
    index = np.rint((mm - packed.first_mm[axis]) / packed.step_mm[axis]).astype(int)
    return np.clip(index, 0, packed.shades.shape[axis] - 1)
