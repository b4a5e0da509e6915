"""Run the Swin blocks of a network by OpenVINO on a CPU, in float32 or bfloat16.

A block is a graph by itself, over a few windows at a time. So making it takes little memory (a
whole network at one size took 12 GB), its numbers stay in the cache, and the graph serves every
size of tile. What surrounds the blocks stays with torch, as does which tokens a block sees together
(``nets.windows``).

Shape suffixes: B batch, Y X grid, C channels, W windows, T tokens of one, K kinds of window, R runs
of a grid and of a window, E numbers of a run.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache, partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.inference.openvino_chunk import CompiledChunk, all_windows
from thinslice.nets.swin import SwinBlock, SwinStack
from thinslice.nets.windows import TOKENS_AT_A_TIME, windows_of

INSTALL = "pip install 'thinslice[openvino]'"


def by_openvino(net: nn.Module, threads: int, *, bf16: bool = False) -> nn.Module:
    """A copy of ``net`` whose Swin blocks run by OpenVINO in so many threads.

    With ``bf16`` the branches of a block are rounded, and what they are added to stays float32.
    Refused where openvino is not installed, and for a network without a ``SwinStack``.
    """
    runtime = installed()
    refuse_without_blocks(net)
    how: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    how["INFERENCE_PRECISION_HINT"] = "bf16" if bf16 else "f32"
    how["ENABLE_CPU_PINNING"] = False  # else all jobs with one thread share the first core
    answer = deepcopy(net).cpu().eval()
    for blocks in _stacks(answer):
        for number, block in enumerate(blocks):
            assert isinstance(block, SwinBlock)
            windows = max(1, TOKENS_AT_A_TIME["cpu"] * threads // prod(block.window))
            blocks[number] = _Compiled(block, partial(CompiledChunk, block, windows, runtime, how))
    return answer


def has_blocks(net: nn.Module) -> bool:
    """Whether a network has blocks that OpenVINO runs."""
    return bool(_stacks(net))


def _stacks(net: nn.Module) -> list[nn.ModuleList]:
    """The blocks of every ``SwinStack``; other layers take the numbers of theirs and no answer."""
    return [stack.blocks for stack in net.modules() if isinstance(stack, SwinStack)]


def refuse_without_blocks(net: nn.Module) -> None:
    """Refuse a network without blocks that OpenVINO runs."""
    if not has_blocks(net):
        name = type(net).__name__
        raise Refused(f"engine openvino: {name} has no Swin blocks that it runs; use torch")


def installed() -> Any:
    """The package openvino; Refused where it is not installed."""
    try:
        import openvino  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise Refused(f"engine openvino: it is not installed; {INSTALL}, or use torch") from None
    return openvino


class _Compiled(nn.Module):
    """[B, Y, X, C] to the same, as ``SwinBlock``; for restoring alone, one call at a time.

    Most windows of a shifted grid need no mask. Theirs is a graph of its own, which adds none.
    """

    def __init__(self, block: SwinBlock, chunk: Callable[..., CompiledChunk]):
        super().__init__()
        self.window, self.shift, self.chunk = block.window, block.shift, cache(chunk)

    def forward(self, x_BYXC: Tensor, real: tuple[int, int]) -> Tensor:
        batch, y, x, width = x_BYXC.shape
        windows = windows_of(real, self.window, self.shift, x_BYXC.device)
        rows_WR, kind_W, masked_W = all_windows(windows, batch, y * x)
        # Either graph is made at the first grid that has a mask, though it may need but one.
        plain, masked = (self.chunk(masked=m) for m in (False, bool(masked_W.any())))
        x_RE = x_BYXC.reshape(-1, windows.run * width).contiguous()
        out_RE = torch.empty_like(x_RE)
        few = (t.split(plain.windows) for t in (rows_WR, kind_W, masked_W))
        for rows, kind, is_masked in zip(*few):
            if is_masked[-1]:
                masked.run(x_RE, rows, windows.masks_KTT[kind], out_RE)
            else:
                plain.run(x_RE, rows, None, out_RE)
        return out_RE.view_as(x_BYXC)
