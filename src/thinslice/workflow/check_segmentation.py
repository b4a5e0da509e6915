"""Refuse a segmentation that would do nothing, or that no segmenter can be made of.

The names are compared with the grid, the settings with the segmenter's own. Standard library only.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from thinslice.workflow import plugin_source
from thinslice.workflow.setting_types import no_setting, problem

SETTINGS = "thinslice.segmentation.settings"  # where the segmenter's are written


def check_segmentation(config: Mapping[str, Any]) -> None:
    """Refuse data sets and methods outside the grid, and wrong settings; ValueError."""
    section = config.get("segmentation")
    if not section:
        return
    lines = [*_outside(section, config["grid"]), *_settings(section.get("settings", {}))]
    if lines:
        raise ValueError("\n".join(f"config: segmentation: {line}" for line in lines))


def _outside(section: Mapping[str, Any], grid: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("datasets", "methods"):
        for name in section.get(kind, []):
            if name not in grid[kind]:
                near = get_close_matches(name, grid[kind], n=1)
                hint = f"did you mean {near[0]!r}?" if near else "add it there, or leave it out"
                yield (
                    f"{kind}: found {name!r}, which is not in grid.{kind}; expected some of "
                    f"{', '.join(grid[kind])}; {hint}"
                )


def _settings(given: Mapping[str, Any]) -> Iterator[str]:
    known = plugin_source.settings_class(SETTINGS)
    for name, value in given.items():
        if name not in known:
            yield f"settings: {no_setting(name, known)}"
        elif why := problem(value, known[name].annotation, known[name].module):
            yield f"settings: {name}: {why}"
