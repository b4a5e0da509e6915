"""Fixed features of grey planes at three resolutions: the first layers of VGG.

Layers conv1_1 to conv3_1 of Simonyan and Zisserman's network (the same in its 16 and its 19 layers)
as reference-based methods look at images: outputs after ReLU of conv1_1, conv2_1 and conv3_1. They
are never trained. Their weights are random until ``use`` brings those learned on photographs: the
authors' are not ours to ship. Random filters keep what distinguishes patches, less well than
learned ones.

Grey values stand for all three colours; they are moved and stretched (``nets.grey``) where
photographs are brought to zero mean and unit variance.

Shape suffixes: B planes, F features, P Q a plane's axes.
"""

from collections.abc import Mapping
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, relu

from thinslice.errors import Refused
from thinslice.nets.grey import STRETCHED

WIDTHS = (64, 128, 256)
LAYERS = {"features.0": 0, "features.2": 1, "features.5": 2, "features.7": 3, "features.10": 4}
POOLED_BEFORE = (2, 4)  # layers; two of them at each resolution but the last
REACH = 16  # pixels that the coarsest features see to each side, at most


class Features(NamedTuple):
    """What is seen of planes, at their size, at half and at a quarter of it."""

    fine: Tensor  # [B, F, P, Q]
    middle: Tensor
    coarse: Tensor


class VGG(nn.Module):
    """x_B1PQ to its features; sizes are multiples of 4."""

    def __init__(self, widths: tuple[int, int, int] = WIDTHS):
        super().__init__()
        self.widths = widths
        fine, middle, coarse = widths
        shapes = [(1, fine), (fine, fine), (fine, middle), (middle, middle), (middle, coarse)]
        for k, (inputs, outputs) in enumerate(shapes):
            weight = torch.randn(outputs, inputs, 3, 3) * sqrt(2 / (9 * inputs))
            self.register_buffer(f"weight_{k}", weight)
            self.register_buffer(f"bias_{k}", torch.zeros(outputs))

    def use(self, weights: Mapping[str, Tensor], source: str = "the weights") -> None:
        """Take learned weights by the names that torchvision gives them; others are left alone.

        Refused where a layer is missing or of another size; ``source`` is named then.
        """
        for layer, k in LAYERS.items():
            for part in ("weight", "bias"):
                self._take(f"{part}_{k}", f"{layer}.{part}", weights, source)

    def _take(self, ours: str, theirs: str, weights: Mapping[str, Tensor], source: str) -> None:
        there = getattr(self, ours)
        wanted = list(there.shape)
        if ours == "weight_0":
            wanted[1] = 3  # colours
        if theirs not in weights or list(weights[theirs].shape) != wanted:
            size = list(weights[theirs].shape) if theirs in weights else "nothing"
            raise Refused(
                f"{source}: found {size} as {theirs}; expected {wanted}: the first layers of "
                "torchvision's vgg16 or vgg19, and vgg_widths [64, 128, 256]"
            )
        given = weights[theirs].to(there.dtype)
        there.copy_(given.sum(1, keepdim=True) if ours == "weight_0" else given)

    @torch.no_grad()
    def forward(self, x_B1PQ: Tensor) -> Features:
        features_BFPQ, seen = STRETCHED.seen(x_B1PQ), []
        for k in range(len(LAYERS)):
            if k in POOLED_BEFORE:
                features_BFPQ = max_pool2d(features_BFPQ, 2)
            weight, bias = getattr(self, f"weight_{k}"), getattr(self, f"bias_{k}")
            features_BFPQ = relu(conv2d(features_BFPQ, weight, bias, padding=1))
            if k % 2 == 0:
                seen.append(features_BFPQ)
        return Features(*seen)
