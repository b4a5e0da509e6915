"""Layers of solids, painted over one another, become HU steps along every column of cells.

Composition is the painter's: where solids overlap, the later layer wins, so nothing is counted
twice and no boolean geometry is needed. A layer may be restricted to some tissues (``over``), as
vessels are to lung. A tint adds its contrast instead, where one of ``over`` lies on top. Along each
column this is exact: chord ends are sorted, covers counted, and every place where HU steps is kept.
A slice is then sum(step * cdf(z_slice - z_step)), with its profile's cumulative integral.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.operators.profiles import Profile
from thinslice.phantom.lattice import Plane
from thinslice.phantom.solids import Solids

AIR_HU = -1000.0
BLOCK = 8192  # columns whose slices are made at once
BAND = 20000  # columns, about, that are painted at once

Band = tuple[int, int]  # rows of cells, half open


@dataclass(frozen=True)
class Layer:
    """Solids of one tissue; ``over`` names the layers it may cover, none for all."""

    name: str
    hu: float
    solids: Sequence[Solids]
    over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tint:
    """Solids that shift the HU of the layers ``over``, each by an amount of its own."""

    shifts_hu: np.ndarray  # one per solid
    solids: Solids
    over: tuple[str, ...]


@dataclass(frozen=True)
class Layers:
    """The latent chest: at ``z_mm`` [M] in column ``cell`` [M], HU rises by ``rise_hu`` [M].

    Sorted by column, then z; known between ``extent_mm`` only. Outside the steps there is air.
    """

    plane: Plane
    extent_mm: tuple[float, float]
    cell: np.ndarray
    z_mm: np.ndarray
    rise_hu: np.ndarray

    def slices(
        self, profile: Profile, centres_mm: np.ndarray, broadening: float = 0.0
    ) -> np.ndarray:
        """HU seen by slices at ascending centres, float32 [Z, cells_y, cells_x].

        ``broadening`` widens the profile by that share for every 100 mm from the frame's centre.
        Raises ValueError where a slice would see beyond the known extent.
        """
        wide = 1 + broadening * self._radius_mm() / 100
        reach = profile.support_mm * float(wide.max())
        span_mm = (float(centres_mm[0]) - reach, float(centres_mm[-1]) + reach)
        if span_mm[0] < self.extent_mm[0] or span_mm[1] > self.extent_mm[1]:
            raise ValueError(f"slices see {span_mm} mm, the anatomy is known over {self.extent_mm}")
        columns = wide.size
        out = np.empty((len(centres_mm), columns), np.float32)
        for first in range(0, columns, BLOCK):
            block = slice(first, min(first + BLOCK, columns))
            out[:, block] = self._block(profile, centres_mm, block, wide)
        return out.reshape(-1, *self.plane.cells)

    def _block(
        self, profile: Profile, centres_mm: np.ndarray, block: slice, wide: np.ndarray
    ) -> np.ndarray:
        """Each step is laid down slice by slice as its cdf rises, then summed along z."""
        low, high = np.searchsorted(self.cell, (block.start, block.stop))
        cell, z, rise = self.cell[low:high], self.z_mm[low:high], self.rise_hu[low:high]
        widths, columns, n = wide[cell], block.stop - block.start, len(centres_mm)
        reach = profile.support_mm * widths
        slice_ = np.searchsorted(centres_mm, z - reach)
        last = np.searchsorted(centres_mm, z + reach)
        laid, before = np.zeros(n * columns), np.zeros(len(z))
        for _ in range(int((last - slice_).max(initial=-1)) + 1):
            keep = slice_ < np.minimum(last + 1, n)
            if not keep.all():
                cell, z, rise, widths = cell[keep], z[keep], rise[keep], widths[keep]
                slice_, last, before = slice_[keep], last[keep], before[keep]
            now = np.where(slice_ == last, 1.0, profile.cdf((centres_mm[slice_] - z) / widths))
            place = slice_ * columns + cell - block.start
            laid += np.bincount(place, rise * (now - before), n * columns)
            slice_, before = slice_ + 1, now
        return AIR_HU + np.cumsum(laid.reshape(n, columns), axis=0)

    def _radius_mm(self) -> np.ndarray:
        y, x = self.plane.centres_mm()
        return np.hypot((y - y.mean())[:, None], (x - x.mean())[None]).ravel()


def compose(layers: Sequence[Layer | Tint], plane: Plane, extent_mm: tuple[float, float]) -> Layers:
    """Paint the layers in order onto the columns of ``plane``, over ``extent_mm`` along z.

    A band of rows at a time, so that memory grows with what is kept, not with all chords.
    Raises ValueError where ``over`` names a layer that is not there.
    """
    names = {layer.name for layer in layers if isinstance(layer, Layer)}
    missing = sorted({name for layer in layers for name in layer.over} - names)
    if missing:
        raise ValueError(f"no layers {missing} to paint over; there are {sorted(names)}")
    height = max(1, BAND // plane.cells[1])
    bands = [(y, min(y + height, plane.cells[0])) for y in range(0, plane.cells[0], height)]
    parts = [_painted(layers, plane, extent_mm, band) for band in bands]
    return Layers(plane, extent_mm, *(np.concatenate(v) for v in zip(*parts, strict=True)))


def _painted(
    layers: Sequence[Layer | Tint], plane: Plane, extent_mm: tuple[float, float], band: Band
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, z and rise of every step in a band of rows."""
    columns, ends, index, sign = _events(layers, plane, extent_mm, band)
    order = np.argsort(columns * (4 * (extent_mm[1] - extent_mm[0])) + ends - extent_mm[0])
    columns, ends, index, sign = (v[order] for v in (columns, ends, index, sign))
    names = [layer.name for layer in layers if isinstance(layer, Layer)]
    top = np.full(len(ends), -1, np.int8)  # position in names; -1 is air
    hu = np.full(len(ends), AIR_HU)
    for i, layer in enumerate(layers):
        spans = np.where(index == i, sign, 0.0)
        if not spans.any():
            continue
        cover = np.cumsum(spans)  # chords end in their column, which leaves air: none mix
        allowed = np.isin(top, [names.index(name) for name in layer.over]) if layer.over else True
        if isinstance(layer, Tint):
            hu += np.where(allowed, cover, 0.0)
        else:
            painted = (cover > 0.5) & allowed
            top[painted], hu[painted] = names.index(layer.name), layer.hu
    rise = np.diff(hu, prepend=AIR_HU)
    steps = np.abs(rise) > 1e-6
    return columns[steps], ends[steps], rise[steps]


