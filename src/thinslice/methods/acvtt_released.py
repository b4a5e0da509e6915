"""ACVTT as released: the authors' code, whose numbers the paper's readers get when they run it.

Training references are 256 x 256 patches drawn anywhere in the scan, each for itself; restoring,
they are whole axial slices, k * (n // 4) for k of 1, 2, 3, the same for all planes. Restored values
are cut to [0, 1], that is -1024..3071 HU, as the authors cut them before they score.

Source: Uhm et al., "An anisotropic cross-view texture transfer with multi-reference non-local
attention for CT slice interpolation", its public code. Differs: references' features are worked out
once per scan, not once per plane; any factor and phase is taken (theirs: one, by whole slices);
patches of small scans are mirrored with their edge pixel, theirs without it; the weights that are
best on fixed patches of the val split are kept (theirs: none is chosen, and the val split is the
test split); any number of references spreads as theirs do for three.

``build().use(stage1, fusion)`` takes weights of theirs; ``nets.acvtt_authors`` has the names.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

from thinslice.families.base import settings_of
from thinslice.families.two_view import (
    TWO_VIEW_TINY,
    TwoViewMethod,
    TwoViewRecipe,
    TwoViews,
    TwoViewSettings,
)
from thinslice.interfaces import About
from thinslice.nets.acvtt_authors import from_authors
from thinslice.nets.grey import AS_STORED
from thinslice.training.samplers.referenced_planes import anywhere

ABOUT = About(
    title="ACVTT (released)",
    fidelity="as-released",
    paper="Uhm et al.",
    idea="The authors' code: references drawn anywhere in training, whole slices when restoring.",
)


class Settings(TwoViewSettings):
    """Hyperparameters; the defaults are those of the released code."""


TINY = TWO_VIEW_TINY


def every_part(have: int, n: int) -> Sequence[int]:
    """The authors' slices: multiples of ``have`` over ``n + 1``, rounded down before."""
    return [k * (have // (n + 1)) for k in range(1, n + 1)]


class ACVTTReleasedMethod(TwoViewMethod):
    """A two-view method that also takes the authors' own weights."""

    given_parts = ("stage1", "fusion")

    def use_given(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Weights by ``given_parts`` and the authors' names, as ``use``.

        ValueError where they are not of the stages that the settings ask for.
        """
        wanted = self.given_parts if self.recipe.settings.fuse else ("stage1",)
        if set(states) != set(wanted):
            raise ValueError(
                f"of {', '.join(states)}, where fuse is {self.recipe.settings.fuse} and asks for "
                f"{', '.join(wanted)}"
            )
        self.use(states["stage1"], states.get("fusion"))

    def use(self, stage1: Mapping[str, Tensor], fusion: Mapping[str, Tensor] | None = None) -> None:
        """Weights by the authors' names; refuses any that is left over on either side.

        Without ``fusion`` the two views are averaged, whatever the settings say.
        """
        shape = {"fuse": fusion is not None}
        net = self._seeded(shape)
        assert isinstance(net, TwoViews)
        net.transfer.load_state_dict(from_authors(stage1))
        if net.fusion is not None and fusion is not None:
            net.fusion.load_state_dict(from_authors(fusion, fusion=True))
        self.net, self.shape = net, shape


def build(**settings) -> TwoViewMethod:
    return ACVTTReleasedMethod(
        TwoViewRecipe(
            "acvtt_released",
            ABOUT,
            settings_of(Settings, settings),
            references=anywhere,
            places=every_part,
            at_rest=False,
            grey=AS_STORED,
            clamp=True,
        )
    )
