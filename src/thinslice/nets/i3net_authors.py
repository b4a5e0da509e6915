"""Convert state dicts of the I3Net authors to the names of ``nets.i3net``.

head.0, head.2, tail.0, tail.2      head.first, .second, tail.first, .second
fuse_align                          fuse
alignment.I.conv_sag.0, .3, .5      views.I.into.0, .bodies.0.first, .second; conv_cor: 1
body.I.body.J                       blocks.2I+J
  inter_slice_branch.1, .3, .5        inter.body.first, .second, inter.last
  intra_slice_branch.conv.K           intra.convolutions.K
  intra_slice_branch.attn.0, .1       intra.mixer.tokens, .features; .0 and .1 of them for .fn.0
                                      and .fn.3, and their norms
  intra_slice_branch.norm, last_conv  intra.norm, intra.last
"""

import re
from collections.abc import Mapping

from torch import Tensor

GROUP = 2  # blocks that the authors have in one
LAYERS = {"0": "first", "2": "second"}
BRANCHES = {
    "inter_slice_branch.1": "inter.body.first",
    "inter_slice_branch.3": "inter.body.second",
    "inter_slice_branch.5": "inter.last",
    "intra_slice_branch.norm": "intra.norm",
    "intra_slice_branch.conv.0": "intra.convolutions.0",
    "intra_slice_branch.conv.1": "intra.convolutions.1",
    "intra_slice_branch.conv.2": "intra.convolutions.2",
    "intra_slice_branch.attn.0.norm": "intra.mixer.norm_tokens",
    "intra_slice_branch.attn.0.fn.0": "intra.mixer.tokens.0",
    "intra_slice_branch.attn.0.fn.3": "intra.mixer.tokens.1",
    "intra_slice_branch.attn.1.norm": "intra.mixer.norm_features",
    "intra_slice_branch.attn.1.fn.0": "intra.mixer.features.0",
    "intra_slice_branch.attn.1.fn.3": "intra.mixer.features.1",
    "intra_slice_branch.last_conv": "intra.last",
}
VIEWS = {
    "norm": "norm",
    "conv_sag.0": "into.0",
    "conv_sag.3": "bodies.0.first",
    "conv_sag.5": "bodies.0.second",
    "conv_cor.0": "into.1",
    "conv_cor.3": "bodies.1.first",
    "conv_cor.5": "bodies.1.second",
}
ENDS = re.compile(r"(head|tail)\.([02])")
BLOCK = re.compile(r"body\.(\d+)\.body\.([01])\.(.+)")
VIEW = re.compile(r"alignment\.(\d+)\.(.+)")


def layer_name(theirs: str) -> str:
    """Our name of one of the authors' layers; KeyError if it has none."""
    if theirs == "fuse_align":
        return "fuse"
    if match := ENDS.fullmatch(theirs):
        return f"{match[1]}.{LAYERS[match[2]]}"
    if match := BLOCK.fullmatch(theirs):
        return f"blocks.{GROUP * int(match[1]) + int(match[2])}.{BRANCHES[match[3]]}"
    if match := VIEW.fullmatch(theirs):
        return f"views.{match[1]}.{VIEWS[match[2]]}"
    raise KeyError(theirs)


def from_authors(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' tensors by our names; ValueError for one that has no place here."""
    made = {}
    for theirs, tensor in state_dict.items():
        layer, _, part = theirs.rpartition(".")
        try:
            name = layer_name(layer)
        except KeyError:
            raise ValueError(f"no place in the released I3Net: {theirs}") from None
        # Layers over tokens are convolutions of one tap there, and linear here.
        made[f"{name}.{part}"] = tensor.squeeze(-1) if tensor.ndim == 3 else tensor
    return made
