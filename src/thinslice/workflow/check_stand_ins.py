"""Refuse stand-ins of a paper's tables that could stand in for nothing. Standard library only.

A key is a name that the tables mention; a value is one of the grid's, or a metric that a protocol
of the config gives. Which metrics a protocol gives is its constant ``METRICS``; where a protocol
does not say, any name passes, and the table says which stand-in had no number.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from thinslice import plugins
from thinslice.workflow import plugin_source
from thinslice.workflow.cells import degradations_of
from thinslice.workflow.check_metrics import of_protocols

PUBLISHED = "thinslice.analyses.published"
COSTS = ("thinslice.analyses._costs", "COSTS")
STRUCTURES = ("dice_", "nsd_")  # what metrics of a segmentation's begin with
KINDS = {f"{key}s": key for key in ("dataset", "degradation", "method", "metric")}


def check_stand_ins(config: Mapping[str, Any]) -> None:
    """Refuse stand-ins for what no table mentions, or by what no run has; ValueError."""
    lines = []
    for name, entry in config["analyses"].items():
        if plugins.module_name("analyses", {"name": name, **entry}) == PUBLISHED:
            where = f"analyses {name}: stand_ins: "
            lines += [f"{where}{why}" for why in _problems(entry.get("settings", {}), config)]
    if lines:
        raise ValueError("\n".join(lines))


def _problems(settings: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    tables = settings.get("tables") or {}
    for kind, others in (settings.get("stand_ins") or {}).items():
        if kind not in KINDS:
            yield f"no kind {kind!r}{_near(kind, [*KINDS])}"
            continue
        there = list(dict.fromkeys(mentioned(tables, KINDS[kind])))
        for name, other in others.items():
            if name not in there:
                yield f"{kind}: no table mentions {name!r}{_near(name, there)}"
            elif why := _not_ours(kind, name, other, config, tables):
                yield f"{kind}: {name}: {why}"


def mentioned(part: Any, key: str) -> Iterator[str]:
    """Every name that tables, or a part of them, give for a key; metrics without their view."""
    for name in _written(part, key):
        for view in ["", *_written(part, "view")] if "{view}" in name else [""]:
            filled = name.replace("{view}", view).strip()
            yield filled.split()[0] if key == "metric" and filled else filled


def _written(part: Any, key: str) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get(key), str):
            yield part[key]
        rows = part.get("rows") if key == "method" else None
        for row in rows if isinstance(rows, Sequence) else ():
            if isinstance(row, Sequence) and len(row) > 1 and isinstance(row[1], str):
                yield row[1]  # a row's second word is its method
    if isinstance(part, Mapping | Sequence) and not isinstance(part, str):
        for each in part.values() if isinstance(part, Mapping) else part:
            yield from _written(each, key)


def _not_ours(
    kind: str, name: str, other: str, config: Mapping[str, Any], tables: Mapping[str, Any]
) -> str | None:
    """Reason why nothing of the run could stand in, if any."""
    if kind == "metrics":
        return _no_metric(name, other, config, tables)
    grid = config["grid"]
    there = grid.get(kind, [])
    if kind == "degradations":
        there = [each for dataset in grid["datasets"] for each in degradations_of(dataset, config)]
    there = list(dict.fromkeys(there))
    return None if other in there else f"{other!r} is not in grid.{kind}{_near(other, there)}"


def _no_metric(
    name: str, other: str, config: Mapping[str, Any], tables: Mapping[str, Any]
) -> str | None:
    """Reason why a metric cannot stand in: costs for costs, scores of the protocols for scores."""
    costs = plugin_source.constant(*COSTS)
    assert isinstance(costs, dict)
    if name in costs:
        reason = f"{other!r} is no cost of a run; expected some of {', '.join(costs)}"
        return None if other in costs else reason
    known = _scores(config, tables)
    if known is None or other in known:
        return None
    if config.get("segmentation") and other.startswith(STRUCTURES):
        return None
    return f"no protocol gives {other!r}{_near(other, known)}"


def _scores(config: Mapping[str, Any], tables: Mapping[str, Any]) -> list[str] | None:
    """Metrics of the protocols, without views; None where some of them cannot be known."""
    protocols = {*config["protocols"], *(["segmentation"] if config.get("segmentation") else [])}
    return of_protocols(config) if set(mentioned(tables, "protocol")) <= protocols else None


def _near(name: str, there: Sequence[str]) -> str:
    near = get_close_matches(str(name), there, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; expected some of {', '.join(there)}" if there else ""
