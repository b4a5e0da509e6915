"""Densely connected dilated 3x3 layers that share one buffer of feature maps.

Layer i sees the input and all maps before it, so concatenating anew for every layer copies half of
all maps each time, and keeps every copy for the gradient. Here each map is written once, into its
place in a buffer, and the gradient needs only the buffer. A 3x3 layer is one matrix product
over maps (nine numbers per pixel, one per tap) and a sum of the nine, each shifted by the dilation.
The products of a block of layers with the maps before the block are made at once, which turns
narrow products, bound by memory, into wide ones; few maps stay in a CPU's cache, and layers are
then computed one by one.

Maps are stored with a border of the largest dilation, filled by half-sample symmetric reflection
(the edge is repeated: index -1 is 0), and flattened: a shift is then one offset for all pixels of
all planes. What it computes is a stack of plain convolutions, up to rounding.

Shape suffixes: B planes, H W pixels; M maps (the input first), N padded pixels of all planes, flat;
T taps (9 per map of a block).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

PLANES = 2  # at a time on a CPU: the maps of more fall out of its cache
AT_ONCE = 5  # layers of a block
FEW = 32  # maps before a layer that a CPU reads as fast as it would move a block's wider products
ROWS = 16  # maps are stored in multiples of so many, which is what a CPU multiplies fastest


class Shape(NamedTuple):
    """Sizes of the layers; their taps are one flat tensor of [width, 3, 3, maps before] each."""

    depth: int
    width: int
    dilations: int

    def maps(self, layer: int) -> int:
        """Number of maps before ``layer``, the input included; ``maps(depth)`` counts all."""
        return 1 + layer * self.width

    def taps(self) -> int:
        """Numbers in all 3x3 kernels."""
        return 9 * self.width * sum(self.maps(i) for i in range(self.depth))

    def split(self, flat: Tensor) -> list[Tensor]:
        """The kernels by layer, views [9 * width, maps before]."""
        rows = 9 * self.width
        sizes = [rows * self.maps(i) for i in range(self.depth)]
        return [part.view(rows, -1) for part in flat.split(sizes)]

    def blocks(self, few: int = 0) -> Iterator[range]:
        """Ranges of layers whose products with earlier maps are made at once; one by one where
        at most ``few`` maps are before them."""
        first = 0
        while first < self.depth:
            at_once = 1 if self.maps(first) <= few else AT_ONCE
            yield range(first, min(first + at_once, self.depth))
            first += at_once


class Canvas:
    """Layout of padded, flattened planes: their pixels, borders and shifts."""

    def __init__(self, planes_BHW: tuple[int, ...], border: int, like: Tensor):
        self.b, self.h, self.w = planes_BHW
        self.border = border
        self.padded = (self.b, self.h + 2 * border, self.w + 2 * border)
        self.row = self.padded[2]
        self.n = self.b * self.padded[1] * self.row
        self.first = border * (self.row + 1)  # flat index of the first pixel inside
        self.inner = self.n - 2 * self.first  # from the first to the last pixel inside
        self._ends = [_reflected(side, border, like.device) for side in (self.h, self.w)]
        self._border, self._source = self._border_and_source(like.device)

    def inside(self, flat_MN: Tensor) -> Tensor:
        """The pixels themselves, a view [M, B, H, W]."""
        e = self.border
        return flat_MN.view(-1, *self.padded)[:, :, e : e + self.h, e : e + self.w]

    def reflect(self, flat_MN: Tensor) -> None:
        """Fill the borders from the pixels inside."""
        for flat_N in flat_MN:
            flat_N.index_copy_(0, self._border, flat_N.index_select(0, self._source))

    def _border_and_source(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Flat indices of all border pixels, and of the pixels inside that they repeat."""
        e, (b, height, width) = self.border, self.padded
        all_y, all_x = torch.arange(height, device=device), torch.arange(width, device=device)
        (top, bottom), (left, right) = self._ends
        from_y = torch.cat([top, all_y[e:-e], bottom])
        from_x = torch.cat([left, all_x[e:-e], right])
        out_y = torch.cat([all_y[:e], all_y[-e:]])
        out_x = torch.cat([all_x[:e], all_x[-e:]])

        def flat(edges: Tensor, edge_columns: Tensor, rows: Tensor, sides: Tensor) -> Tensor:
            whole, both = (
                y[:, None] * width + x for y, x in ((edges, edge_columns), (rows, sides))
            )
            first = height * width * torch.arange(b, device=device)[:, None]
            return (first + torch.cat([whole.flatten(), both.flatten()])).flatten()

        border = flat(out_y, all_x, all_y[e:-e], out_x)
        return border, flat(from_y[out_y], from_x, all_y[e:-e], from_x[out_x])

    def fold(self, flat_MN: Tensor) -> None:
        """The adjoint of ``reflect``: gradients of the borders go to where their values came from,
        and the borders are left at zero."""
        maps = flat_MN.view(-1, *self.padded)
        for axis, side, (low, high) in ((3, self.w, self._ends[1]), (2, self.h, self._ends[0])):
            for start, index in ((0, low), (self.border + side, high)):
                end = maps.narrow(axis, start, self.border)
                maps.index_add_(axis, index, end.clone())
                end.zero_()

    def shifted(self, products_TN: Tensor, dilation: int) -> Tensor:
        """Nine rows per map, each moved by its tap: a view [maps, 3, 3, inner]."""
        size = (len(products_TN) // 9, 3, 3, self.inner)
        stride = (9 * self.n, 3 * self.n + dilation * self.row, self.n + dilation, 1)
        start = products_TN.storage_offset() + self.first - dilation * (self.row + 1)
        return products_TN.as_strided(size, stride, start)

    def spread(self, grad_MN: Tensor, products_TN: Tensor, dilation: int) -> None:
        """The adjoint of ``shifted(...).sum``: every row becomes its map, moved the other way."""
        products_TN[:, : 2 * self.first] = 0
        products_TN[:, self.n - 2 * self.first :] = 0
        inner_MN = grad_MN[:, self.first : self.first + self.inner]
        self.shifted(products_TN, dilation).copy_(inner_MN[:, None, None])


def _reflected(side: int, border: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Indices of the inner pixels that the leading and the trailing border repeat."""
    beyond = torch.arange(-border, side + border, device=device) % (2 * side)
    index = torch.minimum(beyond, 2 * side - 1 - beyond) + border
    return index[:border], index[border + side :]


class DenseDilated(torch.autograd.Function):
    """x_BHW, taps, biases and the last layer's weights to y_BHW; see ``dense``.

    Float32 even where a GPU trains in bfloat16, since sums run over a hundred maps.
    """

    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float32)
    def forward(ctx: Any, x_BHW: Tensor, taps: Tensor, bias: Tensor, last: Tensor, shape: Shape):
        canvas = Canvas(tuple(x_BHW.shape), shape.dilations, x_BHW)
        maps_MN = x_BHW.new_empty(_stored(shape.maps(shape.depth)), canvas.n)
        maps_MN[shape.maps(shape.depth) :] = 0  # multiplied, and thrown away
        canvas.inside(maps_MN[:1]).copy_(x_BHW)
        canvas.reflect(maps_MN[:1])
        _fill(maps_MN, canvas, shape, shape.split(taps), bias)
        ctx.save_for_backward(maps_MN, taps, bias, last)
        ctx.shape, ctx.canvas = shape, canvas
        return canvas.inside(last[None] @ maps_MN[: len(last)])[0].contiguous()

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx: Any, *grads: Tensor):
        maps_MN, taps, bias, last = ctx.saved_tensors
        canvas, shape = ctx.canvas, ctx.shape
        out_1N = maps_MN.new_zeros(1, canvas.n)
        canvas.inside(out_1N)[0].copy_(grads[0])
        grads_MN = last[:, None] * out_1N
        d_taps, d_bias = torch.zeros_like(taps), torch.empty_like(bias)
        _descend(maps_MN, grads_MN, canvas, shape, shape.split(taps), shape.split(d_taps), d_bias)
        canvas.fold(grads_MN[:1])
        d_last = maps_MN[: len(last)] @ out_1N[0]
        return canvas.inside(grads_MN[:1])[0].contiguous(), d_taps, d_bias, d_last, None


def dense(x_BHW: Tensor, taps: Tensor, bias: Tensor, last: Tensor, shape: Shape) -> Tensor:
    """The last 1x1 layer over the input and all maps, y_BHW; every map is ReLU(3x3 of all before).

    taps   flat, see ``Shape``; layer i is dilated by (i mod dilations) + 1
    bias   [depth * width]; last: [1 + depth * width]
    """
    at_a_time = PLANES if x_BHW.device.type == "cpu" else len(x_BHW)
    parts = x_BHW.split(at_a_time)
    return torch.cat([DenseDilated.apply(part, taps, bias, last, shape) for part in parts])  # type: ignore[arg-type]


def _stored(maps: int) -> int:
    """Rows of the buffer for so many maps."""
    return -(-maps // ROWS) * ROWS


def _fill(
    maps_MN: Tensor, canvas: Canvas, shape: Shape, kernels: list[Tensor], bias: Tensor
) -> None:
    """Compute every map from those before it."""
    width, rows = shape.width, 9 * shape.width
    blocks = list(shape.blocks(FEW if maps_MN.device.type == "cpu" else 0))
    buffer_TN = maps_MN.new_empty(max(map(len, blocks)) * rows, canvas.n)
    for block in blocks:
        before = shape.maps(block.start)
        products_TN = buffer_TN[: len(block) * rows]
        kernel_TM = torch.cat([kernels[i][:, :before] for i in block])
        torch.mm(kernel_TM, maps_MN[:before], out=products_TN)
        for k, i in enumerate(block):
            layer_TN, maps_before = products_TN[k * rows : (k + 1) * rows], shape.maps(i)
            if maps_before > before:
                layer_TN.addmm_(kernels[i][:, before:], maps_MN[before:maps_before])
            new_MN = maps_MN[maps_before : maps_before + width]
            inner_MN = new_MN[:, canvas.first : canvas.first + canvas.inner]
            _sum_of_taps(canvas.shifted(layer_TN, i % shape.dilations + 1), inner_MN)
            inner_MN.add_(bias[i * width : (i + 1) * width, None]).clamp_min_(0)
            canvas.reflect(new_MN)


def _sum_of_taps(shifted_M33N: Tensor, out_MN: Tensor) -> None:
    """Add up the nine rows of each map; on a CPU, whose strided sums are slow, as products of ones
    with the three rows of a line, which lie equally far apart."""
    if out_MN.device.type != "cpu":
        torch.sum(shifted_M33N, (1, 2), out=out_MN)
        return
    ones_13 = out_MN.new_ones(1, 3)
    for out_N, shifted_33N in zip(out_MN, shifted_M33N):
        torch.mm(ones_13, shifted_33N[0], out=out_N[None])
        out_N[None].addmm_(ones_13, shifted_33N[1]).addmm_(ones_13, shifted_33N[2])


def _descend(
    maps_MN: Tensor,
    grads_MN: Tensor,
    canvas: Canvas,
    shape: Shape,
    kernels: list[Tensor],
    d_kernels: list[Tensor],
    d_bias: Tensor,
) -> None:
    """Backpropagate through all maps, kernels and biases, from the last layer to the first."""
    width, rows = shape.width, 9 * shape.width
    blocks = list(shape.blocks())
    buffer_TN = maps_MN.new_empty(len(blocks[0]) * rows, canvas.n)
    for block in reversed(blocks):
        before, after = shape.maps(block.start), shape.maps(block.stop)
        products_TN = buffer_TN[: len(block) * rows]
        for k, i in reversed(list(enumerate(block))):
            layer_TN, maps_before = products_TN[k * rows : (k + 1) * rows], shape.maps(i)
            grad_MN = grads_MN[maps_before : maps_before + width]
            canvas.fold(grad_MN)
            map_MN = maps_MN[maps_before : maps_before + width]
            torch.ops.aten.threshold_backward.grad_input(grad_MN, map_MN, 0, grad_input=grad_MN)
            torch.sum(grad_MN, 1, out=d_bias[i * width : (i + 1) * width])
            canvas.spread(grad_MN, layer_TN, i % shape.dilations + 1)
            if maps_before > before:
                grads_MN[before:maps_before].addmm_(kernels[i][:, before:].T, layer_TN)
        kernel_TM = torch.cat([kernels[i][:, :before] for i in block])
        grads_MN[:before].addmm_(kernel_TM.T, products_TN)
        d_kernel_TM = products_TN @ maps_MN[: _stored(after)].T
        for k, i in enumerate(block):
            d_kernels[i].copy_(d_kernel_TM[k * rows : (k + 1) * rows, : shape.maps(i)])
