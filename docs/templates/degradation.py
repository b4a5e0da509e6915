"""NAME: what a thick slice is made of, in one line that a search would find.

Source: authors, title, section. Differs: what is not as they have it.
"""

# Copy to src/thinslice/degradations/NAME.py and put into config.yaml, under degradations:
#   NAME5: {module: NAME, settings: {thickness_mm: 5.0, increment_mm: 5.0}}

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import grids, profiles, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class Degradation:
    """A pure function of grids: one sparse matrix along z. Lengths are mm."""

    thickness_mm: float
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    @property
    def profile(self) -> profiles.Profile:
        """What one slice sees along z; tests ask it how far that is."""
        return profiles.triangle(self.thickness_mm)

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices on the scan; pixels, origin and direction stay those of ``thin``."""
        return grids.thick_slices(thin, self.thickness_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; every row sums to one, and keeps the slice where its grid says."""
        return projection.profile_matrix(self.profile, thin, thick)


EXAMPLES = (  # settings that the contract of every degradation is tried with
    {"thickness_mm": 3.0, "increment_mm": 2.5},
    {"thickness_mm": 5.0, "increment_mm": 5.0, "phase_mm": 1.2},
)


def build(
    *, thickness_mm: float, increment_mm: float, phase_mm: float | None = None
) -> Degradation:
    return Degradation(thickness_mm, increment_mm, phase_mm)
