"""ACVTT as published: axial slices lend their texture to coronal and sagittal planes.

The thick scan is interpolated linearly to the thin slices; a U-Net corrects its coronal and
sagittal planes while it looks at three axial slices of the same scan; a second U-Net corrects the
mean of the two answers, axial plane by axial plane. Mean absolute error, Adam at 1e-4, one patch of
256 x 256 per step; 20,000 epochs of 100 cases are 2,000,000 steps.

References are random slices of the training patch's own 256^3 voxels, and evenly spread ones when a
scan is restored, the middle 256 x 256 pixels of each: the paper gives that size and no place.

Source: Uhm et al., "An anisotropic cross-view texture transfer with multi-reference non-local
attention for CT slice interpolation", sections 3 and 4.2. What the paper leaves open is as in the
released code (``nets.acvtt``), but for the first weights: He's in the U-Nets, zero in their last
layers and in what attention adds; and grey values are stretched (``nets.grey``). The method starts
as linear interpolation; with PyTorch's first weights hundreds of steps learn nothing, since signals
fade on their way through the levels.

Differs: air around the patient is not cut off beforehand; planes of any factor and phase are
interpolated, theirs are of one factor; scans smaller than a patch are mirrored out; the stages'
lengths are settings, and each keeps the weights best on the val split (the paper does not say
which); HU beyond the window are kept; ``steps_without_references`` trains the U-Net alone first, as
a switch of the released code can (0: off, as there).
"""

from dataclasses import dataclass

from thinslice.families.base import settings_of
from thinslice.families.two_view import (
    TWO_VIEW_TINY,
    TwoViewMethod,
    TwoViewRecipe,
    TwoViewSettings,
)
from thinslice.inference.reference_views import spread
from thinslice.interfaces import About
from thinslice.training.samplers.referenced_planes import inside

ABOUT = About(
    title="ACVTT",
    fidelity="as-published",
    paper="Uhm et al.",
    idea="A U-Net corrects coronal and sagittal planes with the texture of axial slices in sight; "
    "a second one fuses the two views.",
    published_settings={"references": (0, 1, 2, 3, 4, 5), "fusion": ("relevance", "average")},
)


@dataclass(frozen=True)
class Settings(TwoViewSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    reference_side: int | None = 256


TINY = TWO_VIEW_TINY


def build(**settings) -> TwoViewMethod:
    return TwoViewMethod(
        TwoViewRecipe(
            "acvtt", ABOUT, settings_of(Settings, settings), references=inside, places=spread
        )
    )
