"""Linear interpolation between the two nearest thick slices."""

from thinslice.interfaces import About, Run
from thinslice.operators import interpolation
from thinslice.volume import Grid, Volume

ABOUT = About(
    title="Linear",
    fidelity="textbook",
    paper="",
    idea="Each thin slice is a weighted mean of its two thick neighbours.",
    finer_pixels=True,
)


class Linear:
    """Never leaves the range of its neighbours; blurs in between."""

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The thick volume at the voxel centres of ``grid``; pixels too, where they are others."""
        return thick.with_voxels(interpolation.resample(thick, grid, "linear").voxels, grid)

    def parameters(self) -> int:
        """Nothing is learned."""
        return 0


def build() -> Linear:
    return Linear()
