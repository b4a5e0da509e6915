"""Transposed convolutions onto native slices: linear at the start, of a batch as of each sample."""

import subprocess
import sys

import torch

from thinslice.nets.native_deconvolution import linear_kernel, to_native

BACKWARD = """
import torch
from thinslice.nets.native_deconvolution import to_native
torch.manual_seed(0)
layer = to_native(5, span=2).layer(4, bias=False)
x = torch.rand(3, 4, 3, 16, 16)
layer(x).square().mean().backward()
together = layer.weight.grad.clone()
layer.weight.grad = None
for sample in x.split(1):
    (layer(sample).square().mean() / 3).backward()
assert torch.allclose(together, layer.weight.grad, atol=1e-6), "other gradients"
"""


def test_gradients_of_a_batch_are_those_of_its_samples() -> None:
    """In a process of its own: the fault that this guards against crashes the process."""
    done = subprocess.run([sys.executable, "-c", BACKWARD], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-500:]


def test_the_linear_kernel_interpolates_a_ramp() -> None:
    layer = to_native(4).layer(1, bias=False)
    layer.weight.data[0, 0] = linear_kernel(to_native(4))
    ramp = torch.arange(6.0)[None, None, :, None, None].expand(1, 1, 6, 3, 3)
    answer = layer(ramp)[0, 0, :, 1, 1]
    assert torch.allclose(answer, torch.arange(21.0) / 4)
