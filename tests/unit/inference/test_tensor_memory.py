"""Torch counts the memory of tensors as this package expects: cases counted by hand."""

import pytest
import torch
from torch import nn

from thinslice.inference.tensor_memory import peak_bytes

X = torch.zeros(1, 1, 64, 64)


class Freed(nn.Module):
    """Two temporaries at once, then the result: the first is freed before the third is made."""

    def forward(self, x):
        a = x + 1
        b = a * 2
        del a
        return b + 1


class Views(nn.Module):
    """Views and in-place operations take no memory."""

    def forward(self, x):
        y = x + 1
        return y.view(64, 64).transpose(0, 1).add_(1)[None, None]


class Lists(nn.Module):
    """An operator that takes a list and one that returns a tuple, of views."""

    def forward(self, x):
        halves = torch.cat([x, x]).split(1)
        return halves[0]


@pytest.mark.parametrize(("net", "tensors"), [(Freed(), 3), (Views(), 2), (Lists(), 3)])
def test_the_peak_is_what_live_tensors_take(net, tensors):
    assert peak_bytes(net, X) == tensors * X.nbytes


def test_weights_do_not_count_and_results_of_a_convolution_do():
    net = nn.Conv2d(1, 8, 3, padding=1, bias=False)
    assert peak_bytes(net, X) == (1 + 8) * X.nbytes


def test_the_count_ends_with_the_call():
    assert peak_bytes(Freed(), X) == peak_bytes(Freed(), X)
