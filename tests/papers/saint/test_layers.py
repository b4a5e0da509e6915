"""SAINT's networks equal a plain restatement of them in numpy."""

import numpy as np
import torch

from support.plain_layers import convolved
from thinslice.nets.rdn import Trunk
from thinslice.nets.saint import Dense, Fusion, SpacedPlanes, distances_mm

SMALL = Dense(2, 2, 3, 4)
WINDOW = 4000  # HU, the networks' unit


def features_of(trunk: Trunk, x_CYX: np.ndarray) -> np.ndarray:
    """Residual dense blocks, all of them fused."""
    shallow = convolved(x_CYX, trunk.first)
    state, answers = convolved(shallow, trunk.second), []
    for block in trunk.blocks:
        seen = state
        for layer in block.layers:
            seen = np.concatenate((seen, convolved(seen, layer).clip(0)))
        state = state + convolved(seen, block.fuse)
        answers.append(state)
    reduced = convolved(np.concatenate(answers), trunk.fuse[0])
    return convolved(reduced, trunk.fuse[1]) + shallow


def kernel_of(net: SpacedPlanes, distances_PQ: np.ndarray) -> np.ndarray:
    """Weights [C, 3, 3] of one slice."""
    kernel = distances_PQ[None]
    for layer in net.kernel[:-1]:
        kernel = convolved(kernel, layer).clip(0)
    return convolved(kernel, net.kernel[-1])


@torch.inference_mode()
def test_a_slice_is_the_features_around_weighed_by_a_kernel_made_of_distances():
    """Rows of the kernel go with columns of the plane, as in the released code."""
    torch.manual_seed(0)
    net = SpacedPlanes(SMALL).double().eval()
    x_CZW = np.random.default_rng(0).uniform(0, 1, (3, 5, 6))
    maps = distances_mm(np.array([0.0, 0.7, 2.4]), 3.0, 0.8)
    around = np.pad(features_of(net.trunk, WINDOW * x_CZW), ((0, 0), (1, 1), (1, 1)))
    want = np.zeros((3, 5, 6))
    for k, distances in enumerate(maps):
        kernel = kernel_of(net, distances)
        for z, w, along_z, along_w in np.ndindex(5, 6, 3, 3):
            weights = kernel[:, along_w, along_z]
            want[k, z, w] += weights @ around[:, z + along_z, w + along_w] / WINDOW
    y = net(torch.from_numpy(x_CZW)[None], torch.from_numpy(maps)[None])[0].numpy()
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-10 * np.abs(want).max())


@torch.inference_mode()
def test_the_mean_of_two_views_is_corrected_by_a_network_that_sees_both():
    torch.manual_seed(0)
    net = Fusion(SMALL).double().eval()
    x_VYX = np.random.default_rng(0).uniform(0, 1, (2, 7, 6))
    change = convolved(features_of(net.trunk, WINDOW * x_VYX), net.tail)[0] / WINDOW
    want = (x_VYX[0] + x_VYX[1]) / 2 + change
    assert np.abs(change).max() > 0.01
    y = net(torch.from_numpy(x_VYX)[None])[0, 0].numpy()
    np.testing.assert_allclose(y, want, rtol=0, atol=1e-12)


def test_distances_are_those_in_the_plane():
    maps = distances_mm(np.array([0.0, 1.5]), 5.0, 0.8)
    assert maps.shape == (2, 3, 3)
    for k, offset_mm in enumerate((0.0, 1.5)):
        for i, slice_mm in enumerate((-5.0, 0.0, 5.0)):
            for j, pixel_mm in enumerate((-0.8, 0.0, 0.8)):
                want = ((slice_mm - offset_mm) ** 2 + pixel_mm**2) ** 0.5
                assert abs(maps[k, i, j] - want) < 1e-12
