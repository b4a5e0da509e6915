"""Whether a training keeps what its backward pass would else compute again: where memory allows.

The gradients are the same bit for bit, so no result, and no training that goes on, depends on it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from thinslice.interfaces import Run
from thinslice.nets.kept import Keeps, Room
from thinslice.provenance.environment import resident_bytes

SHARE = 0.5  # of the memory that is left; a step needs the rest for gradients and what is passing


def room_bytes(run: Run, device: torch.device) -> int:
    """Bytes that blocks may keep: a share of what is left of the run's memory cap on a CPU.

    Nothing without a cap, and nothing on a GPU, whose memory other jobs may share.
    """
    if run.max_memory_gib is None or device.type != "cpu":
        return 0
    left = run.max_memory_gib * 2**30 / run.processes - resident_bytes()
    return max(0, int(SHARE * left))


def choice(room: Room) -> str:
    """What was done in a room until now: ``kept``, ``recomputed``, or ``kept in part``."""
    if room.most == 0:
        return "recomputed"
    return "kept in part" if room.lacked else "kept"


@contextmanager
def kept(net: nn.Module, run: Run, device: torch.device) -> Iterator[Room | None]:
    """Let the blocks of ``net`` keep what fits, in the block of code; None: it has no such."""
    room = Room(room_bytes(run, device))
    blocks = [module for module in net.modules() if isinstance(module, Keeps)]
    for block in blocks:
        block.room = room
    try:
        yield room if blocks else None
    finally:
        for block in blocks:
            block.room = None
