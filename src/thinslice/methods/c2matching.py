"""C2-Matching: learned correspondences gather the texture of an axial slice.

The thick scan is interpolated linearly to the slices asked for. For every pixel of its coronal and
sagittal planes the most similar place in one axial slice is looked up, in features that have been
taught to see a coarse plane and a fine slice alike; from there deformable convolutions gather the
slice's texture, and the views are averaged. All three of the authors' trainings are there: teacher,
student, restoration (``families.matched_references``), with their steps, rates and losses where
known.

Source: Jiang et al., CVPR 2021, and its released code ("mse" variant: absolute error alone).
Differs: the restoration has one rate for all its layers (theirs is lower where offsets are
learned) and no adversarial variant; features are those of random filters unless ``vgg`` names
learned ones (``nets.vgg``); extractors start from random weights. Which slice ACVTT's authors took
when they compared is not said; here it is the middle one. What differs in the networks:
``nets.c2matching``, ``nets.mrefsr``, ``nets.contrastive``.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.learned_features import features_of
from thinslice.families.matched_references import MatchedMethod, MatchedSettings
from thinslice.families.referenced import REFERENCED_TINY, ReferencedRecipe
from thinslice.interfaces import About
from thinslice.nets.c2matching import PlanesOfC2Matching
from thinslice.nets.vgg import WIDTHS

ABOUT = About(
    title="C2-Matching",
    fidelity="from-abstract",
    paper="Jiang et al., CVPR 2021",
    idea="Contrastive features find the like of every pixel in an axial slice, and deformable "
    "convolutions gather its texture.",
)


@dataclass(frozen=True)
class Settings(MatchedSettings):
    """Hyperparameters; the defaults are the released code's where it has them."""

    channels: int = 64  # features of the plane
    blocks: int = 16  # residual ones, of the content and of each of three sizes
    groups: int = 8  # of a slice's features that look the same way
    vgg: str | None = None  # .safetensors file with VGG's weights; None: random features
    vgg_widths: tuple[int, int, int] = WIDTHS  # features at full, half and a quarter of the size

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.references != 1:
            raise ValueError(f"C2-Matching takes one reference, found references {self.references}")


TINY: dict[str, Any] = {
    **REFERENCED_TINY,
    **{
        "references": 1,
        "side": 32,
        "steps_teacher": 2,
        "steps_student": 2,
        "extractor_widths": [4, 4, 4],
    },
    **{"channels": 4, "blocks": 1, "groups": 2, "vgg_widths": [4, 4, 8]},
}


def build(**settings: Any) -> MatchedMethod:
    s = settings_of(Settings, settings)
    sizes: dict[str, Any] = {
        **{"channels": s.channels, "blocks": s.blocks, "groups": s.groups},
        **{"maps": s.vgg_widths, "extractor": s.extractor_widths},
    }
    return MatchedMethod(
        ReferencedRecipe(
            "c2matching",
            ABOUT,
            s,
            lambda: PlanesOfC2Matching(**sizes),
            identity=sizes,
            prepare=features_of(s.vgg),
        )
    )
