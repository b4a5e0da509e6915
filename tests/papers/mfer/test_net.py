"""MFER is the authors' network, and begins as linear interpolation on native slices."""

import re

import pytest
import torch

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets.grey import AS_STORED
from thinslice.nets.mfer import AUTHORS, MFER, Sizes

LEVEL = re.compile(r"Ml_Conv_(\d+)\.(\w+)\.(?:sa_conv\.)?0?\.?(\w+)")
BRANCHES = {
    "ml_conv": "plain",
    "ml_dilated": "dilated",
    "ml_deconv": "transposed",
    "de_conv_sr": "draw",
    "sa": "attention",
}
LAYERS = {
    "conv_input.0": "stem",
    "cross_rl.0": "skip",
    "ca.fc1": "fusion.squeeze",
    "ca.fc2": "fusion.expand",
    "conv_out.0": "fusion.sum",
}


def our_name(theirs: str) -> str:
    """Name here of a tensor of the authors' state dict."""
    if match := LEVEL.fullmatch(theirs):
        level, branch, part = match.groups()
        return f"levels.{int(level) - 1}.{BRANCHES[branch]}.{part}"
    layer, _, part = theirs.rpartition(".")
    return f"{LAYERS[layer]}.{part}"


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("mfer", "mfer_x2")
    net = MFER(Sizes(depth=5), AUTHORS, AS_STORED)
    net.load_state_dict({our_name(name): w for name, w in authors_weights(meta).items()})
    assert sum(p.numel() for p in net.parameters()) == 1_702_615
    assert_like_the_authors(net, meta, arrays)


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@torch.inference_mode()
def test_untrained_it_interpolates_linearly(factor):
    x = torch.rand(2, 1, 4, 6, 5)
    y = MFER(Sizes(4, factor, stem=4, levels=2, channels=4))(x)
    assert y.shape == (2, 1, 3 * factor + 1, 6, 5)
    expected = torch.nn.functional.interpolate(x, y.shape[2:], mode="trilinear", align_corners=True)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-6)


def test_another_depth_is_refused():
    with pytest.raises(ValueError, match="4 thick slices, found 5"):
        MFER(Sizes(4, stem=4, levels=1, channels=4))(torch.zeros(1, 1, 5, 4, 4))
