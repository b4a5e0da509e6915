"""EDDSR is the network of MFER's authors, and begins as linear interpolation on native slices."""

import re

import pytest
import torch

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets.eddsr import AUTHORS, EDDSR, Sizes
from thinslice.nets.grey import AS_STORED

LAYERS = {"conv_input.0": "stem.0", "conv_input.2": "stem.1", "deconv": "last"}
BLOCK = re.compile(r"Block(\d)\.conv(\d)")


def our_name(theirs: str) -> str:
    """Name here of a tensor of the authors' state dict."""
    layer, _, part = theirs.rpartition(".")
    if match := BLOCK.fullmatch(layer):
        block, number = map(int, match.groups())
        return f"blocks.{block - 1}.layers.{number - 1}.{part}"
    return f"{LAYERS[layer]}.{part}"


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("mfer", "eddsr_x2")
    net = EDDSR(Sizes(depth=5), AUTHORS, AS_STORED)
    net.load_state_dict({our_name(name): w for name, w in authors_weights(meta).items()})
    assert sum(p.numel() for p in net.parameters()) == 788_928
    assert_like_the_authors(net, meta, arrays)


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@torch.inference_mode()
def test_untrained_it_interpolates_linearly(factor):
    x = torch.rand(2, 1, 4, 6, 5)
    y = EDDSR(Sizes(4, factor, stem=4, blocks=1, channels=4))(x)
    expected = torch.nn.functional.interpolate(
        x, (3 * factor + 1, 6, 5), mode="trilinear", align_corners=True
    )
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-6)


def test_another_depth_is_refused():
    with pytest.raises(ValueError, match="4 thick slices, found 5"):
        EDDSR(Sizes(4, stem=4, blocks=1, channels=4))(torch.zeros(1, 1, 5, 4, 4))
