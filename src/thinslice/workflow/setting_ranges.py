"""Refuse numbers of a method's settings that no training or restoration could use.

A type says that steps are a whole number; that -5 of them are none is known by name only. Names
that are not listed accept every number but nan. Standard library only.
"""

import math
from collections.abc import Mapping
from typing import Any

AT_LEAST: Mapping[str, int] = {
    **dict.fromkeys(
        ("batch", "batch_fusion", "channels", "depth", "epochs", "heads", "planes_at_a_time"), 1
    ),
    **dict.fromkeys(("steps", "tile", "tiles_at_a_time", "validate_every", "width"), 1),
    **dict.fromkeys(("blend", "halo", "patience", "warmup", "weight_decay", "val_batches"), 0),
}
RATE = "lr"


def out_of_range(setting: str, value: Any) -> str | None:
    """What is wrong with a number, in words; None for one that may be, and for all else."""
    if isinstance(value, list | tuple):
        return next(filter(None, (out_of_range("", each) for each in value)), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if math.isnan(value):
        return "found nan; expected a number"
    if setting == RATE or setting.endswith(f"_{RATE}"):
        ok = 0 < value < math.inf
        return None if ok else f"found {value}; expected a finite number above 0"
    least = AT_LEAST.get(setting, -math.inf)
    return None if value >= least else f"found {value}; expected {least} or more"
