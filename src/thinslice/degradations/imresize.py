"""Antialiased bicubic shrinking, through-plane and in-plane: MATLAB's ``imresize``.

The degradation of Georgescu et al. 2020 and of most papers on photographs: a thick slice is a
stretched cubic's view of the thin ones, negative lobes included, which is no scanner's slice. Thick
voxels tile the thin ones, r to one: their centres lie amid the ones they stand for.

Where a size is no whole multiple of the factor, n // r voxels are made and the rest of the thin
ones lies at the far end under no thick one (MATLAB makes ceil(n / r), of which the last may lie
past the scan). The restored grid is still the thin one. MATLAB rounds 8-bit images after each axis;
a degradation is linear, so nothing is rounded here.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from thinslice.errors import UnusableCaseError
from thinslice.operators import imresize
from thinslice.volume import Grid


@dataclass(frozen=True)
class Imresize:
    """Whole factors; a factor of one leaves that direction alone."""

    through_plane: int = 2
    in_plane: int = 1

    def __post_init__(self) -> None:
        for name, factor in (("through_plane", self.through_plane), ("in_plane", self.in_plane)):
            if factor < 1 or factor != int(factor):
                raise ValueError(f"{name} is a whole number from 1 on, found {factor}")

    def thick_grid(self, thin: Grid) -> Grid:
        """``thin.n // through_plane`` slices, increment and thickness that much larger.

        ValueError where not one coarse voxel fits.
        """
        z, p = self.through_plane, self.in_plane
        n, shape = thin.n // z, (thin.shape[0] // p, thin.shape[1] // p)
        if min(n, *shape) < 1:
            raise UnusableCaseError(f"a scan of {thin.zyx} voxels cannot be shrunk by {(z, p, p)}")
        _, y, x = np.array(thin.direction, float)
        to_centre = (p - 1) / 2 * (y * thin.pixel_mm[0] + x * thin.pixel_mm[1])
        slices = thin.with_slices(
            n=n,
            increment_mm=z * thin.increment_mm,
            thickness_mm=z * thin.thickness_mm,
            start_mm=thin.start_mm + (z - 1) / 2 * thin.increment_mm,
        )
        o = np.array(thin.origin_mm) + to_centre
        return replace(
            slices,
            shape=shape,
            pixel_mm=(p * thin.pixel_mm[0], p * thin.pixel_mm[1]),
            origin_mm=(float(o[0]), float(o[1]), float(o[2])),
        )

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; at the scan's ends the thin slices are mirrored."""
        return imresize.weights(thin.n, self.through_plane, thick.n)

    def planes(self, thin: Grid, thick: Grid) -> tuple[csr_array, csr_array]:
        """[y_thick, y_thin] and [x_thick, x_thin], the same along y and x."""
        y, x = (
            imresize.weights(have, self.in_plane, want)
            for have, want in zip(thin.shape, thick.shape)
        )
        return y, x


def build(*, through_plane: int = 2, in_plane: int = 1) -> Imresize:
    return Imresize(through_plane, in_plane)
