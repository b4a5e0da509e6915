"""MDSR is its authors' network, each factor of it, and grows along z alone."""

import numpy as np
import pytest
import torch
from torch import nn

from support.goldens import assert_like_the_authors, authors_weights, golden
from support.renamed import renamed
from thinslice.methods import mdsr_2d, mdsr_3d
from thinslice.nets.mdsr import MDSR, Sizes

FACTORS = (2, 3, 4)
NAMES = (
    (r"head\.0", "head"),
    (r"tail\.0", "last"),
    (
        r"pre_process\.(\d)\.(\d)\.body\.(\d)",
        lambda m: f"entries.{FACTORS[int(m[1])]}.{m[2]}.body.{m[3]}",
    ),
    (r"body\.(\d+)\.body\.(\d)", r"body.\1.body.\2"),
    (r"body\.(\d+)", r"body.\1"),
    (r"upsample\.(\d)\.(\d)", lambda m: f"exits.{FACTORS[int(m[1])]}.{m[2]}"),
)


class Of(nn.Module):
    """What a network makes for one factor."""

    def __init__(self, net: MDSR, call: str, factor: int):
        super().__init__()
        self.net, self.call, self.factor = net, call, factor

    def forward(self, x):
        return getattr(self.net, self.call)(x, self.factor)


@pytest.mark.parametrize("factor", FACTORS)
def test_growing_along_both_axes_it_is_the_authors_network(factor):
    meta, arrays = golden("mdsr", f"mdsr2d_x{factor}")
    net = MDSR(2, Sizes(FACTORS), axes=2)
    net.load_state_dict(renamed(authors_weights(meta), NAMES))
    assert sum(p.numel() for p in net.parameters()) == 3_224_897
    assert_like_the_authors(Of(net, "made", factor), meta, arrays)


def test_the_trunk_with_cubes_for_kernels_is_the_authors_inflated():
    meta, arrays = golden("mdsr", "mdsr3d_trunk")
    net = MDSR(3, Sizes((2,)))
    missing = net.load_state_dict(renamed(authors_weights(meta), NAMES), strict=False)
    assert not missing.unexpected_keys
    assert all(name.startswith(("exits.", "last.")) for name in missing.missing_keys)
    assert_like_the_authors(Of(net, "features", 2), meta, arrays)


def test_parameters():
    """As the page of methods states them; the papers that compare with MDSR print none."""
    assert mdsr_2d.build().parameters() == 1_814_337
    assert mdsr_3d.build().parameters() == 6_256_705


@pytest.mark.parametrize("dims", [2, 3])
@torch.no_grad()
def test_factors_share_all_but_their_entry_and_exit(dims):
    torch.manual_seed(0)
    net = MDSR(dims, Sizes((2, 5), blocks=1, features=3)).eval()
    x = torch.rand(1, 1, *(4, 6, 5)[:dims])
    before = {factor: net(x, factor) for factor in (2, 5)}
    for p in (*net.entries["2"].parameters(), *net.exits["2"].parameters()):
        p.add_(0.1)
    assert torch.equal(net(x, 5), before[5])
    assert not torch.equal(net(x, 2), before[2])
    net.head.bias.add_(0.1)
    assert not torch.equal(net(x, 5), before[5])
    assert np.array_equal([net(x, f).shape[2] for f in (2, 5)], [7, 16])
