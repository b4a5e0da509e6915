"""I3Net's layers, and the network of them, equal a plain restatement in numpy."""

import numpy as np
import pytest
import torch
from scipy.fft import dctn, idctn

from support.plain_layers import convolved, gelu, linear, normed, shuffled, unshuffled
from thinslice.nets.i3net import (
    CrossView,
    I3Net,
    InterSlice,
    IntraSlice,
    Mixer,
    Sizes,
    TwoConvolutions,
)

SMALL = Sizes(size=8, channels=4, blocks=4, windows=2, factor=3)


def twice(layers: TwoConvolutions, x_CYX: np.ndarray) -> np.ndarray:
    return convolved(convolved(x_CYX, layers.first).clip(0), layers.second)


def over_features(norm: torch.nn.LayerNorm, x_CYX: np.ndarray) -> np.ndarray:
    return np.moveaxis(normed(np.moveaxis(x_CYX, 0, -1), norm), -1, 0)


def inter(layer: InterSlice, x_CYX: np.ndarray) -> np.ndarray:
    return convolved(shuffled(twice(layer.body, unshuffled(x_CYX))), layer.last)


def mixed(layer: Mixer, x_NC: np.ndarray) -> np.ndarray:
    """Tokens of every feature, then features of every token."""
    first, second = layer.tokens
    columns = normed(x_NC, layer.norm_tokens).T
    state = x_NC + np.array([linear(gelu(linear(c, first)), second) for c in columns]).T
    first, second = layer.features
    rows = normed(state, layer.norm_features)
    return x_NC + state + np.array([linear(gelu(linear(r, first)), second) for r in rows])


def intra(layer: IntraSlice, x_CYX: np.ndarray) -> np.ndarray:
    state = over_features(layer.norm, dctn(x_CYX, axes=(1, 2), norm="ortho"))
    for convolution in layer.convolutions:
        state = convolved(state, convolution)
    side = state.shape[-1] // layer.windows
    made = np.empty_like(state)
    for y, x in np.ndindex(layer.windows, layer.windows):
        at = (slice(None), slice(y * side, (y + 1) * side), slice(x * side, (x + 1) * side))
        made[at] = mixed(layer.mixer, state[at].reshape(-1, side**2).T).T.reshape(-1, side, side)
    return convolved(idctn(made, axes=(1, 2), norm="ortho"), layer.last)


def views(layer: CrossView, x_CYX: np.ndarray) -> np.ndarray:
    """Planes [Y, C, X] and planes [X, C, Y], each with its first axis as channels."""
    state = over_features(layer.norm, x_CYX)
    rows, columns = (convolved(state, into) for into in layer.into)
    first, second = layer.bodies
    sagittal = unshuffled(twice(first, shuffled(rows.swapaxes(0, 1))))
    coronal = unshuffled(twice(second, shuffled(columns.transpose(2, 0, 1))))
    return x_CYX + sagittal.swapaxes(0, 1) + coronal.transpose(1, 2, 0)


def answer(net: I3Net, x_SYX: np.ndarray) -> np.ndarray:
    """Views before, between and after two halves of the blocks; slices that were seen kept."""
    shallow = twice(net.head, x_SYX)
    state = views(net.views[0], shallow)
    seen = [state]
    for k, block in enumerate(net.blocks, 1):
        state = inter(block.inter, state) + intra(block.intra, state) + state
        if k % 2 == 0:
            state = views(net.views[k // 2], state)
            seen.append(state)
    made = twice(net.tail, convolved(np.concatenate(seen), net.fuse) + shallow)
    made[::3] = x_SYX
    return made


@pytest.mark.parametrize(
    ("layer", "plain"),
    [
        (lambda: InterSlice(4), inter),
        (lambda: IntraSlice(SMALL), intra),
        (lambda: CrossView(SMALL), views),
    ],
    ids=["inter", "intra", "views"],
)
@torch.inference_mode()
def test_a_layer(layer, plain):
    torch.manual_seed(0)
    module = varied(layer())
    x_CYX = np.random.default_rng(0).normal(size=(4, 8, 8))
    y = module(torch.from_numpy(x_CYX)[None])[0].numpy()
    np.testing.assert_allclose(y, plain(module, x_CYX), rtol=0, atol=1e-12)


@torch.inference_mode()
def test_the_network():
    torch.manual_seed(0)
    net = varied(I3Net(SMALL))
    x_SYX = np.random.default_rng(0).uniform(0, 1, (4, 8, 8))
    y = net(torch.from_numpy(x_SYX)[None, None])[0, 0].numpy()
    want = answer(net, x_SYX)
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-11 * np.abs(want).max())


def varied(module: torch.nn.Module) -> torch.nn.Module:
    """In float64, with norms that do more than they do untrained."""
    for layer in module.modules():
        if isinstance(layer, torch.nn.LayerNorm):
            torch.nn.init.normal_(layer.weight, 1.0, 0.3)
            torch.nn.init.normal_(layer.bias, 0.0, 0.3)
    return module.double().eval()
