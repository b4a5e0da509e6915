"""The mixed-scale dense network: the authors' numbers, exact gradients, one buffer of maps."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.functional import conv2d, relu

from support.golden_weights import fixture, weights
from thinslice.nets import dense_dilated
from thinslice.nets.msd import MSD


def of_the_authors(named: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Their tensors under our names: kernels go tap by tap, maps last, into one flat tensor."""
    t = {name: torch.from_numpy(array) for name, array in named.items()}
    kernels = [t[f"1.msd_block.weight{i}"] for i in range(len(t["1.msd_block.bias"]))]
    ends = {"scale_in": "0.weight", "shift_in": "0.bias"}
    ends |= {"scale_out": "2.weight", "shift_out": "2.bias"}
    return {
        "taps": torch.cat([k.permute(0, 2, 3, 1).flatten() for k in kernels]),
        "bias": t["1.msd_block.bias"],
        "last": t["1.final_layer.linear.weight"].flatten(),
        "last_bias": t["1.final_layer.linear.bias"],
        **{ours: t[theirs].reshape(()) for ours, theirs in ends.items()},
    }


def drawn(depth: int, width: int = 1, dilations: int = 10) -> MSD:
    """A network all of whose parts count."""
    torch.manual_seed(depth)
    net = MSD(depth, width, dilations)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.3)
    return net


def plain(net: MSD, x_B1HW: Tensor) -> Tensor:
    """The same layers as convolutions over concatenated maps, borders repeated edge first."""
    width, maps = net.shape.width, x_B1HW
    for i, kernel in enumerate(net.shape.split(net.taps)):
        d = i % net.shape.dilations + 1
        rows, columns = (symmetric(side, d) for side in maps.shape[2:])
        wide = maps[:, :, rows][:, :, :, columns]
        weight = kernel.view(width, 3, 3, -1).permute(0, 3, 1, 2)
        bias = net.bias[i * width : (i + 1) * width]
        maps = torch.cat([maps, relu(conv2d(wide, weight, bias, dilation=d))], 1)
    return conv2d(maps, net.last[None, :, None, None], net.last_bias)


def symmetric(side: int, border: int) -> Tensor:
    return torch.from_numpy(np.pad(np.arange(side), border, mode="symmetric"))


def test_it_equals_the_authors_network_in_single_and_double_precision():
    meta, arrays = fixture("msd", "depth100")
    net = MSD()
    net.load_state_dict(of_the_authors(weights(meta)))
    x = torch.from_numpy(arrays["input"])
    with torch.no_grad():
        single, double = net(x), net.double()(x.double())
    assert np.abs(single.numpy() - arrays["output"]).max() < meta["tolerance"]["advised_atol"]
    assert np.abs(double.numpy() - arrays["output_f64run"]).max() < 1e-6


def test_the_published_network_has_the_published_number_of_weights():
    assert sum(p.numel() for p in MSD().parameters()) == 45_652
    assert MSD().reach == 10 * sum(range(1, 11))


@pytest.mark.parametrize(("depth", "width", "dilations"), [(1, 1, 1), (12, 1, 10), (7, 3, 4)])
def test_it_is_a_stack_of_plain_convolutions_values_and_gradients(depth, width, dilations):
    net = drawn(depth, width, dilations).double()
    x = torch.randn(2, 1, 13, 17, dtype=torch.double, requires_grad=True)
    answers = []
    for run in (net, lambda x: plain(net, x)):
        y = run(x)
        answers.append([y, *torch.autograd.grad(y.square().sum(), [x, *net.parameters()])])
    for ours, theirs in zip(*answers):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sides", [(5, 6), (2, 3)])  # the second smaller than the border
def test_gradients_are_those_of_finite_differences(sides):
    net = drawn(7, 1, 4).double()
    x = torch.randn(2, *sides, dtype=torch.double, requires_grad=True)

    def run(x: Tensor, taps: Tensor, bias: Tensor, last: Tensor) -> Tensor:
        return dense_dilated.dense(x, taps, bias, last, net.shape)

    assert torch.autograd.gradcheck(run, (x, net.taps, net.bias, net.last))


def test_the_gradient_keeps_one_buffer_of_maps():
    net, kept = drawn(30), {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = torch.randn(2, 1, 40, 50)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        net(x).square().mean()
    parts = [*net.parameters(), *net.buffers()]
    own = {t.untyped_storage().data_ptr() for t in parts}
    others = sorted((size for place, size in kept.items() if place not in own), reverse=True)
    buffer = 4 * 32 * 2 * (40 + 20) * (50 + 20)  # 31 maps, stored in sixteens
    assert others[0] == buffer
    assert sum(others[1:]) <= 4 * x.nbytes  # the input and the loss's own


def test_untrained_it_answers_the_mean_whatever_it_sees():
    net = MSD(5)
    net.normalise(mean=(3.0, -7.0), std=(2.0, 5.0))
    assert torch.equal(net(torch.randn(1, 1, 8, 9)), torch.full((1, 1, 8, 9), -7.0))


def test_told_so_it_starts_with_what_it_sees():
    net = MSD(5)
    net.normalise(mean=(3.0, -7.0), std=(2.0, 5.0))
    net.start_from_input()
    x = torch.randn(1, 1, 8, 9)
    torch.testing.assert_close(net(x), x, rtol=0, atol=1e-5)


def test_normalising_is_the_same_network_on_normalised_images():
    net, same = drawn(6), drawn(6)
    x = torch.randn(1, 1, 12, 11)
    expected = 5 * same((x - 3) / 2) - 7
    net.normalise(mean=(3.0, -7.0), std=(2.0, 5.0))
    torch.testing.assert_close(net(x), expected, rtol=1e-5, atol=1e-5)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="found 0, 1, 10"):
        MSD(0)
    with pytest.raises(ValueError, match="contrast"):
        MSD(2).normalise(mean=(0.0, 0.0), std=(0.0, 1.0))


@pytest.mark.parametrize("few", [0, 3, 99])
def test_layers_one_by_one_and_in_blocks_and_planes_in_pairs_are_plain_convolutions(
    monkeypatch, few
):
    monkeypatch.setattr(dense_dilated, "FEW", few)
    monkeypatch.setattr(dense_dilated, "AT_ONCE", 2)
    net = drawn(7, dilations=3).double()
    x = torch.randn(3, 1, 19, 23, dtype=torch.float64)
    torch.testing.assert_close(net(x), plain(net, x))
