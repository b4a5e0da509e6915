"""CrossNet is its authors' network, and a flow moves what it should."""

import numpy as np
import pytest
import torch
from torch import nn

from support.goldens import assert_like_the_authors, authors_weights, golden
from support.renamed import renamed
from thinslice.methods import crossnet
from thinslice.nets.crossnet import CrossNet, OfPlanes, Sizes, as_large, warped

UNUSED = "UNet_decoder_2.post_fusion2."  # computed by the authors' code, of no effect
NAMES = (
    (r"FlowNet\.conv(\d)\.0", lambda m: f"flow.down.{int(m[1]) - 1}.0"),
    (r"FlowNet\.conv(\d)_1\.0", lambda m: f"flow.down.{int(m[1]) - 1}.2"),
    (r"FlowNet\.flow(\d)\.0", lambda m: f"flow.heads.{int(m[1]) - 1}"),
    (r"FlowNet\.flow(\d)_up", lambda m: f"flow.enlarge.{int(m[1]) - 1}"),
    (r"FlowNet\.deconv(\d)\.0", r"flow.lift.\1"),
    (r"FlowNet\.concat0_conv(\d)\.0", lambda m: f"flow.refine.{int(m[1]) - 1}"),
    (r"FlowNet\.flow_12\.0", "flow.refine.2"),
    (r"Encoder\.layer_f\.0", "encoder.layers.0"),
    (r"Encoder\.conv(\d)\.0", r"encoder.layers.\1"),
    (
        r"UNet_decoder_2\.warp_deconv(\d)\.0",
        lambda m: f"decoder.up.{int(m[1]) - 2}",
    ),
    (r"UNet_decoder_2\.post_fusion1\.0", "decoder.fuse"),
    (r"UNet_decoder_2\.final\.0", "decoder.last"),
)


class OfThree(nn.Module):
    """The network on its three images stacked along the batch."""

    def __init__(self, net: CrossNet):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(*x.chunk(3))


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("crossnet", "crossnet")
    theirs = {name: w for name, w in authors_weights(meta).items() if not name.startswith(UNUSED)}
    net = CrossNet(Sizes(colours=3))
    net.load_state_dict(renamed(theirs, NAMES))
    images = [
        torch.from_numpy(arrays[f"input_{name}"]) for name in ("img1_LR", "img1_SR", "img2_HR")
    ]
    arrays["input"] = torch.cat(images).numpy()
    assert sum(p.numel() for p in net.parameters()) == 35_183_841 - 102_464
    assert_like_the_authors(OfThree(net), meta, arrays)


def test_a_flow_of_whole_pixels_moves_an_image_and_stops_at_its_edges():
    image = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    torch.testing.assert_close(warped(image, flow), image)
    flow[:, 0], flow[:, 1] = 1, -5
    expected = torch.tensor([1.0, 2, 3, 3]).expand(1, 1, 3, 4)
    torch.testing.assert_close(warped(image, flow), expected)


@torch.inference_mode()
def test_planes_of_any_size_are_left_as_they_are_until_it_has_learned():
    net = OfPlanes(Sizes(flow=4, channels=4))
    for size in ((1, 1), (9, 70)):
        plane, reference = torch.rand(2, 1, *size), torch.rand(2, 40, 90)
        assert torch.equal(net(plane, [reference]), plane)
        net.net.decoder.last.weight.data.fill_(0.1)
        made = net(plane, [reference])
        assert made.shape == plane.shape
        assert not torch.equal(made, net(plane, [reference.flip(1)]))
        net.net.decoder.last.weight.data.zero_()


def test_a_reference_lends_its_middle_or_is_mirrored_out():
    image = torch.arange(5.0).expand(1, 1, 1, 5)
    assert as_large(image, (1, 3)).flatten().tolist() == [1, 2, 3]
    assert as_large(image, (2, 7))[0, 0].tolist() == [[0, 1, 2, 3, 4, 3, 2]] * 2


def test_a_slice_lies_over_planes_as_in_training_and_tiles_are_as_large_as_can_be():
    """Training cuts both from one cube; restoring, a plane as wide as the slice has its columns."""
    built = crossnet.build(**crossnet.TINY)
    net = built.net
    assert isinstance(net, OfPlanes)
    assert net.sees_whole_tile
    assert net.with_references([torch.rand(2, 8, 300)]).sees_whole_tile
    slices_ZYX = np.broadcast_to(np.arange(300, dtype=np.float32), (3, 300, 300))
    [slice_YX] = built._slices(slices_ZYX)
    on_plane = as_large(torch.from_numpy(slice_YX)[None, None], (40, 300))
    assert on_plane[0, 0, 0].tolist() == list(range(300))


def test_more_references_than_one_are_refused():
    with pytest.raises(ValueError, match="one reference, found 2"):
        OfPlanes(Sizes(flow=4, channels=4))(torch.rand(1, 1, 8, 8), torch.rand(2, 2, 8, 8))


def test_parameters():
    """As the page of methods states them; the paper that compares with it prints none."""
    assert crossnet.build().parameters() == 35_060_863
