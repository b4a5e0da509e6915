"""As many windows as fit a processor's cache, taken from a grid, run by OpenVINO and put back.

A request of a fixed size reads and writes the same memory every time. What windows at the end of a
grid leave of it holds windows of before; their answers are not used, and no window sees another.

Shape suffixes: R runs of a grid, whose tokens lie beside each other in the grid and in a window (of
a window, where it follows W); E numbers of a run; W windows, T tokens of one, C channels, K kinds.
"""

from typing import Any

import torch
from torch import Tensor

from thinslice.inference.openvino_graph import graph_of
from thinslice.nets.swin import SwinBlock
from thinslice.nets.windows import Windows


class CompiledChunk:
    """A Swin block over ``windows`` windows at a time; ``how`` is OpenVINO's configuration."""

    def __init__(
        self, block: SwinBlock, windows: int, openvino: Any, how: dict[str, Any], *, masked: bool
    ):
        self.windows, tokens = windows, len(block.relative_index_TT)
        sizes = windows, tokens, block.qkv.in_features
        with torch.inference_mode(False), torch.no_grad():  # for calls within it and without
            self.x_WTC, self.y_WTC = torch.zeros(2, *sizes).unbind()
            self.mask_WTT = torch.zeros(windows, tokens, tokens) if masked else None
            model = graph_of(block, windows, openvino, masked=masked)
        self.request = openvino.Core().compile_model(model, "CPU", how).create_infer_request()
        inputs = [self.x_WTC, *([] if self.mask_WTT is None else [self.mask_WTT[:, None]])]
        for number, tensor in enumerate(inputs):
            shared = openvino.Tensor(tensor.numpy(), shared_memory=True)
            self.request.set_input_tensor(number, shared)
        self.request.set_output_tensor(openvino.Tensor(self.y_WTC.numpy(), shared_memory=True))

    def run(self, x_RE: Tensor, rows_WR: Tensor, mask_WTT: Tensor | None, out_RE: Tensor) -> None:
        """At most ``windows`` windows, whose runs are these rows of the grid.

        mask_WTT   theirs, if and only if this chunk is one for windows with masks
        """
        rows, run = rows_WR.flatten(), x_RE.shape[1]
        torch.index_select(x_RE, 0, rows, out=self.x_WTC.view(-1, run)[: len(rows)])
        if mask_WTT is not None:
            assert self.mask_WTT is not None
            self.mask_WTT[: len(mask_WTT)] = mask_WTT
        self.request.infer()
        put_rows(out_RE, rows, self.y_WTC.view(-1, run)[: len(rows)])


def put_rows(x_RE: Tensor, rows: Tensor, values_RE: Tensor) -> None:
    """Put float32 values into these rows, none of which is named twice.

    On one thread by numpy, which takes half of torch's time; torch shares it among several.
    """
    if torch.get_num_threads() == 1:
        x_RE.numpy()[rows.numpy()] = values_RE.numpy()
    else:
        x_RE.index_copy_(0, rows, values_RE)


def all_windows(windows: Windows, batch: int, grid: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every window of ``batch`` grids of ``grid`` tokens, those without a mask first.

    Its runs, [W, R], its kind, and whether that has a mask, [W] each.
    """
    of_kinds = enumerate(windows.tokens_WT)
    kind_W = torch.cat([torch.full((len(tokens_WT),), kind) for kind, tokens_WT in of_kinds])
    first_WR = torch.cat(windows.tokens_WT)[:, :: windows.run] // windows.run
    before_B = torch.arange(batch) * (grid // windows.run)
    rows_WR, kind_W = (before_B[:, None, None] + first_WR).flatten(0, 1), kind_W.repeat(batch)
    masked_W = windows.masks_KTT.flatten(1).any(1)[kind_W]
    order_W = masked_W.argsort(stable=True)
    return rows_WR[order_W], kind_W[order_W], masked_W[order_W]
