"""A Swin block as a graph of OpenVINO, written operation by operation.

Tracing the block by torch and converting the trace gives the same numbers, but takes ten times as
long: 6 s of a processor for the 16 blocks of TVSRN, as long as restoring one of its cubes.

Shape suffixes: W windows, any number; T tokens of one, C channels, H heads.
"""

from typing import Any

from torch import Tensor, nn

from thinslice.nets.swin import SwinBlock


def graph_of(block: SwinBlock, openvino: Any) -> Any:
    """The block over windows of one kind: [W, T, C] and a bias [H, T, T] in, [W, T, C] out."""
    ops, f32 = openvino.opset13, openvino.Type.f32
    tokens, heads = len(block.relative_index_TT), block.position_bias.shape[1]
    width = block.qkv.in_features
    x_WTC = ops.parameter([-1, tokens, width], f32)
    bias_HTT = ops.parameter([heads, tokens, tokens], f32)

    normed_WTC = _norm(ops, x_WTC, block.norm1)
    qkv_WTS = _linear(ops, normed_WTC, block.qkv)
    split = ops.reshape(qkv_WTS, [-1, tokens, 3, heads, width // heads], special_zero=False)
    parts = ops.split(ops.transpose(split, [2, 0, 3, 1, 4]), 0, 3)
    q, k, v = (ops.squeeze(part, [0]) for part in parts.outputs())
    mask = ops.unsqueeze(bias_HTT, [0])
    a_WHTD = ops.scaled_dot_product_attention(q, k, v, mask, causal=False)
    merged = ops.transpose(a_WHTD, [0, 2, 1, 3])
    a_WTC = ops.reshape(merged, [-1, tokens, width], special_zero=False)
    attended_WTC = ops.add(x_WTC, _linear(ops, a_WTC, block.proj))

    hidden = _linear(ops, _norm(ops, attended_WTC, block.norm2), block.fc1)
    mlp_WTC = _linear(ops, ops.gelu(hidden, "erf"), block.fc2)
    return openvino.Model([ops.add(attended_WTC, mlp_WTC)], [x_WTC, bias_HTT])


def _constant(ops: Any, weight: Tensor) -> Any:
    return ops.constant(weight.detach().float().contiguous().numpy())


def _norm(ops: Any, x: Any, norm: nn.LayerNorm) -> Any:
    normed = ops.mvn(x, [-1], True, norm.eps, "inside_sqrt")
    return ops.add(ops.multiply(normed, _constant(ops, norm.weight)), _constant(ops, norm.bias))


def _linear(ops: Any, x: Any, layer: nn.Linear) -> Any:
    product = ops.matmul(x, _constant(ops, layer.weight), False, True)
    return ops.add(product, _constant(ops, layer.bias))
