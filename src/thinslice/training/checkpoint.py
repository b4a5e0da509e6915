"""Checkpoints of an unfinished training: written atomically, verified before they are used.

A file starts with the identity of its training and the hash of what follows, so that a damaged file
and one of another network, plan or data are recognised before anything is unpacked. The checkpoint
before the newest is kept.
"""

import hashlib
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from thinslice.errors import ThinsliceError
from thinslice.fs.atomic import remove_leftovers, replacing
from thinslice.training.plan import Plan

LOG = logging.getLogger(__name__)
MAGIC = b"thinslice checkpoint 1\n"
NAMES = ("checkpoint.pt", "checkpoint.previous.pt")


class UnusableError(ThinsliceError, ValueError):
    """A checkpoint that cannot be resumed from; the message says why."""


def identity(net: nn.Module, plan: Plan, key: str) -> str:
    """Hash of what decides the result: shapes of the weights, plan, and the caller's ``key``."""
    shapes = {name: [str(t.dtype), *t.shape] for name, t in net.state_dict().items()}
    text = json.dumps([shapes, plan.effective(), key], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write(work: Path, state: dict[str, Any], identity: str) -> None:
    """Put ``state`` into ``work``; at any moment at least one whole checkpoint is there."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    head = f"{identity}\n{hashlib.sha256(payload).hexdigest()}\n".encode()
    newest, previous = (work / name for name in NAMES)
    remove_leftovers(newest)
    with replacing(newest) as temporary:
        with open(temporary, "wb") as file:
            file.write(MAGIC + head)
            file.write(payload)
        if newest.exists():
            os.replace(newest, previous)


def read(path: Path, identity: str) -> dict[str, Any]:
    """The state in ``path``, on the CPU; UnusableError if torn, changed or of another training."""
    data = path.read_bytes()
    lines = data[len(MAGIC) :].split(b"\n", 2)
    if not data.startswith(MAGIC) or len(lines) < 3:
        raise UnusableError(f"{path} is not a whole checkpoint ({len(data)} bytes)")
    if lines[0].decode(errors="replace") != identity:
        raise UnusableError(f"{path} belongs to another network, plan or data")
    if hashlib.sha256(lines[2]).hexdigest().encode() != lines[1]:
        raise UnusableError(f"{path} is torn or was changed: its hash does not fit")
    return torch.load(io.BytesIO(lines[2]), map_location="cpu", weights_only=True)


def newest(work: Path, identity: str) -> dict[str, Any] | None:
    """The newest usable state, or None; unusable checkpoints are logged."""
    for path in (work / name for name in NAMES):
        if not path.exists():
            continue
        try:
            return read(path, identity)
        except UnusableError as reason:
            LOG.warning("checkpoint not used: %s", reason)
    return None
