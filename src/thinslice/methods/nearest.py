"""Nearest slice: every thin slice is a copy of the thick slice closest to it."""

from thinslice.interfaces import About, Run
from thinslice.operators import interpolation
from thinslice.volume import Grid, Volume

ABOUT = About(
    title="Nearest",
    fidelity="textbook",
    paper="",
    idea="Each thin slice is the nearest thick one.",
    finer_pixels=True,
)


class Nearest:
    """No new values; a staircase along z."""

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The thick volume at the voxel centres of ``grid``; pixels too, where they are others."""
        return thick.with_voxels(interpolation.resample(thick, grid, "nearest").voxels, grid)

    def parameters(self) -> int:
        """Nothing is learned."""
        return 0


def build() -> Nearest:
    return Nearest()
