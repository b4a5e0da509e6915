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
``nets.c2matching``, ``nets.contrastive``.
"""

from dataclasses import asdict, dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.matched_references import MatchedMethod, MatchedSettings
from thinslice.families.referenced import REFERENCED_TINY, ReferencedRecipe
from thinslice.interfaces import About
from thinslice.nets.c2matching import C2Matching, Sizes

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
    groups: int = 8  # of features that are moved alike
    vgg_widths: tuple[int, int, int] = (64, 128, 256)  # features of the reference, by size

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.references != 1:
            raise ValueError(f"C2-Matching takes one reference, found references {self.references}")

    def sizes(self) -> Sizes:
        """What shapes the restoration."""
        widths = tuple(self.vgg_widths)
        return Sizes(
            channels=self.channels,
            blocks=self.blocks,
            groups=self.groups,
            features=widths,  # type: ignore[arg-type]
        )


TINY: dict[str, Any] = {
    **REFERENCED_TINY,
    **{
        "references": 1,
        "side": 32,
        "steps_teacher": 2,
        "steps_student": 2,
        "extractor_widths": [4, 4, 4],
    },
    **{"channels": 4, "blocks": 1, "groups": 2, "vgg_widths": [4, 4, 4]},
}


def build(**settings: Any) -> MatchedMethod:
    s = settings_of(Settings, settings)
    extractor = tuple(s.extractor_widths)
    identity = {**asdict(s.sizes()), "extractor_widths": list(extractor)}
    identity["features"] = list(identity["features"])
    return MatchedMethod(
        ReferencedRecipe(
            "c2matching",
            ABOUT,
            s,
            lambda: C2Matching(s.sizes(), extractor),  # type: ignore[arg-type]
            identity=identity,
        )
    )
