"""Run the Swin blocks of a network by OpenVINO on a CPU, in float32.

A block is a graph by itself: windows of tokens and a bias in, tokens out, any number of windows.
So making it takes little memory (a whole network at one size took 12 GB), and one graph serves
every size of tile. What surrounds the blocks stays with torch, as do the windows themselves
(``nets.windows``): which tokens a block sees together, and in chunks of what size.

Shape suffixes: W windows, T tokens of one, C channels, H heads, N tokens of all grids.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.inference.openvino_graph import graph_of
from thinslice.nets.swin import SwinBlock
from thinslice.nets.windows import chunks_of, windows_of

INSTALL = "pip install 'thinslice[openvino]'"


def by_openvino(net: nn.Module, threads: int) -> nn.Module:
    """A copy of ``net`` whose Swin blocks run by OpenVINO in so many threads.

    Refused where openvino is not installed, and for a network without Swin blocks.
    """
    runtime = installed()
    answer = deepcopy(net).cpu().eval()
    refuse_without_blocks(net)
    places = [
        (parent, name, block)
        for parent in answer.modules()
        for name, block in parent.named_children()
        if type(block) is SwinBlock
    ]
    for parent, name, block in places:
        setattr(parent, name, _Compiled(block, runtime, threads))
    return answer


def has_blocks(net: nn.Module) -> bool:
    """Whether a network has blocks that OpenVINO runs."""
    return any(type(block) is SwinBlock for block in net.modules())


def refuse_without_blocks(net: nn.Module) -> None:
    """Refuse a network without blocks that OpenVINO runs."""
    if not has_blocks(net):
        raise Refused(f"engine openvino: {type(net).__name__} has no Swin blocks; use torch")


def installed() -> Any:
    """The package openvino; Refused where it is not installed."""
    try:
        import openvino  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise Refused(f"engine openvino: it is not installed; {INSTALL}, or use torch") from None
    return openvino


class _Compiled(nn.Module):
    """[B, Y, X, C] to the same, as ``SwinBlock``; for restoring alone."""

    def __init__(self, block: SwinBlock, openvino: Any, threads: int):
        super().__init__()
        self.window, self.shift = block.window, block.shift
        with torch.no_grad():
            self.bias_HTT = block.bias_HTT().contiguous()
        model = graph_of(block, openvino)
        how = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
        how["INFERENCE_NUM_THREADS"] = threads
        self.request = openvino.Core().compile_model(model, "CPU", how).create_infer_request()

    def forward(self, x_BYXC: Tensor, real: tuple[int, int]) -> Tensor:
        batch, y, x, width = x_BYXC.shape
        windows = windows_of(real, self.window, self.shift, x_BYXC.device)
        bias_KHTT = self.bias_HTT + windows.masks_KTT[:, None]
        x_NC = x_BYXC.reshape(-1, width).contiguous()
        out_NC = torch.empty_like(x_NC)
        for chunk in chunks_of(windows, batch, y * x):
            tokens_WTC, bias_HTT = chunk.take(x_NC), bias_KHTT[chunk.kind]
            answer = self.request.infer(
                [tokens_WTC.numpy(), bias_HTT.numpy()], share_inputs=True, share_outputs=True
            )
            chunk.put(out_NC, torch.from_numpy(answer[0]))
        return out_NC.view_as(x_BYXC)
