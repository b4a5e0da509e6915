"""A Swin block as a graph of OpenVINO, written operation by operation.

Tracing the block by torch and converting the trace gives the same numbers, but takes ten times as
long: 6 s of a processor for the 16 blocks of TVSRN, as long as restoring one of its cubes.

The graph is for a number of windows that is known when it is made: OpenVINO then takes 1.1 to 1.4
times less time than with any number. What is constant is worked out before: a norm's numbers are
part of the linear layer that follows, and the scale of the scores is part of the queries' weights.
Queries, keys and values are three products, for to cut the product of all in three takes longer
than what one product saves.

Shape suffixes: W windows, T tokens of one, C channels, E channels of a layer's answer, H heads,
D channels of one.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from thinslice.nets.swin import SwinBlock


def graph_of(block: SwinBlock, windows: int, openvino: Any, *, masked: bool) -> Any:
    """The block: [W, T, C] in, and where ``masked`` a mask [W, 1, T, T]; [W, T, C] out."""
    ops, f32 = openvino.opset13, openvino.Type.f32
    tokens, width = len(block.relative_index_TT), block.qkv.in_features
    x_WTC = ops.parameter([windows, tokens, width], f32)
    masks = [ops.parameter([windows, 1, tokens, tokens], f32)] if masked else []

    normed_WTC = _normed(ops, x_WTC, block.norm1)
    attended_WTC = _attention(ops, normed_WTC, block, masks)
    proj = block.proj.weight, block.proj.bias
    between_WTC = ops.add(x_WTC, _linear(ops, attended_WTC, *proj))

    fc1 = _after(block.norm2, block.fc1)
    wide_WTE = _linear(ops, _normed(ops, between_WTC, block.norm2), *fc1)
    fc2 = block.fc2.weight, block.fc2.bias
    mlp_WTC = _linear(ops, ops.gelu(wide_WTE, "erf"), *fc2)
    return openvino.Model([ops.add(between_WTC, mlp_WTC)], [x_WTC, *masks])


def _attention(ops: Any, normed_WTC: Any, block: SwinBlock, masks: list[Any]) -> Any:
    """What the heads give, side by side, [W, T, C], before their projection."""
    windows, tokens, width = normed_WTC.shape
    bias_HTT = block.bias_HTT()
    heads = len(bias_HTT)

    def of_heads(weight: Tensor, bias: Tensor, order: Sequence[int] = (0, 2, 1, 3)) -> Any:
        product = _linear(ops, normed_WTC, weight, bias)
        split = [windows, tokens, heads, width // heads]
        return ops.transpose(ops.reshape(product, split, special_zero=False), list(order))

    parts = zip(*(t.chunk(3) for t in _after(block.norm1, block.qkv)))
    (q_weight, q_bias), key, value = parts
    scale = (width // heads) ** -0.5
    q_WHTD = of_heads(q_weight * scale, q_bias * scale)
    k_WHDT = of_heads(*key, order=(0, 2, 3, 1))  # OpenVINO turns it within the product
    scores = ops.matmul(q_WHTD, k_WHDT, False, False)
    for added in (_constant(ops, bias_HTT[None]), *masks):
        scores = ops.add(scores, added)
    answer = ops.matmul(ops.softmax(scores, -1), of_heads(*value), False, False)
    joined = ops.transpose(answer, [0, 2, 1, 3])
    return ops.reshape(joined, [windows, tokens, width], special_zero=False)


def _after(norm: nn.LayerNorm, layer: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer that follows a norm, with the norm's in them."""
    return layer.weight * norm.weight, layer.bias + layer.weight @ norm.bias


def _constant(ops: Any, weight: Tensor) -> Any:
    return ops.constant(weight.detach().float().contiguous().numpy())


def _normed(ops: Any, x: Any, norm: nn.LayerNorm) -> Any:
    """Mean 0 and variance 1 over channels; the norm's own numbers are in the layer after."""
    return ops.mvn(x, [-1], True, norm.eps, "inside_sqrt")


def _linear(ops: Any, x: Any, weight: Tensor, bias: Tensor) -> Any:
    product = ops.matmul(x, _constant(ops, weight), False, True)
    return ops.add(product, _constant(ops, bias))
