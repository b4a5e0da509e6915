"""TVSRN and its ablations: what the networks owe to any input, whatever their weights."""

import copy
import sys

import pytest
import torch
from torch import nn

from support.paths import BENCHMARKS
from thinslice.nets import tvsrn, tvsrn_encoder, tvsrn_vit
from thinslice.nets.tvsrn import TVSRN, linear_in_z
from thinslice.nets.tvsrn_encoder import TVSRNEncoder
from thinslice.nets.tvsrn_no_tab import TVSRNNoTAB
from thinslice.nets.tvsrn_released import TVSRNReleased
from thinslice.nets.tvsrn_vit import TVSRNViT, subpixel_slices

sys.path.insert(0, str(BENCHMARKS))
from plain_swin import make_plain

SMALL = {"channels": 4, "heads": 2, "encoder_blocks": 2, "tab_blocks": 2, "plane_blocks": 2}
TINY = {**SMALL, "window": 4, "window_z": 2, "fold": 4}


def small(**sizes) -> TVSRN:
    torch.manual_seed(0)
    return TVSRN(tvsrn.Sizes(**{**TINY, **sizes})).eval()


def networks() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return {
        "tvsrn": small(),
        "no_tab": TVSRNNoTAB(tvsrn.Sizes(**TINY)),
        "encoder": TVSRNEncoder(
            tvsrn_encoder.Sizes(channels=4, heads=2, encoder_blocks=2, window=4)
        ),
        "vit": TVSRNViT(tvsrn_vit.Sizes(patch=4, channels=24, heads=2, blocks=2)),
        "released": TVSRNReleased(),
    }


NETWORKS = networks()


def shaken(net: nn.Module) -> nn.Module:
    """The network with random weights everywhere: no branch is quiet."""
    torch.manual_seed(1)
    net = copy.deepcopy(net).eval()
    for p in net.parameters():
        nn.init.normal_(p, std=p.shape[-1] ** -0.5 if p.ndim > 1 else 0.1)
    return net


def thick(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("batch", "y", "x"), [(1, 8, 8), (2, 13, 9), (1, 5, 20)])
@torch.no_grad()
def test_any_rows_columns_and_batch(name, batch, y, x):
    restored = NETWORKS[name](thick(batch, 1, 4, y, x))
    assert restored.shape == (batch, 1, 10 if name == "released" else 16, y, x)
    assert restored.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_a_batch_is_its_members_one_by_one(name):
    net, x = shaken(NETWORKS[name]).double(), thick(3, 1, 4, 8, 16).double()
    together, alone = net(x), torch.cat([net(one[None]) for one in x])
    torch.testing.assert_close(together, alone, atol=1e-12, rtol=1e-9)
    assert together.std() > 1e-2


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_learns(name):
    net = shaken(NETWORKS[name])
    net(thick(1, 1, 4, 8, 8)).square().sum().backward()
    silent = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", NETWORKS)
def test_another_number_of_thick_slices_is_refused(name):
    with pytest.raises(ValueError, match="built for 4 thick slices, found 5"):
        NETWORKS[name](thick(1, 1, 5, 8, 8))


@pytest.mark.parametrize(("depth", "factor"), [(4, 5), (4, 2), (3, 3), (2, 1), (4, 4)])
@torch.no_grad()
def test_an_untrained_tvsrn_interpolates_linearly(depth, factor):
    for kind in (TVSRN, TVSRNNoTAB):
        net = kind(tvsrn.Sizes(**{**TINY, "depth": depth, "factor": factor, "modules": 2})).eval()
        x = thick(2, 1, depth, 8, 12)
        want = torch.einsum("kz,bzyx->bkyx", linear_in_z(depth, factor), x[:, 0])
        torch.testing.assert_close(net(x)[:, 0], want, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["tvsrn", "no_tab", "encoder", "vit"])
@torch.no_grad()
def test_every_ablation_starts_as_the_full_network_does(name):
    """As linear interpolation: what they differ by is the network, not the start."""
    x = thick(2, 1, 4, 9, 13)
    want = torch.einsum("kz,bzyx->bkyx", linear_in_z(4, 5), x[:, 0])
    torch.testing.assert_close(NETWORKS[name].eval()(x)[:, 0], want, atol=1e-5, rtol=0)


@pytest.mark.parametrize("factor", [1, 2, 4, 5])
def test_subpixel_slices_keep_thick_centres_in_place(factor):
    values = torch.arange(3.0)[None, :, None, None, None].expand(1, 3, 2, 2, factor)
    laid = subpixel_slices(values)
    assert laid.shape == (1, 1, 2 * factor + 1, 2, 2)
    assert laid[0, 0, ::factor, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", ["tvsrn", "no_tab", "encoder"])
@torch.no_grad()
def test_moving_by_a_window_moves_the_answer(name):
    net, x = shaken(NETWORKS[name]), thick(1, 1, 4, 64, 8)
    y, moved = net(x), net(x.roll(4, 3))
    torch.testing.assert_close(y[..., 26:32, :], moved[..., 30:36, :], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_through_plane_block_is_what_tvsrn_has_more():
    net, x = shaken(NETWORKS["tvsrn"]), thick(1, 1, 4, 8, 8)
    before = net(x)
    for p in net.tabs.parameters():
        p.add_(0.1)
    assert (net(x) - before).abs().max() > 1e-4
    assert sum(p.numel() for p in net.tabs.parameters()) > 0
    assert list(NETWORKS["no_tab"].tabs.parameters()) == []


def test_parameters_beside_the_papers():
    """The counts the docstrings state; the paper prints 1.73, 1.56, 1.58 and 17.15 million."""
    found = [
        sum(p.numel() for p in net.parameters())
        for net in (
            TVSRN(tvsrn.Sizes()),
            TVSRNNoTAB(tvsrn.Sizes()),
            TVSRNEncoder(tvsrn_encoder.Sizes()),
            TVSRNViT(tvsrn_vit.Sizes()),
        )
    ]
    assert found == [1_864_000, 1_660_704, 1_602_704, 17_611_520]


@pytest.mark.parametrize("name", ["tvsrn", "released"])
def test_equal_to_the_plain_network_forward_and_backward(name):
    fast, x = shaken(NETWORKS[name]), thick(1, 1, 4, 16, 16)
    plain = make_plain(copy.deepcopy(fast))
    answers = []
    for net in (fast, plain):
        y = net(x)
        y.square().mean().backward()
        answers.append((y.detach(), [p.grad for p in net.parameters()]))
    torch.testing.assert_close(answers[0][0], answers[1][0], atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(answers[0][1], answers[1][1]):
        torch.testing.assert_close(ours, theirs, atol=2e-5 * float(theirs.abs().max()), rtol=1e-4)
