"""A conditioned U-Net for one scan: fewer passes over memory, in float32 or bfloat16.

The conditions of a scan are numbers when it is restored, so those of the finest level become part
of the first layer's weights, and activations are changed in place. In float32 the answers are those
of ``ConditionedUNet`` to rounding. In bfloat16 a correction is exact to some thousandths of itself;
the plane that is corrected stays float32.

Shape suffixes: B planes, C channels, Z rows (slices), W columns, F features.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from thinslice.nets.conditioned_unet import ConditionedUNet, Conditions
from thinslice.nets.grey import STRETCHED
from thinslice.nets.unet import TwoConvolutions, mirrored


class FoldedUNet(nn.Module):
    """x_BCZW to y_B1ZW as of ``net`` under ``conditions``; for restoring alone.

    number   of weights and activations: torch.float32 or torch.bfloat16
    """

    def __init__(self, net: ConditionedUNet, conditions: Conditions, number: torch.dtype):
        super().__init__()
        self.neighbours, self.align, self.number = net.neighbours, net.align, number
        unet = net.unet
        with torch.no_grad():
            device = unet.head.weight.device
            scales = net.scales(torch.tensor([conditions.numbers()], device=device))
            scale_F, shift_F = (each.reshape(-1) for each in scales[0])
            first, bias = unet.head.weight * scale_F[:, None, None, None], unet.head.bias
            assert bias is not None
            self.head = self._layer(first, bias * scale_F + shift_F)
            self.down, self.up = (
                nn.ModuleList(self._block(block) for block in blocks)
                for blocks in (unet.down, unet.up)
            )
            self.tail = self._layer(unet.tail.weight, unet.tail.bias)
            levels = len(self.down)
            self.after_down = nn.ModuleList(self._affine(each) for each in scales[1:levels])
            self.after_up = nn.ModuleList(self._affine(each) for each in scales[levels:][::-1])

    def forward(self, x_BCZW: Tensor) -> Tensor:
        z, w = x_BCZW.shape[-2:]
        n = 2 * self.neighbours + 1
        middle = x_BCZW[:, self.neighbours : self.neighbours + 1]
        distance = x_BCZW[:, n + self.neighbours : n + self.neighbours + 1]
        seen = torch.cat((STRETCHED.seen(x_BCZW[:, :n]), 4 * (distance - 0.25)), 1)
        seen = mirrored(seen, self.align).to(self.number, memory_format=torch.channels_last)
        features = [_twice(self.down[0], self.head(seen))]
        for block, affine in zip(list(self.down)[1:], self.after_down):
            features.append(affine(_twice(block, avg_pool2d(features[-1], 2))))
        state = features.pop()
        for k, block in enumerate(self.up):
            larger = interpolate(state, scale_factor=2, mode="bilinear", align_corners=False)
            state = _twice(block, torch.cat((larger, features.pop()), 1))
            if k < len(self.after_up):
                state = self.after_up[k](state)
        return middle + STRETCHED.correction(self.tail(state)[..., :z, :w].float())

    def _layer(self, weight: Tensor, bias: Tensor | None) -> "_Layer":
        assert bias is not None
        return _Layer(weight.to(self.number), bias.to(self.number))

    def _block(self, block: nn.Module) -> nn.ModuleList:
        assert isinstance(block, TwoConvolutions)
        return nn.ModuleList(
            self._layer(each.weight, each.bias) for each in (block.first, block.second)
        )

    def _affine(self, scale: tuple[Tensor, Tensor]) -> "_Affine":
        return _Affine(*(each.to(self.number) for each in scale))


class _Layer(nn.Module):
    """A 3 x 3 convolution."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weight", weight.detach().clone(memory_format=torch.channels_last))
        self.register_buffer("bias", bias.detach().clone())

    def forward(self, x_BFZW: Tensor) -> Tensor:
        return conv2d(x_BFZW, self.weight, self.bias, padding=1)


class _Affine(nn.Module):
    """Features scaled and shifted, in place."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor):
        super().__init__()
        self.register_buffer("scale", scale.detach().clone())
        self.register_buffer("shift", shift.detach().clone())

    def forward(self, x_BFZW: Tensor) -> Tensor:
        return x_BFZW.mul_(self.scale).add_(self.shift)


def _twice(block: nn.Module, x_BFZW: Tensor) -> Tensor:
    """Two layers, each followed by ReLU."""
    for layer in block.children():
        x_BFZW = layer(x_BFZW).relu_()
    return x_BFZW
