"""Self-ensemble: run a network on turned and flipped planes, and merge its answers.

A network that treats all directions alike gives the same answer every time; what differs is its
error, and the median or the mean of several answers is nearer the truth than one.
Source: Lim et al. 2017 (EDSR), section 3.4; Georgescu et al. 2020 take the median.

Shape suffixes: E answers of the ensemble, B planes, P and Q a plane's axes.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Merge = Literal["median", "mean", "none"]
MERGES: tuple[Merge, ...] = ("median", "mean", "none")


class Symmetry(NamedTuple):
    """A flip of the last axis, if any, then quarter turns against the clock."""

    turns: int
    flip: bool

    def do(self, x: Tensor) -> Tensor:
        """The plane moved."""
        return torch.rot90(x.flip(-1) if self.flip else x, self.turns, (-2, -1))

    def undo(self, x: Tensor) -> Tensor:
        """The plane moved back; it may have grown meanwhile."""
        turned = torch.rot90(x, -self.turns, (-2, -1))
        return turned.flip(-1) if self.flip else turned


EIGHT = tuple(Symmetry(turns, flip) for turns in range(4) for flip in (False, True))
FOUR = tuple(Symmetry(turns, flip) for turns in (0, 2) for flip in (False, True))  # z stays z
ONE = (Symmetry(0, False),)


def refuse_unknown(merge: str) -> None:
    """ValueError for what is no way of merging."""
    if merge not in MERGES:
        raise ValueError(f"ensemble {merge!r} is none of {', '.join(MERGES)}")


class SelfEnsemble(nn.Module):
    """The network seen from all ``symmetries``; every answer is cut to 0..``ceiling`` first."""

    def __init__(
        self, net: nn.Module, symmetries: Sequence[Symmetry], merge: Merge, ceiling: float
    ):
        super().__init__()
        refuse_unknown(merge)
        self.net, self.merge, self.ceiling = net, merge, ceiling
        self.symmetries = ONE if merge == "none" else tuple(symmetries)

    def forward(self, x_B1PQ: Tensor) -> Tensor:
        answers_EB1PQ = torch.stack(
            [s.undo(self.net(s.do(x_B1PQ)).clip(0, self.ceiling)) for s in self.symmetries]
        )
        if self.merge == "mean":
            return answers_EB1PQ.mean(0)
        return _median(answers_EB1PQ)


def _median(x_E: Tensor) -> Tensor:
    """Over the first axis; of an even number, the mean of the middle two."""
    ordered = x_E.sort(0).values
    n = len(ordered)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