def _events(
    layers: Sequence[Layer | Tint], plane: Plane, extent_mm: tuple[float, float], band: Band
) -> tuple[np.ndarray, ...]:
    """Where chords begin and end: column, z, layer and weight (a tint's is its shift)."""
    parts: list[tuple[np.ndarray, ...]] = []
    for i, layer in enumerate(layers):
        for bunch in [layer.solids] if isinstance(layer, Tint) else layer.solids:
            which, cell, low, high = _chords(bunch, plane, extent_mm, band)
            weight = layer.shifts_hu[which] if isinstance(layer, Tint) else np.ones(len(which))
            kind = np.full(len(which), i, np.int8)
            parts += [(cell, low, kind, weight), (cell, high, kind, -weight)]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _chords(
    bunch: Solids, plane: Plane, extent_mm: tuple[float, float], band: Band
) -> tuple[np.ndarray, ...]:
    """(which solid, column, low, high) of every chord inside band and extent, mm."""
    y0, y1, x0, x1 = plane.covered(bunch.boxes_mm()).T
    y0, y1 = np.maximum(y0, band[0]), np.minimum(y1, band[1])
    sizes = np.maximum(y1 - y0, 0) * np.maximum(x1 - x0, 0)
    which = np.repeat(np.arange(len(bunch)), sizes)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    wide = np.maximum(x1 - x0, 1)[which]
    row, column = y0[which] + rank // wide, x0[which] + rank % wide
    y, x = plane.centres_mm()
    low, high = bunch.chords_mm(which, y[row], x[column])
    low, high = np.maximum(low, extent_mm[0]), np.minimum(high, extent_mm[1])
    hit = low < high
    return which[hit], (row * plane.cells[1] + column)[hit], low[hit], high[hit]
