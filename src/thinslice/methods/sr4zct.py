"""SR4ZCT: a network learns from the thick scan's own axial slices, for any thickness and overlap.

Axial slices are degraded to rows as thick and as far apart as the scan's slices are, in exact
millimetres, and interpolated back; a mixed-scale dense network learns to undo that, and is then
shown the scan's coronal and sagittal planes. Each scan has its own network.

Source: Shi et al. 2023, and ``nets.msd``. What the paper leaves open is filled in so: a row is the
mean of nine points (as in the authors' code); beyond the first and last row's centre the row is
held; values are the scan's, of zero mean and unit spread; whole slices, one at a time, at a rate of
1e-3 (as in their code); restored slices lie where those asked for do, where both are as far apart.
Differs: the two views are averaged (they report each by itself; ``view``), and slices thicker than
pixels are means of restored ones (see ``slice_means``).
``sr4zct_released`` is what their code does.
"""

from dataclasses import dataclass
from typing import Any

from scipy.sparse import csr_array

from thinslice.families.base import settings_of
from thinslice.families.self_supervised import (
    SELF_SUPERVISED_TINY,
    SelfSupervised,
    SelfSupervisedMethod,
)
from thinslice.families.standardised import Standardised
from thinslice.interfaces import About
from thinslice.operators import interpolation, overlap
from thinslice.volume import Grid

ABOUT = About(
    title="SR4ZCT",
    fidelity="as-published",
    paper="Shi et al. 2023",
    idea="A network learns to undo thick slices on the scan's own axial slices, thickness and "
    "overlap modelled exactly.",
    published_settings={"view": ("coronal", "sagittal", "both")},
)


@dataclass(frozen=True)
class Settings(SelfSupervised):
    """Hyperparameters; config.yaml may set any of them."""

    thickness_mm: float | None = None  # modelled in training; null: as the scan says
    overlap_mm: float | None = None  # likewise


TINY = SELF_SUPERVISED_TINY
RESTORING = ("view",)  # settings that no training depends on


@dataclass(frozen=True)
class Exact(Standardised):
    """Slices of the scan's own thickness and overlap, or of those asked for, in exact places."""

    thickness_mm: float | None
    overlap_mm: float | None

    def degraded(self, thick: Grid, n: int, pixel_mm: float) -> csr_array:
        """Down to thick rows, linearly up again; rows at the ends are held."""
        thickness_mm = thick.thickness_mm if self.thickness_mm is None else self.thickness_mm
        overlap_mm = thick.overlap_mm if self.overlap_mm is None else self.overlap_mm
        pixels = overlap.line(n, pixel_mm)
        rows = overlap.exact(pixels, thickness_mm, overlap_mm)
        up = interpolation.weights(rows.centres_mm(), pixels.centres_mm(), "linear")
        return csr_array(up @ overlap.means_of_points(pixels, rows))


def build(**settings: Any) -> SelfSupervisedMethod:
    s = settings_of(Settings, settings)
    return SelfSupervisedMethod(ABOUT, s, Exact(s.thickness_mm, s.overlap_mm))
