"""Layers of networks restated in numpy, one sample, float64: slow, for comparison with torch's."""

import numpy as np
from scipy.special import erf
from torch import Tensor, nn


def convolved(x_CYX: np.ndarray, layer: nn.Conv2d) -> np.ndarray:
    """A convolution as a sum over its taps, zeros around."""
    taps, bias = _array(layer.weight), _array(layer.bias)
    side, (_, rows, columns) = taps.shape[-1], x_CYX.shape
    padded = np.pad(x_CYX, ((0, 0), *2 * [2 * [side // 2]]))
    made = np.zeros((len(taps), rows, columns)) + bias[:, None, None]
    for i in range(side):
        for j in range(side):
            made += np.tensordot(taps[:, :, i, j], padded[:, i : i + rows, j : j + columns], 1)
    return made


def linear(x_NC: np.ndarray, layer: nn.Linear) -> np.ndarray:
    """A linear layer of the last axis."""
    return x_NC @ _array(layer.weight).T + _array(layer.bias)


def normed(x_NC: np.ndarray, norm: nn.LayerNorm) -> np.ndarray:
    """A norm of the last axis."""
    centred = x_NC - x_NC.mean(-1, keepdims=True)
    variance = np.square(centred).mean(-1, keepdims=True)
    return centred / np.sqrt(variance + norm.eps) * _array(norm.weight) + _array(norm.bias)


def gelu(x: np.ndarray) -> np.ndarray:
    """x times the normal distribution's share below x."""
    return x * (1 + erf(x / np.sqrt(2))) / 2


def shuffled(x_CYX: np.ndarray) -> np.ndarray:
    """Four channels to the pixels of two rows and two columns."""
    channels, rows, columns = x_CYX.shape
    made = np.empty((channels // 4, 2 * rows, 2 * columns))
    for i in range(2):
        for j in range(2):
            made[:, i::2, j::2] = x_CYX[2 * i + j :: 4]
    return made


def unshuffled(x_CYX: np.ndarray) -> np.ndarray:
    """The inverse of ``shuffled``."""
    channels, rows, columns = x_CYX.shape
    made = np.empty((4 * channels, rows // 2, columns // 2))
    for i in range(2):
        for j in range(2):
            made[2 * i + j :: 4] = x_CYX[:, i::2, j::2]
    return made


def _array(parameter: Tensor | None) -> np.ndarray:
    assert parameter is not None
    return parameter.detach().double().numpy()
