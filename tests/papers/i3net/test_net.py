"""I3Net is the authors' network: same weights in, same slices out."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch import nn

from support import authors_names
from support.goldens import assert_like_the_authors, authors_weights, described, golden
from support.quick import slow_but
from thinslice.nets import i3net
from thinslice.nets.i3net import I3Net, Sizes
from thinslice.nets.i3net_authors import from_authors

SMALL = Sizes(size=16, channels=4, blocks=2, windows=4, factor=3)


class Stored(nn.Module):
    """Slices last, as theirs; of the answer the pixels that a golden stores."""

    def __init__(self, net: I3Net):
        super().__init__()
        self.net = net

    def forward(self, x_BYXS: torch.Tensor) -> torch.Tensor:
        y_BSYX = self.net(x_BYXS.permute(0, 3, 1, 2)[:, None])[:, 0]
        return y_BSYX[:, :, 1::4, 2::4].permute(0, 2, 3, 1)


@pytest.mark.parametrize("factor", slow_but([5], [2, 5]))
def test_a_slab_comes_out_as_theirs(factor):
    meta, arrays = golden("i3net", f"lite8_x{factor}")
    net = I3Net(Sizes(channels=8, factor=factor))
    net.load_state_dict(from_authors(authors_weights(meta)))
    assert_like_the_authors(Stored(net), meta, arrays)


def test_it_has_the_authors_number_of_parameters():
    numbers = [sum(p.numel() for p in I3Net(Sizes(factor=f)).parameters()) for f in (2, 5)]
    assert numbers == [23_201_735, 23_206_928]


def test_every_tensor_of_the_authors_has_its_place_and_others_are_refused():
    net, names = I3Net(SMALL), authors_names.i3net(SMALL.blocks)
    given = authors_names.made_up(net, names, from_authors)
    net.load_state_dict(from_authors(given))
    for stranger in ("dct", "body.0.body.2.last.bias", "alignment.0.conv_axi.0.bias"):
        with pytest.raises(ValueError, match=f"no place in the released I3Net: {stranger}"):
            from_authors({**given, stranger: torch.zeros(1)})
    given.pop("fuse_align.bias")
    with pytest.raises(RuntimeError, match="Missing key"):
        net.load_state_dict(from_authors(given))


def test_layers_over_tokens_are_convolutions_of_one_tap_there():
    name = "body.0.body.1.intra_slice_branch.attn.0.fn.3.weight"
    taps = torch.rand(16, 16, 1)
    assert torch.equal(
        from_authors({name: taps})["blocks.1.intra.mixer.tokens.1.weight"], taps[..., 0]
    )


def test_the_names_that_tests_use_are_the_authors():
    names = [row["name"] for row in described("i3net", "lite8_x5")["parameters"]]
    assert sorted(names) == sorted(authors_names.i3net(16))


def test_the_cosine_transform_is_orthonormal_and_scipys():
    matrix = i3net.cosines(12).numpy()
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(12), atol=1e-12)
    x = np.random.default_rng(0).normal(size=(12, 12))
    np.testing.assert_allclose(matrix @ x @ matrix.T, dctn(x, norm="ortho"), atol=1e-12)


def test_windows_are_put_back():
    x_BCYX = torch.arange(2.0 * 3 * 8 * 8).view(2, 3, 8, 8)
    cut = i3net.to_windows(x_BCYX, 4)
    assert cut.shape == (32, 4, 3)
    assert torch.equal(cut[0, :, 0], torch.tensor([0.0, 1.0, 8.0, 9.0]))
    assert torch.equal(i3net.from_windows(cut, 4, x_BCYX.shape), x_BCYX)


@torch.inference_mode()
def test_seen_slices_are_kept_where_asked_for():
    x = torch.rand(2, 1, 4, 16, 16)
    for keep in (True, False):
        torch.manual_seed(0)
        y = I3Net(Sizes(**{**vars(SMALL), "keep": keep}))(x)
        assert y.shape == (2, 1, 10, 16, 16)
        assert torch.equal(y[:, :, ::3], x) == keep


@torch.inference_mode()
def test_asked_to_start_there_an_untrained_network_is_linear_interpolation():
    x = torch.rand(1, 1, 4, 16, 12)
    y = I3Net(Sizes(**{**vars(SMALL), "keep": False, "start": "linear"}))(x)[0, 0]
    z = x[0, 0]
    torch.testing.assert_close(y[::3], z)
    torch.testing.assert_close(y[1::3], (2 * z[:-1] + z[1:]) / 3)


@torch.inference_mode()
def test_smaller_slices_are_continued_by_their_edges():
    torch.manual_seed(0)
    net = I3Net(SMALL).eval()
    x = torch.rand(1, 1, 4, 10, 13)
    y = net(x)
    assert y.shape == (1, 1, 10, 10, 13)
    whole = torch.nn.functional.pad(x[:, 0], (0, 3, 0, 6), "replicate")[:, None]
    assert torch.equal(net(whole)[..., :10, :13], y)


def test_other_slabs_and_sizes_are_refused():
    net = I3Net(SMALL)
    for shape in ((1, 1, 3, 16, 16), (1, 1, 4, 20, 16)):
        with pytest.raises(ValueError, match="built for 4 slices of up to 16"):
            net(torch.zeros(shape))
    for wrong, message in (
        ({"size": 18}, "no multiple of 4"),
        ({"windows": 3}, "3 windows"),
        ({"blocks": 3}, "two halves"),
        ({"start": "cubic"}, "learned, linear"),
    ):
        with pytest.raises(ValueError, match=message):
            Sizes(**{**vars(SMALL), **wrong})
