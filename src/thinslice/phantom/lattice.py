"""The in-plane lattice that the latent chest is sampled on: each pixel in finer cells.

A pixel's value is the mean of its cells, so a pixel integrates its area. y runs to the back and x
to the left, as in patient space.
"""

from dataclasses import dataclass

import numpy as np

from thinslice.volume import AXIAL, Grid


@dataclass(frozen=True)
class Plane:
    """``shape`` pixels of ``pixel_mm``, each of ``fine`` x ``fine`` cells, from a corner in mm."""

    shape: tuple[int, int]
    pixel_mm: tuple[float, float]
    fine: int
    corner_mm: tuple[float, float]  # (y, x) of the frame's outer corner, LPS

    @classmethod
    def of(cls, grid: Grid, fine: int) -> "Plane":
        """The plane of an axial grid; raises ValueError for any other direction."""
        if grid.direction != AXIAL:
            raise ValueError(f"the virtual scanner is axial, found direction {grid.direction}")
        x, y = grid.origin_mm[0], grid.origin_mm[1]
        corner = (y - grid.pixel_mm[0] / 2, x - grid.pixel_mm[1] / 2)
        return cls(grid.shape, grid.pixel_mm, fine, corner)

    @property
    def cells(self) -> tuple[int, int]:
        """Cells along (y, x)."""
        return self.shape[0] * self.fine, self.shape[1] * self.fine

    @property
    def pitch_mm(self) -> tuple[float, float]:
        """Cell pitch along (y, x)."""
        return self.pixel_mm[0] / self.fine, self.pixel_mm[1] / self.fine

    def centres_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Cell centres: y [cells_y] and x [cells_x], mm."""
        y, x = (c + p * (np.arange(n) + 0.5) for c, p, n in self._axes())
        return y, x

    def covered(self, boxes_mm: np.ndarray) -> np.ndarray:
        """Cells whose centres lie in boxes [N, (y0, y1, x0, x1)] mm, as half-open index ranges."""
        out = np.empty(boxes_mm.shape, np.int64)
        for axis, (corner, pitch, n) in enumerate(self._axes()):
            place = (boxes_mm[:, 2 * axis : 2 * axis + 2] - corner) / pitch - 0.5
            out[:, 2 * axis] = np.clip(np.ceil(place[:, 0]), 0, n)
            out[:, 2 * axis + 1] = np.clip(np.floor(place[:, 1]) + 1, 0, n)
        return out

    def to_pixels(self, cells_ZYX: np.ndarray) -> np.ndarray:
        """Means over each pixel's cells, [Z, Y, X]."""
        (ny, nx), f = self.shape, self.fine
        return cells_ZYX.reshape(-1, ny, f, nx, f).mean((2, 4))

    def pixel_transfer(self) -> np.ndarray:
        """What that mean does to each spatial frequency of ``rfft2`` over the cells."""
        ny, nx = self.cells
        return np.outer(
            _mean_transfer(np.fft.fftfreq(ny), self.fine),
            _mean_transfer(np.fft.rfftfreq(nx), self.fine),
        )

    def frequencies_per_mm(self) -> np.ndarray:
        """Radial spatial frequency of every ``rfft2`` coefficient over the cells, 1/mm."""
        (ny, nx), (dy, dx) = self.cells, self.pitch_mm
        return np.hypot(np.fft.fftfreq(ny, dy)[:, None], np.fft.rfftfreq(nx, dx)[None])

    def _axes(self) -> list[tuple[float, float, int]]:
        return list(zip(self.corner_mm, self.pitch_mm, self.cells, strict=True))


def _mean_transfer(f: np.ndarray, n: int) -> np.ndarray:
    taps = np.exp(2j * np.pi * f[:, None] * (np.arange(n) - (n - 1) / 2))
    return taps.mean(1).real
