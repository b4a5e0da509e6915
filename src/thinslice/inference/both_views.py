"""Run a network of planes over a block: its coronal and its sagittal planes, averaged.

Shape suffixes: B blocks, Z Y X axes, N slices of the answer.
"""

import torch
from torch import Tensor, nn

from thinslice.inference.memory import cpu_batch

PLANES = 16  # through the network at once, on a CPU fewer


class BothViews(nn.Module):
    """A network of planes, x_B1ZW to y_B1NW, as one of blocks, x_B1ZYX to y_B1NYX.

    What else the network is given has a row for each block, or none and is the same for all.
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x_B1ZYX: Tensor, *others: Tensor) -> Tensor:
        """The mean of the two views."""
        coronal = self._view(x_B1ZYX.permute(0, 3, 1, 2, 4), others)
        sagittal = self._view(x_B1ZYX.permute(0, 4, 1, 2, 3), others)
        return (coronal.permute(0, 2, 3, 1, 4) + sagittal.permute(0, 2, 3, 4, 1)) / 2

    def _view(self, planes_BP1ZW: Tensor, others: tuple[Tensor, ...]) -> Tensor:
        """All planes of a view of each block through the network, [B, P, 1, N, W]."""
        blocks, n = planes_BP1ZW.shape[:2]
        whole = [o if not o.ndim else o.repeat_interleave(n, 0) for o in others]
        x_B1ZW = planes_BP1ZW.flatten(0, 1)
        on_cpu = x_B1ZW.device.type == "cpu"
        at_once = cpu_batch(PLANES, x_B1ZW.shape[-2:]) if on_cpu else PLANES
        answers = []
        for first in range(0, len(x_B1ZW), at_once):
            some = slice(first, first + at_once)
            answers.append(self.net(x_B1ZW[some], *(o[some] if o.ndim else o for o in whole)))
        return torch.cat(answers).unflatten(0, (blocks, n))
