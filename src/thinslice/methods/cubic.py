"""Cubic B-spline interpolation: the smooth curve through every thick slice."""

from thinslice.interfaces import About, Run
from thinslice.operators import interpolation
from thinslice.volume import Grid, Volume

ABOUT = About(
    title="Cubic B-spline",
    fidelity="textbook",
    paper="Unser 1999",
    idea="The smoothest curve of third degree through every thick slice.",
    finer_pixels=True,
)


class Cubic:
    """Prefilter and four taps; may overshoot a little at edges."""

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The thick volume at the voxel centres of ``grid``; pixels too, where they are others."""
        return thick.with_voxels(interpolation.resample(thick, grid, "cubic").voxels, grid)

    def parameters(self) -> int:
        """Nothing is learned."""
        return 0


def build() -> Cubic:
    return Cubic()
