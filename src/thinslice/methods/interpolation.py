"""Interpolation along z, and in-plane where the grid asked for has other pixels.

``kind`` names the curve through the thick slices: the nearest slice (a staircase), linear (never
leaves the range of its neighbours, blurs in between), a cubic B-spline (Unser 1999; may overshoot a
little at edges), a Keys cubic (what papers and image tools call bicubic) or Lanczos (Duchon 1979; a
windowed sinc over four, six or eight slices, weights scaled to sum to one). See
``operators.kernels``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from thinslice.interfaces import About, Run
from thinslice.operators import interpolation
from thinslice.operators.kernels import Kind
from thinslice.volume import Grid, Volume


def _about(title: str, paper: str, idea: str) -> About:
    return About(title, fidelity="textbook", paper=paper, idea=idea, in_plane=True)


ABOUT: Mapping[Kind, About] = {
    "nearest": _about("Nearest", "", "Each thin slice is the nearest thick one."),
    "linear": _about(
        "Linear", "", "Each thin slice is a weighted mean of its two thick neighbours."
    ),
    "cubic": _about(
        "Cubic B-spline",
        "Unser 1999",
        "The smoothest curve of third degree through every thick slice.",
    ),
    "keys": _about(
        "Bicubic (Keys)",
        "Keys 1981",
        "Cubics through four thick slices, as image tools resize: MATLAB's and Pillow's bicubic.",
    ),
    "keys75": _about(
        "Bicubic (Keys, a = -0.75)",
        "Keys 1981",
        "The sharper Keys kernel: PyTorch's and OpenCV's bicubic.",
    ),
    "lanczos2": _about(
        "Lanczos-2", "Duchon 1979", "A windowed sinc over the four nearest thick slices."
    ),
    "lanczos3": _about(
        "Lanczos-3", "Duchon 1979", "A windowed sinc over the six nearest thick slices."
    ),
    "lanczos4": _about(
        "Lanczos-4", "Duchon 1979", "A windowed sinc over the eight nearest thick slices."
    ),
}


@dataclass(frozen=True)
class Interpolation:
    """Nothing is learned; see the module docstring."""

    kind: Kind

    @property
    def about(self) -> About:
        """Title, source and idea of the kind."""
        return ABOUT[self.kind]

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """The thick volume at the voxel centres of ``grid``."""
        return thick.with_voxels(interpolation.resample(thick, grid, self.kind).voxels, grid)

    def parameters(self) -> int:
        """None."""
        return 0


def build(*, kind: Kind = "linear") -> Interpolation:
    if kind not in ABOUT:
        raise ValueError(f"kind {kind!r} is none of {', '.join(ABOUT)}")
    return Interpolation(kind)
