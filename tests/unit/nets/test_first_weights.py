"""What networks owe to their first weights: the image gets through, and every weight learns."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from support.ct_crops import ct_crop
from support.textured_pairs import textured
from thinslice.nets import eddsr, mfer, tvsrn, tvsrn_encoder, tvsrn_vit
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.edsr import EDSR
from thinslice.nets.grey import STRETCHED
from thinslice.nets.plane_unet import PlaneUNet
from thinslice.nets.recnn import ReCNN
from thinslice.nets.srcnn3d import SRCNN3D
from thinslice.nets.swin import SwinBlock
from thinslice.nets.tvsrn_no_tab import TVSRNNoTAB
from thinslice.nets.unet import UNet

SMALL = {"channels": 4, "heads": 2, "encoder_blocks": 1, "tab_blocks": 1, "plane_blocks": 2}
CUBES = {
    "tvsrn_small": lambda: tvsrn.TVSRN(tvsrn.Sizes(**SMALL, drop_path=0.0)),
    "tvsrn": lambda: tvsrn.TVSRN(tvsrn.Sizes(drop_path=0.0)),
    "no_tab": lambda: TVSRNNoTAB(tvsrn.Sizes(**SMALL, drop_path=0.0)),
    "encoder": lambda: tvsrn_encoder.TVSRNEncoder(tvsrn_encoder.Sizes(drop_path=0.0)),
    "vit": lambda: tvsrn_vit.TVSRNViT(tvsrn_vit.Sizes(patch=4, channels=48, heads=2, blocks=2)),
}
PLANES = {
    "edsr": lambda: EDSR(2, 8),
    "unet": lambda: rested(UNet(8, 3, grey=STRETCHED)),
    "plane_unet": lambda: PlaneUNet(8, 3),
    "acvtt": lambda: rested(ACVTT(8, 2, 2, grey=STRETCHED)),
}


CONVOLUTIONS = {
    "mfer": lambda: mfer.MFER(mfer.Sizes(4, stem=8, levels=3, channels=8)),
    "eddsr": lambda: eddsr.EDDSR(eddsr.Sizes(4, stem=8, blocks=2, channels=8)),
    "srcnn3d": lambda: SRCNN3D(8),
    "recnn": lambda: ReCNN(4, 8),
}


def rested(net):
    net.rest()
    return net


def first(make) -> nn.Module:
    torch.manual_seed(0)
    return make()


def seen_by_blocks(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """What the first norm of every block hands on, tokens by features."""
    seen = {}

    def keep(name):
        def hook(block, inputs, _):
            seen[name] = block.norm1(inputs[0]).detach()

        return hook

    for name, block in net.named_modules():
        if isinstance(block, SwinBlock | tvsrn_vit.Layer):
            block.register_forward_hook(keep(name))
    net(x)
    return seen


def share_over_places(tokens: Tensor, depth: int, name: str) -> float:
    """The share of the tokens' energy that varies from place to place within one z."""
    by_z = tokens if "tabs" in name else tokens[:, None]  # [B, Z, Y, C] there, else all of one z
    if tokens.ndim == 3:  # ViT: [B, N, C], z by z
        by_z = tokens.unflatten(1, (depth, -1))
    by_z = by_z.transpose(0, 1).flatten(1, -2).double()
    return float((by_z - by_z.mean(1, keepdim=True)).square().sum() / by_z.square().sum())


@pytest.mark.parametrize("name", CUBES)
def test_what_the_first_norms_hand_on_is_image_to_a_tenth_at_least(name):
    seen = seen_by_blocks(first(CUBES[name]), ct_crop(side=32))
    assert seen
    shares = {block: share_over_places(tokens, 4, block) for block, tokens in seen.items()}
    assert min(shares.values()) >= 0.1, shares


def unmoved(net: nn.Module, batch: tuple[Tensor, ...], steps: int = 2) -> list[str]:
    """Names of the parameters that so many steps of training have not moved."""
    before = copy.deepcopy(dict(net.named_parameters()))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        l1_loss(net(*batch[:-1]), batch[-1]).backward()
        optimiser.step()
    return [name for name, p in net.named_parameters() if torch.equal(p, before[name])]


@pytest.mark.parametrize("name", CUBES)
def test_by_the_second_step_every_parameter_of_a_cube_network_has_moved(name):
    thin = ct_crop(16, increment=1.0)
    assert unmoved(first(CUBES[name]), (thin[:, :, ::5], thin)) == []


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_by_the_second_step_every_parameter_of_a_3d_network_has_moved(name):
    thin = ct_crop(16, increment=1.0)
    thick = thin[:, :, ::5] if name in ("mfer", "eddsr") else thin.roll(1, 2)
    assert unmoved(first(CONVOLUTIONS[name]), (thick, thin)) == []


@pytest.mark.parametrize("name", ["edsr", "unet", "plane_unet"])
def test_by_the_second_step_every_parameter_of_a_plane_network_has_moved(name):
    thin = ct_crop(4)[0].transpose(0, 1)
    assert unmoved(first(PLANES[name]), (thin.roll(1, -1), thin)) == []


def test_what_reads_references_learns_one_step_later():
    """Their attention starts at rest behind a last layer that does."""
    thin = ct_crop(4)[0].transpose(0, 1)
    batch = (thin.roll(1, -1), thin[:2], thin)
    late = unmoved(first(PLANES["acvtt"]), batch)
    assert late
    assert all(name.startswith("transfers.") for name in late)
    assert unmoved(first(PLANES["acvtt"]), batch, 3) == []


def test_a_small_tvsrn_learns_one_crop_by_heart():
    """From first weights that let a hundredth of the image through it gets to 0.6 of linear."""
    pair = textured(0)
    x, y = (
        torch.from_numpy((v.voxels[None, None, :n, :16, :16] + 1024) / 3072)
        for v, n in ((pair.thick, 4), (pair.thin, 16))
    )
    torch.manual_seed(0)
    net = tvsrn.TVSRN(tvsrn.Sizes(**SMALL, window=4, fold=4, drop_path=0.0))
    optimiser = torch.optim.Adam(net.parameters(), lr=4e-3)
    rmse = []
    for _ in range(61):
        optimiser.zero_grad()
        answer = net(x)
        rmse.append(float((answer.detach() - y).square().mean().sqrt()))
        l1_loss(answer, y).backward()
        optimiser.step()
    assert rmse[-1] < 0.3 * rmse[0]  # the first is linear interpolation's


@pytest.mark.parametrize("name", ["edsr", "unet", "plane_unet"])
@torch.no_grad()
def test_an_untrained_plane_network_changes_nothing(name):
    x = ct_crop(3)[0].transpose(0, 1)
    assert torch.equal(first(PLANES[name])(x), x)
