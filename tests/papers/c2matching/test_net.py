"""C2-Matching's restoration is the authors'."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from support.goldens import assert_like_the_authors, authors_weights, golden
from support.renamed import renamed
from thinslice.methods import c2matching
from thinslice.nets.c2matching import PlanesOfC2Matching, restoration
from thinslice.nets.contrastive import Extractors
from thinslice.nets.mrefsr import MRefSR, Offered, Sizes

MAPS = ("relu3_1", "relu2_1", "relu1_1")


S = "(?P<scale>small|medium|large)"
NAMES = (
    (r"content_extractor\.conv_first", "first.0"),
    (
        r"content_extractor\.body\.(\d+)\.conv(\d)",
        lambda m: f"body.{m[1]}.body.{2 * int(m[2]) - 2}",
    ),
    (
        rf"dyn_agg_restore\.{S}_offset_conv(?P<k>\d)",
        lambda m: f"transfers.{m['scale']}.offset_conv{m['k']}",
    ),
    (
        rf"dyn_agg_restore\.{S}_dyn_agg\.conv_offset_mask",
        lambda m: f"transfers.{m['scale']}.dyn_agg.conv_offset_mask",
    ),
    (
        rf"dyn_agg_restore\.{S}_dyn_agg",
        lambda m: f"transfers.{m['scale']}.dyn_agg",
    ),
    (rf"dyn_agg_restore\.head_{S}\.0", lambda m: f"transfers.{m['scale']}.head.both"),
    (
        rf"dyn_agg_restore\.body_{S}\.(?P<k>\d+)\.conv(?P<n>\d)",
        lambda m: f"transfers.{m['scale']}.body.{m['k']}.body.{2 * int(m['n']) - 2}",
    ),
    (rf"dyn_agg_restore\.tail_{S}\.(?P<k>\d)", lambda m: f"transfers.{m['scale']}.tail.{m['k']}"),
)


class WithOneReference(nn.Module):
    """The network on the golden's reference, added to the image made four times as large."""

    def __init__(self, net: MRefSR, arrays: dict[str, np.ndarray]):
        super().__init__()
        self.net = net
        self.maps = [torch.from_numpy(arrays[f"{name}_0"]) for name in MAPS]
        self.offsets = [torch.from_numpy(arrays[f"offset_{name}_0"]) for name in MAPS]

    def forward(self, x):
        maps = [m.to(x.dtype) for m in self.maps]
        ways = [o.to(x.dtype).flip(-1).movedim(-1, 2) for o in self.offsets]  # theirs are (x, y)
        larger = interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)
        return larger + self.net(x, [[Offered(m, m, o)] for m, o in zip(maps, ways)])


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("c2matching", "restoration")
    net = restoration(Sizes())
    net.load_state_dict(renamed(authors_weights(meta), NAMES))
    assert sum(p.numel() for p in net.parameters()) == 8_865_547
    arrays["input"] = arrays["x"]
    assert_like_the_authors(WithOneReference(net, arrays), meta, arrays)


def test_parameters():
    """As the page of methods states them; the paper that compares with it prints none."""
    assert c2matching.build().parameters() == 8_872_457


def small() -> PlanesOfC2Matching:
    torch.manual_seed(0)
    return PlanesOfC2Matching(4, 1, 2, (4, 4, 4), (4, 4, 4)).eval()


@torch.inference_mode()
def test_planes_are_left_as_they_are_until_it_has_learned():
    net = small()
    for size in ((1, 1), (9, 21)):
        plane, reference = torch.rand(2, 1, *size), torch.rand(1, 2, 24, 40)
        assert torch.equal(net(plane, reference), plane)


@torch.inference_mode()
def test_the_slice_as_it_is_is_searched_by_the_extractors_and_its_coarse_rows_do_not_matter():
    net = small()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.2)
    plane, reference = torch.rand(1, 1, 32, 32), torch.rand(1, 2, 32, 32)
    made = net(plane, reference)
    coarse = torch.stack([reference[:, 0], torch.rand(1, 32, 32)], 1)
    assert torch.equal(net(plane, coarse), made)
    net.find.use(Extractors((4, 4, 4)))
    assert not torch.equal(net(plane, reference), made)


def test_more_references_than_one_are_refused():
    with pytest.raises(ValueError, match="one reference, found 2"):
        small()(torch.rand(1, 1, 16, 16), torch.rand(2, 2, 16, 16))
