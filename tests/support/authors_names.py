"""Names of the tensors of released networks, and made-up weights under them."""

from collections.abc import Callable, Iterable
from itertools import product
from math import prod, sqrt

import torch
from torch import Tensor, nn

from support.golden_weights import draw
from thinslice.nets.saint import Dense

Rename = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def saint(sizes: Dense, fusion: bool) -> list[str]:
    """Tensors of SAINT's first stage, or of its second."""
    blocks = [f"RDBs.{k}" for k in range(sizes.blocks)]
    layers = [f"{block}.convs.{k}.conv.0" for block, k in product(blocks, range(sizes.layers))]
    fuses = [f"{block}.LFF" for block in blocks]
    last = ["UPNet.0"] if fusion else [f"GW.meta_block.{k}" for k in range(0, 10, 2)]
    return _parts(["SFENet1", "SFENet2", *layers, *fuses, "GFF.0", "GFF.1", *last])


def i3net(blocks: int) -> list[str]:
    """Tensors of I3Net, whose blocks lie in groups of two."""
    inter = [f"inter_slice_branch.{k}" for k in (1, 3, 5)]
    mixer = [f"attn.{k}.{part}" for k, part in product((0, 1), ("norm", "fn.0", "fn.3"))]
    layers = ["norm", *(f"conv.{k}" for k in range(3)), *mixer, "last_conv"]
    block = [*inter, *(f"intra_slice_branch.{layer}" for layer in layers)]
    view = ["norm", *(f"{way}.{k}" for way, k in product(("conv_sag", "conv_cor"), (0, 3, 5)))]
    return _parts(
        ["head.0", "head.2", "tail.0", "tail.2", "fuse_align"]
        + [f"alignment.{k}.{layer}" for k, layer in product(range(3), view)]
        + [f"body.{k // 2}.body.{k % 2}.{layer}" for k, layer in product(range(blocks), block)]
    )


def made_up(
    net: nn.Module, names: Iterable[str], rename: Rename, gain: float = 1.0
) -> dict[str, Tensor]:
    """Random weights under these names, with the shapes that ``net`` has under its own."""
    shapes = {name: tensor.shape for name, tensor in net.state_dict().items()}
    made = {}
    for name in names:
        [ours] = rename({name: torch.zeros(1)})
        shape = list(shapes[ours])
        scale = name.endswith(".weight") and len(shape) == 1  # of a norm
        std = gain / sqrt(prod(shape[1:])) if len(shape) > 1 else 0.1
        made[name] = torch.from_numpy(draw(name, shape, float(scale), std, seed=0))
    return made


def _parts(layers: Iterable[str]) -> list[str]:
    return [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
