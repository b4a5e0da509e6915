"""Refuse numbers of settings that no training, restoration or virtual patient could use.

A type says that steps are a whole number; that -5 of them are none is known by name only. Names
that are not listed accept every number but nan. Standard library only.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

AT_LEAST: Mapping[str, int] = {
    **dict.fromkeys(
        ("batch", "batch_fusion", "channels", "depth", "epochs", "heads", "planes_at_a_time"), 1
    ),
    **dict.fromkeys(("in_plane_epochs", "in_plane_steps"), 1),
    **dict.fromkeys(("through_plane_epochs", "through_plane_steps"), 1),
    **dict.fromkeys(("steps", "tile", "tiles_at_a_time", "validate_every", "width"), 1),
    **dict.fromkeys(("blocks", "crop", "levels", "patch", "side"), 1),
    **dict.fromkeys(("blend", "halo", "patience", "warmup", "weight_decay", "val_batches"), 0),
    **dict.fromkeys(("decay_every", "neighbours", "seed"), 0),
}
RATE = "lr"
LENGTHS = ("thickness_mm", "increment_mm")
RANGE = "ct"  # HU, lowest and highest
RADII = "nodules_mm"  # of a virtual patient's nodules, smallest and largest
RADII_MM = (0.5, 8.0)


def out_of_range(setting: str, value: Any) -> str | None:
    """What is wrong with a number, in words; None for one that may be, and for all else."""
    if isinstance(value, list | tuple):
        problems = [*filter(None, (out_of_range(setting, each) for each in value))]
        return problems[0] if problems else _descending(setting, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if math.isnan(value):
        return "found nan; expected a number"
    if setting == RATE or setting.endswith(f"_{RATE}"):
        ok = 0 < value < math.inf
        return None if ok else f"found {value}; expected a finite number above 0"
    if setting in LENGTHS:
        return None if 0 < value < math.inf else f"found {value}; expected millimetres above 0"
    least = AT_LEAST.get(setting, -math.inf)
    return None if value >= least else f"found {value}; expected {least} or more"


def without_effect(settings: Mapping[str, Any]) -> str | None:
    """What is wrong with a schedule and its steps together, in words; None where nothing is."""
    if settings.get("schedule") == "step" and settings.get("decay_every") == 0:
        return "found 0 with schedule step; expected 1 or more, the steps between two decays"
    return None


def _descending(setting: str, values: Sequence[Any]) -> str | None:
    if setting == RADII:
        return _no_radii(values)
    if setting != RANGE or len(values) != 2 or not all(_is_number(each) for each in values):
        return None
    low, high = values
    return None if low < high else f"found {low} to {high}; expected the lower HU first"


def _no_radii(values: Sequence[Any]) -> str | None:
    low, high = RADII_MM
    if not all(_is_number(each) for each in values):
        return None  # of another type: refused as such
    if len(values) == 2 and low <= values[0] <= values[1] <= high:
        return None
    return f"found {list(values)}; expected two radii of {low} to {high} mm, the smallest first"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
