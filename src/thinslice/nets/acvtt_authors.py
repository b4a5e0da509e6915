"""Convert state dicts of the ACVTT authors to the names of ``nets.acvtt`` and ``nets.unet``.

    first_conv, last_conv         head, tail
    encoder.I.blocks.J.conv       down.I.first, .second; J counts the pooling that opens I > 0
    decoder.I.blocks.J.conv       up.I.first, .second; I counts from the coarsest in both
    transfer_blocks.I             transfers.3-I: the authors count from the coarsest level
      proj_qkv.0.0, .1.0, .2.0    query, key, value
      norm_q, norm_k, proj_out.0  norm_query, norm_key, out

In the first stage's network the U-Net's names begin with ``unet.``; the second stage is a U-Net.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from thinslice.nets.authors_names import renamed

LEVELS = 4
WAYS = {"encoder": "down", "decoder": "up"}
UNET_NAMES = {"first_conv": "head", "last_conv": "tail"}
BLOCK = re.compile(r"(encoder|decoder)\.(\d+)\.blocks\.(\d+)\.conv\.(weight|bias)")
TRANSFER = re.compile(r"transfer_blocks\.(\d+)\.(.+)\.(weight|bias)")
TRANSFER_NAMES = {
    "proj_qkv.0.0": "query",
    "proj_qkv.1.0": "key",
    "proj_qkv.2.0": "value",
    "norm_q": "norm_query",
    "norm_k": "norm_key",
    "proj_out.0": "out",
}


def unet_name(theirs: str) -> str:
    """Name in ``UNet`` of a tensor of the authors' U-Net; KeyError if it has none."""
    if match := BLOCK.fullmatch(theirs):
        way, level, index, part = match.groups()
        pooled = way == "encoder" and level != "0"  # there the pooling is block 0
        layer = {0: "first", 1: "second"}[int(index) - pooled]
        return f"{WAYS[way]}.{level}.{layer}.{part}"
    layer, _, part = theirs.rpartition(".")
    return f"{UNET_NAMES[layer]}.{part}"


def acvtt_name(theirs: str) -> str:
    """Name in ``ACVTT`` of a tensor of the authors' network; KeyError if it has none."""
    if match := TRANSFER.fullmatch(theirs):
        block, layer, part = match.groups()  # the authors count from the coarsest level
        return f"transfers.{LEVELS - 1 - int(block)}.{TRANSFER_NAMES[layer]}.{part}"
    return f"unet.{unet_name(theirs)}"


def from_authors(theirs: Mapping[str, Tensor], *, fusion: bool = False) -> dict[str, Tensor]:
    """The authors' state dict under our names; ValueError for unknown tensors.

    ``load_state_dict`` of the result refuses missing tensors, so both must match exactly.

    fusion   whether it is of the second stage, a plain U-Net
    """
    name_of = unet_name if fusion else acvtt_name
    return renamed(theirs, name_of, computed=(), network="the released ACVTT")
