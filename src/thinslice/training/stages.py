"""A training of several stages, one after the other, told as one learning curve.

Every stage is a training of its own (``loop.train``) in its own folder; a stage that has ended is
not made again, since its last checkpoint is gone on from.
"""

import os
from collections.abc import Mapping
from pathlib import Path


def join(curves: Mapping[str, Path], out: Path) -> Path:
    """The curves' rows in one CSV, in the order given, with a first column ``stage``; ``out``.

    ValueError where two curves have different columns.
    """
    heads: dict[str, str] = {}
    rows: list[str] = []
    for stage, path in curves.items():
        heads[stage], *lines = path.read_text().splitlines()
        rows += [f"{stage},{line}" for line in lines]
    if len(set(heads.values())) != 1:
        raise ValueError(f"stages have curves of different columns: {heads}")
    beside = out.with_name(f".{out.name}.{os.getpid()}")  # processes that train together all join
    head = next(iter(heads.values()))
    beside.write_text("".join(f"{line}\n" for line in [f"stage,{head}", *rows]))
    os.replace(beside, out)
    return out
