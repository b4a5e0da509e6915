"""Lanczos-3 interpolation: a sinc under a sinc window, six slices wide, scaled to sum to one."""

from thinslice.interfaces import About, Run
from thinslice.operators import interpolation
from thinslice.volume import Grid, Volume

ABOUT = About(
    title="Lanczos-3",
    fidelity="textbook",
    paper="Duchon 1979",
    idea="A windowed sinc over the six nearest thick slices.",
    finer_pixels=True,
)


class Lanczos3:
    """Nearly ideal for what the thick slices sampled; may overshoot at edges."""

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The thick volume at the voxel centres of ``grid``; pixels too, where they are others."""
        return thick.with_voxels(interpolation.resample(thick, grid, "lanczos3").voxels, grid)

    def parameters(self) -> int:
        """Nothing is learned."""
        return 0


def build() -> Lanczos3:
    return Lanczos3()
