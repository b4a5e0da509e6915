"""SRNTT's network is the authors', its swapped maps are theirs, and it starts as interpolation."""

import re

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets import patch_matching
from thinslice.nets.srntt import SRNTT, PlanesOfSRNTT, Sizes

NAMES = ("relu3_1", "relu2_1", "relu1_1")  # of maps, the coarsest first
SCALE = re.compile(r"texture_transfer\.(head|body|tail)_(small|medium|large)\.(.+)")


def our_name(theirs: str) -> str:
    """Name here of a tensor of the authors' state dict."""
    if match := SCALE.fullmatch(theirs):
        part, scale, layer = match.groups()
        return f"transfers.{scale}.{part}.{layer}"
    names = {"texture_transfer.a": "gain", "texture_transfer.b": "bias"}
    return names.get(theirs, theirs.replace("content_extractor", "content"))


class Theirs(nn.Module):
    """Photographs made four times finer, with the maps and scores of a golden."""

    def __init__(self, net: SRNTT, arrays: dict, plain: bool = False):
        super().__init__()
        self.net, self.plain = net, plain
        for name in NAMES:
            self.register_buffer(name, torch.from_numpy(arrays[name]))
        score = torch.from_numpy(arrays["score"])[:, 0] if "score" in arrays else None
        self.register_buffer("score", score)

    def forward(self, x_BChw: torch.Tensor) -> torch.Tensor:
        base_BCHW = interpolate(x_BChw, scale_factor=4, mode="bilinear")
        if self.plain:
            return base_BCHW + self.net.content.tail(self.net.content(x_BChw))
        maps = [getattr(self, name) for name in NAMES]
        return base_BCHW + self.net(x_BChw, maps, self.score)


@pytest.mark.parametrize("case", ["srntt", "srntt_weighted"])
@pytest.mark.parametrize("answer", ["output", "plain"])
def test_it_answers_as_the_authors_does(case, answer):
    meta, arrays = golden("srntt", case)
    net = SRNTT(Sizes(weighted=case == "srntt_weighted"))
    net.load_state_dict({our_name(name): w for name, w in authors_weights(meta).items()})
    assert sum(p.numel() for p in net.parameters()) == meta["n_parameters"]
    meta["tolerance"]["output"] = meta["tolerance"][answer]
    arrays |= {"input": arrays["x"], "output": arrays[answer]}
    arrays["output_f64run"] = arrays[f"{answer}_f64run"]
    assert_like_the_authors(Theirs(net, arrays, answer == "plain"), meta, arrays)


def test_maps_are_swapped_as_theirs():
    meta, arrays = golden("srntt", "swapper")
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    searched = given["refblur_relu3_1"]
    match = patch_matching.best_match(given["in_relu3_1"], patch_matching.unit_patches(searched))
    assert torch.equal(match.index[0], given["index"])
    atol = meta["tolerance"]["advised_atol"]
    torch.testing.assert_close(match.score[0], given["score"], rtol=0, atol=atol)
    pixels = patch_matching.pixels_of_patches(searched.shape[2], searched.shape[3])
    for name, ratio in zip(NAMES, (1, 2, 4)):
        blocks = patch_matching.as_blocks(given[f"ref_{name}"], ratio)
        ours = patch_matching.swapped(blocks, pixels, match.index, ratio)
        torch.testing.assert_close(ours[0], given[f"swapped_{name}"], rtol=0, atol=atol)


def planes(seed: int = 0, weighted: bool = True) -> PlanesOfSRNTT:
    torch.manual_seed(seed)
    return PlanesOfSRNTT(8, 1, (4, 6, 8), weighted)


@torch.inference_mode()
def test_untrained_it_changes_nothing():
    x_B1ZW, references = torch.rand(2, 1, 20, 33), torch.rand(3, 2, 18, 40)
    assert torch.equal(planes()(x_B1ZW, references), x_B1ZW)


@torch.inference_mode()
def test_a_plane_that_is_cut_is_restored_as_the_whole_one():
    net = planes()
    for p in net.parameters():
        p.copy_(0.3 * torch.randn(p.shape))
    side = -(-net.reach // net.align) * net.align
    x_B1ZW, references = torch.rand(1, 1, 32, 2 * side + 32), torch.rand(2, 2, 48, 32)
    whole, cut = (net(x, references) for x in (x_B1ZW, x_B1ZW[..., : side + 32]))
    worst = (cut[..., :32] - whole[..., :32]).abs().max()
    assert worst <= 1e-4 * whole.abs().max()


@torch.inference_mode()
def test_maps_come_from_the_fine_slice_where_the_coarse_one_fits():
    """Where a plane is a piece of the coarse slice, its maps are those of the fine one."""
    net, taken = planes(), []
    net.net.forward = lambda x, maps, score: taken.extend(maps) or torch.zeros(1)  # type: ignore
    fine, coarse = torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64)
    net.correction(coarse, [net.encode(torch.cat((fine, coarse), 1))])
    features = net.seen(fine)
    for ours, expected in zip(reversed(taken), features):
        torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
