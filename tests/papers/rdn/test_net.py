"""RDN is the public network of its paper, and grows along z alone."""

import pytest
import torch
from torch import nn

from support.goldens import assert_like_the_authors, authors_weights, golden
from support.rdn_names import TRUNK
from support.renamed import renamed
from thinslice.methods import rdn_2d, rdn_3d
from thinslice.nets.along_z import convolution, finer
from thinslice.nets.rdn import RDN, Sizes, Trunk

LARGER = {"blocks": 16, "layers": 8, "growth": 64}  # the paper's B


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_growing_along_both_axes_it_is_the_authors_network(factor):
    meta, arrays = golden("rdn", f"rdn2d_B_x{factor}")
    net = nn.Sequential(Trunk(2, **LARGER), finer(2, 64, factor, axes=2), convolution(2, 64, 1))
    steps = 4 if factor == 4 else 2
    head = ((rf"UPNet\.{steps}", "2"), (r"UPNet\.(\d)", r"1.\1"))
    trunk = tuple((pattern, f"0.{ours}") for pattern, ours in TRUNK)
    net.load_state_dict(renamed(authors_weights(meta), head + trunk))
    assert_like_the_authors(net, meta, arrays)


def test_the_trunk_with_cubes_for_kernels_is_the_authors_inflated():
    meta, arrays = golden("rdn", "rdn3d_A_trunk")
    trunk = Trunk(3, blocks=20, layers=6, growth=32)
    trunk.load_state_dict(renamed(authors_weights(meta), TRUNK))
    assert_like_the_authors(trunk, meta, arrays)


def test_parameters():
    """As the page of methods states them; the papers that compare with RDN print none."""
    assert rdn_2d.build().parameters() == 22_158_017
    assert rdn_3d.build().parameters() == 6_252_481


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("corrects", [False, True])
def test_every_parameter_learns(dims, corrects):
    torch.manual_seed(0)
    net = RDN(dims, Sizes(2, 2, 2, 3, 4, corrects))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    for _ in range(3):  # a last layer at rest holds the others back for a step
        optimiser.zero_grad()
        net(torch.rand(1, 1, *(4, 6, 5)[:dims])).square().sum().backward()
        optimiser.step()
    assert [name for name, p in net.named_parameters() if torch.equal(p, before[name])] == []
