"""Refuse settings that no plug-in could be built with, before any job runs.

Every entry of every catalogue is compared with the signature in its plug-in's source: names, what
must be given, types and ranges. All problems are refused together, one a line.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice import plugins
from thinslice.workflow import config_files, plugin_source
from thinslice.workflow.cells import ACQUIRED
from thinslice.workflow.plugin_source import Setting
from thinslice.workflow.setting_ranges import RADII, RANGE, out_of_range, without_effect
from thinslice.workflow.setting_types import no_setting, problem

FILLED = {"root"}  # in by workflow/own_data.py


def check_settings(config: Mapping[str, Any], files: Sequence[Path] = ()) -> None:
    """Refuse the settings of any entry that its plug-in does not take; ValueError.

    files   what the config was read from, the last word last: where a number is to be corrected
    """
    lines = [
        f"{kind} {name}: {why}"
        for kind in plugins.KINDS
        for name, entry in config[kind].items()
        if name != ACQUIRED
        for why in (*_problems(kind, name, entry), *_ranges(kind, name, entry, files))
    ]
    lines += _windows(config, files)
    if lines:
        raise ValueError("\n".join(lines))


def _windows(config: Mapping[str, Any], files: Sequence[Path]) -> Iterator[str]:
    for name, entry in config["datasets"].items():
        if "window_hu" not in entry:
            continue
        why = out_of_range(RANGE, entry["window_hu"])
        if entry.get("modality", "CT") != "CT":
            why = "found one of MR, whose values have no unit; expected none"
        if why:
            place = config_files.place_of(("datasets", name, "window_hu"), files)
            where = f"; correct it in {place}" if place else ""
            yield f"datasets {name}: window_hu: {why}{where}"


def _problems(kind: str, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    known = plugin_source.settings(plugins.module_name(kind, {"name": name, **entry}))
    if known is None:
        return
    given = entry.get("settings", {})
    for setting, value in given.items():
        if setting not in known:
            yield no_setting(setting, known)
        elif why := problem(value, known[setting].annotation, known[setting].module):
            yield f"{setting}: {why}"
    unknown = [setting for setting in given if setting not in known]
    yield from (f"no {each}: give it in settings" for each in _missing(given, known) if not unknown)


def _missing(given: Mapping[str, Any], known: Mapping[str, Setting]) -> list[str]:
    needed = [name for name, setting in known.items() if setting.default is None]
    return [name for name in needed if name not in given and name not in FILLED]


def _ranges(kind: str, name: str, entry: Mapping[str, Any], files: Sequence[Path]) -> Iterator[str]:
    settings = entry.get("settings", {})
    for setting, value in settings.items():
        why = out_of_range(setting if kind == "methods" or setting == RADII else "", value)
        if setting == "decay_every":
            why = why or without_effect(settings)
        if why:
            place = config_files.place_of((kind, name, "settings", setting), files)
            yield f"{setting}: {why}" + (f"; correct it in {place}" if place else "")
