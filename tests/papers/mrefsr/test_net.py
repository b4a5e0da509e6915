"""MRefSR's network and its correspondences are the authors', and it starts as interpolation."""

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate, normalize

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets.mrefsr import MRefSR, Offered, PlanesOfMRefSR, Sizes
from thinslice.nets.patch_matching import best_match, offsets, unit_patches

NAMES = ("relu3_1", "relu2_1", "relu1_1")  # of maps, the coarsest first
BLOCK = {"conv1": "body.0", "conv2": "body.2"}  # layers of a residual block


def our_name(theirs: str) -> str:
    """Name here of a tensor of the authors' state dict."""
    part, layer, *rest = theirs.split(".")
    if "body" in layer:
        rest[1:2] = [BLOCK[rest[1]]]
    if part == "content_extractor":
        return ".".join([{"conv_first": "first.0"}.get(layer, layer), *rest])
    [scale] = [scale for scale in ("small", "medium", "large") if scale in layer.split("_")]
    layer = "_".join(word for word in layer.split("_") if word != scale)
    return ".".join(["transfers", scale, layer, *rest])


class Theirs(nn.Module):
    """Photographs made four times finer, with the features and offsets of a golden."""

    def __init__(self, net: MRefSR, arrays: dict):
        super().__init__()
        self.net = net
        for name in arrays:
            if name.startswith(("relu", "offset")):
                self.register_buffer(name, torch.from_numpy(arrays[name]))

    def forward(self, x_BChw: torch.Tensor) -> torch.Tensor:
        scales = [[self._offered(name, r) for r in range(2)] for name in NAMES]
        return interpolate(x_BChw, scale_factor=4, mode="bilinear") + self.net(x_BChw, scales)

    def _offered(self, name: str, r: int) -> Offered:
        map_1CHW, ways = getattr(self, f"{name}_{r}"), getattr(self, f"offset_{name}_{r}")
        return Offered(map_1CHW, map_1CHW, ways.flip(-1).permute(0, 1, 4, 2, 3))


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("mrefsr", "restoration_r2")
    net = MRefSR(Sizes())
    net.load_state_dict({our_name(name): w for name, w in authors_weights(meta).items()})
    assert sum(p.numel() for p in net.parameters()) == 23_711_633
    arrays["input"] = arrays["x"]
    assert_like_the_authors(Theirs(net, arrays), meta, arrays)


def test_offsets_lead_to_where_theirs_do():
    meta, arrays = golden("mrefsr", "correspondence")
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    plane, reference = (normalize(given[name], dim=1) for name in ("feat_in", "feat_ref"))
    match = best_match(plane, unit_patches(reference))
    assert torch.equal(match.index[0], given["index"])
    atol = meta["tolerance"]["advised_atol"]
    torch.testing.assert_close(match.score[0], given["score"], rtol=0, atol=atol)
    for name, ratio in zip(NAMES, (1, 2, 4)):
        ours = offsets(match.index, reference.shape[-1], ratio).permute(0, 1, 3, 4, 2).flip(-1)
        assert torch.equal(ours.float(), given[f"offset_{name}"])


def planes(seed: int = 0) -> PlanesOfMRefSR:
    torch.manual_seed(seed)
    return PlanesOfMRefSR(8, 1, 2, (4, 6, 8))


@torch.inference_mode()
def test_untrained_it_changes_nothing():
    x_B1ZW, references = torch.rand(2, 1, 20, 33), torch.rand(3, 2, 18, 40)
    assert torch.equal(planes()(x_B1ZW, references), x_B1ZW)


def trained() -> PlanesOfMRefSR:
    """Weights as large as training makes them, but for the ways beside the places found."""
    net = planes()
    for name, p in net.named_parameters():
        p.data.copy_((0.01 if "offset_mask" in name else 0.2) * torch.randn(p.shape))
    return net


@torch.inference_mode()
def test_a_plane_that_is_cut_is_restored_as_the_whole_one():
    net = trained()
    side = -(-net.reach // net.align) * net.align
    x_B1ZW, references = torch.rand(1, 1, 32, 2 * side + 32), torch.rand(2, 2, 48, 32)
    whole, cut = (net(x, references) for x in (x_B1ZW, x_B1ZW[..., : side + 32]))
    worst = (cut[..., :32] - whole[..., :32]).abs().max()
    assert worst <= 1e-4 * whole.abs().max()


@torch.inference_mode()
def test_the_order_of_references_does_not_matter_and_the_same_one_twice_is_one():
    net = trained()
    x_B1ZW, references = torch.rand(1, 1, 32, 32), torch.rand(2, 2, 48, 32)
    answer = net(x_B1ZW, references)
    torch.testing.assert_close(net(x_B1ZW, references.flip(0)), answer, rtol=1e-4, atol=1e-4)
    twice, once = net(x_B1ZW, references[[0, 0]]), net(x_B1ZW, references[:1])
    torch.testing.assert_close(twice, once, rtol=1e-4, atol=1e-4)
    assert (twice - answer).abs().max() > 1e-3


@pytest.mark.parametrize("side", [48, 64])
@torch.inference_mode()
def test_the_place_of_a_plane_is_found_in_a_larger_slice(side):
    """Where a plane is a piece of the coarse slice, ways lead there from every pixel."""
    net = planes()
    slices = torch.rand(1, 2, side, side)
    x_B1ZW = slices[:, 1:, 8:40, 16:48]
    offered = net._offered(x_B1ZW, net.encode(slices))
    for one, ratio in zip(offered, (1, 2, 4)):
        middle = one.ways[:, :, :, 3 * ratio : -3 * ratio, 3 * ratio : -3 * ratio]
        assert (middle[:, :, 0] == 2 * ratio).float().mean() > 0.8  # pooled edges may differ
        assert (middle[:, :, 1] == 4 * ratio).float().mean() > 0.8
