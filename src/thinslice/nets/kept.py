"""What blocks keep from forward to backward, as far as a room of memory allows.

A block that keeps nothing computes it again in its backward pass. Its gradients are the same bit
for bit: the products that were kept are those that would be computed.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear


class Room:
    """Bytes that the blocks of a network may keep, all together; ``most`` were taken at once."""

    def __init__(self, nbytes: int):
        self.nbytes, self.taken, self.most, self.lacked = nbytes, 0, 0, 0

    def take(self, nbytes: int) -> "Taken | None":
        """Room for ``nbytes`` until the answer is dropped; None where they are not left."""
        if self.taken + nbytes > self.nbytes:
            self.lacked = max(self.lacked, nbytes)
            return None
        return Taken(self, nbytes)


class Taken:
    """A part of a room; it goes back with its last reference."""

    def __init__(self, room: Room, nbytes: int):
        self.room, self.nbytes = room, nbytes
        room.taken += nbytes
        room.most = max(room.most, room.taken)

    def __del__(self) -> None:
        self.room.taken -= self.nbytes


class Keeps:
    """A module that keeps what it computes while ``room`` has bytes left; None: nothing."""

    room: Room | None = None


class _Known(torch.autograd.Function):
    """A linear layer whose answer is known: only its gradients are computed."""

    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        h, weight, _, answer = inputs
        ctx.save_for_backward(h, weight)
        ctx.dtype = answer.dtype  # of the products; autocast may have chosen it
        return answer.view_as(answer)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        h, weight = ctx.saved_tensors
        flat = grads[0].flatten(0, -2)
        of_h = (flat @ weight.to(ctx.dtype)).view_as(h).to(h.dtype)
        of_weight = flat.T @ h.flatten(0, -2).to(ctx.dtype)
        return of_h, of_weight.to(weight.dtype), flat.sum(0).to(weight.dtype), None


def linear_or_known(h: Tensor, weight: Tensor, bias: Tensor, answer: Tensor | None) -> Tensor:
    """``linear``, or the ``answer`` it gave before, with the gradients of ``linear``."""
    if answer is None:
        return linear(h, weight, bias)
    known: Tensor = _Known.apply(h, weight, bias, answer)  # type: ignore[assignment]
    return known
