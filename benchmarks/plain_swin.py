"""Baseline: Swin blocks in plain, unfused PyTorch, as the TVSRN authors structured them.

Every block rolls the whole grid, cuts it into windows, gathers the position bias, multiplies, adds
the mask, takes the softmax, joins the windows and rolls back; autograd stores every step.
Parameters are named as in ``thinslice.nets.swin``, so either loads the other's weights.
"""

import torch
from torch import Tensor, nn

from thinslice.nets import swin


def partition(x_BYXC: Tensor, window: tuple[int, int]) -> Tensor:
    """Windows of a grid, [B * windows, T, C]."""
    b, y, x, c = x_BYXC.shape
    cut = x_BYXC.view(b, y // window[0], window[0], x // window[1], window[1], c)
    return cut.permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, window[0] * window[1], c)


def reverse(x_WTC: Tensor, window: tuple[int, int], shape: tuple[int, ...]) -> Tensor:
    """The inverse of ``partition``."""
    b, y, x, c = shape
    cut = x_WTC.view(b, y // window[0], x // window[1], window[0], window[1], c)
    return cut.permute(0, 1, 3, 2, 4, 5).contiguous().view(b, y, x, c)


def shift_mask(y: int, x: int, window: tuple[int, int], shift: tuple[int, int]) -> Tensor:
    """Additive mask of every window of a rolled grid, [windows, T, T]."""
    regions = torch.zeros(1, y, x, 1)
    spans = [
        (slice(0, -w), slice(-w, -s), slice(-s, None)) if s else (slice(None),)
        for w, s in zip(window, shift)
    ]
    for i, rows in enumerate(spans[0]):
        for j, columns in enumerate(spans[1]):
            regions[:, rows, columns] = 10 * i + j
    ids_WT = partition(regions, window).squeeze(-1)
    difference = ids_WT[:, None, :] - ids_WT[:, :, None]
    return difference.masked_fill(difference != 0, -100.0)


class PlainBlock(swin.SwinBlock):
    """The same block in separate steps; grids must be whole windows."""

    def attention(self, x_WTC: Tensor, mask_WTT: Tensor | None) -> Tensor:
        n, t, c = x_WTC.shape
        heads = self.position_bias.shape[1]
        qkv = self.qkv(x_WTC).reshape(n, t, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        scores = (q * (c // heads) ** -0.5) @ k.transpose(-2, -1)
        bias = self.position_bias[self.relative_index_TT.view(-1)].view(t, t, heads)
        scores = scores + bias.permute(2, 0, 1).contiguous().unsqueeze(0)
        if mask_WTT is not None:
            w = len(mask_WTT)
            scores = scores.view(n // w, w, heads, t, t) + mask_WTT[None, :, None]
            scores = scores.view(-1, heads, t, t)
        out = torch.softmax(scores, dim=-1) @ v
        return self.proj(out.transpose(1, 2).reshape(n, t, c))

    def forward(self, x_BYXC: Tensor, real: tuple[int, int]) -> Tensor:
        _, y, x, _ = x_BYXC.shape
        if (y, x) != tuple(real):
            raise ValueError(f"the plain block needs whole windows, found {real} of {(y, x)}")
        single = [n == w for n, w in zip((y, x), self.window)]
        shift = tuple(0 if alone else s for alone, s in zip(single, self.shift))
        h = self.norm1(x_BYXC)
        if any(shift):
            h = torch.roll(h, shifts=(-shift[0], -shift[1]), dims=(1, 2))
        mask = shift_mask(y, x, self.window, shift).to(h) if any(shift) else None
        h = reverse(self.attention(partition(h, self.window), mask), self.window, h.shape)
        if any(shift):
            h = torch.roll(h, shifts=shift, dims=(1, 2))
        x_BYXC = x_BYXC + h
        return x_BYXC + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x_BYXC))))


def make_plain(network: nn.Module) -> nn.Module:
    """Replace every Swin block of ``network`` by a plain one, in place, with the same weights."""
    for module in network.modules():
        if type(module) is swin.SwinBlock:
            module.__class__ = PlainBlock
    return network
