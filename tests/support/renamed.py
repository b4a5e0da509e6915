"""Rename the tensors of a state dict by patterns; every name must match one."""

import re
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

Pattern = tuple[str, str | Callable[[re.Match], str]]


def renamed(theirs: Mapping[str, Tensor], patterns: Sequence[Pattern]) -> dict[str, Tensor]:
    """Tensors under the names that the first pattern to match a layer's name gives it."""
    return {_name(name, patterns): tensor for name, tensor in theirs.items()}


def _name(name: str, patterns: Sequence[Pattern]) -> str:
    layer, _, part = name.rpartition(".")
    for pattern, ours in patterns:
        if re.fullmatch(pattern, layer):
            return re.sub(pattern, ours, layer) + f".{part}"
    raise KeyError(name)
