"""Refuse metrics, protocols and data sets that settings of analyses and figures misspell.

A figure is drawn last: a metric that its table does not hold would be refused after everything else
has run. Which metrics a protocol gives is its constant ``METRICS``; without one, any name passes.
Standard library only.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from thinslice import plugins
from thinslice.columns import metric_of
from thinslice.workflow import plugin_source

NAMES = {"protocol": "protocols", "protocols": "protocols", "datasets": "datasets"}


def check_metrics(config: Mapping[str, Any]) -> None:
    """Refuse settings that name no metric, protocol or data set of the config; ValueError."""
    lines = []
    for name, entry in config["analyses"].items():
        lines += [f"analyses {name}: {why}" for why in _unknown("analyses", name, entry, config)]
    for name, entry in config["figures"].items():
        unknown = list(_unknown("figures", name, entry, config))
        reasons = unknown or _not_in_table(name, entry, config)
        lines += [f"figures {name}: {why}" for why in reasons]
    if lines:
        raise ValueError("\n".join(lines))


def _unknown(
    kind: str, name: str, entry: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    """The names in an entry's settings that are in no catalogue, or no protocol's metrics."""
    module = plugins.module_name(kind, {"name": name, **entry})
    for setting, catalogue in NAMES.items():
        for value in _listed(_value(module, entry, setting)):
            there = [
                *config[catalogue],
                *(_segmentation(config) if catalogue == "protocols" else []),
            ]
            if value not in there:
                near = _nearest(value, there)
                yield f"{setting}: {value!r} is not among the {catalogue}{near}"
    known = _metrics(config)
    for setting in ("metric", "metrics"):
        for value in _listed(_value(module, entry, setting)):
            try:
                metric = metric_of(value)["metric"]
            except ValueError as error:
                yield f"{setting}: {error}"
                continue
            if known is not None and metric not in known:
                near = _nearest(metric, known)
                yield f"{setting}: no protocol gives {metric!r}{near}"


def _not_in_table(name: str, entry: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """The metric and the protocol that a figure is to draw, if its table is made of others."""
    analysis = config["analyses"].get(entry["table"])
    if analysis is None:
        return  # refused by its name
    table = plugins.module_name("analyses", {"name": entry["table"], **analysis})
    figure = plugins.module_name("figures", {"name": name, **entry})
    for setting in ("metric", "protocol"):
        taken = plugin_source.settings(table) or {}
        of_table = f"{setting}s" if f"{setting}s" in taken else setting
        there = _listed(_value(table, analysis, of_table))
        wanted = _listed(_value(figure, entry, setting))
        for value in wanted if there else []:
            if value not in there:
                near = _nearest(value, there) or f"; it has {', '.join(there)}"
                yield f"{setting}: {value!r} is not in the table {entry['table']}{near}"


def _value(module: str, entry: Mapping[str, Any], setting: str) -> Any:
    """A setting of an entry, or its default; None where the plug-in has no such setting."""
    known = (plugin_source.settings(module) or {}).get(setting)
    if known is None or setting in entry.get("settings", {}):
        return entry.get("settings", {}).get(setting) if known else None
    try:
        return ast.literal_eval(known.default) if known.default is not None else None
    except ValueError:
        return None


def _listed(value: Any) -> list[str]:
    """The names in a setting: one, several, or none where it is empty."""
    values = [value] if isinstance(value, str) else value
    return [str(each) for each in values or [] if each] if isinstance(values, Sequence) else []


def _segmentation(config: Mapping[str, Any]) -> list[str]:
    """The name of its rows' protocol where the config has segmentation; its metrics are open."""
    return ["segmentation"] if config.get("segmentation") else []


def _metrics(config: Mapping[str, Any]) -> list[str] | None:
    """Every metric of the config's protocols; None if one of them does not say."""
    return None if _segmentation(config) else of_protocols(config)


def of_protocols(config: Mapping[str, Any]) -> list[str] | None:
    """Metrics of the config's protocols, segmentation aside; None if one of them does not say."""
    known: list[str] = []
    for name, entry in config["protocols"].items():
        module = plugins.module_name("protocols", {"name": name, **entry})
        metrics = plugin_source.constant(module, "METRICS")
        if not isinstance(metrics, tuple):
            return None
        known += [str(metric) for metric in metrics]
    return list(dict.fromkeys(known))


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
