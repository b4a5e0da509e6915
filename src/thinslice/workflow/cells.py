"""Which cells the benchmark runs, and in words why the others do not. Standard library only.

A cell is one restore job: a dataset's test cases, thick by one degradation, restored by one method
whose weights were fitted on one (dataset, degradation), or on nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from thinslice.columns import SIM

ACQUIRED = "acquired"  # the scanner's own thick series; every other degradation is simulated
UNTRAINED = "untrained"


@dataclass(frozen=True)
class Source:
    """The (dataset, degradation) whose training cases made a weights file."""

    dataset: str
    degradation: str

    @property
    def label(self) -> str:
        """As in a file name; names hold no hyphen, so this splits one way only."""
        return f"{self.dataset}--{self.degradation}"

    @classmethod
    def parse(cls, label: str) -> "Source":
        dataset, degradation = label.split("--")
        return cls(dataset, degradation)


@dataclass(frozen=True)
class Cell:
    """One cell of the benchmark; every field is a name in config.yaml."""

    dataset: str
    degradation: str
    method: str
    source: Source | None = None  # None: the method learns from no population

    @property
    def fitted(self) -> str:
        """What the weights were fitted on, as in a file name."""
        return self.source.label if self.source else UNTRAINED

    @property
    def path(self) -> str:
        """Where the cell's files live below results/restored and results/scores."""
        return f"{self.dataset}/{self.degradation}/{self.method}/{self.fitted}"

    def __str__(self) -> str:
        learned = f", fitted on {self.fitted.replace('--', '/')}" if self.source else ""
        return f"{self.method} on {self.dataset}/{self.degradation}{learned}"


def check(config: Mapping[str, Any]) -> None:
    """Refuse a grid, a figure or a training set that names what no catalogue holds; ValueError."""
    grid = config["grid"]
    trained_on = grid.get("trained_on", "same")
    lines = [config["methods"][name] for name in grid["methods"] if name in config["methods"]]
    asked = [
        ("datasets", grid["datasets"]),
        ("datasets", [] if trained_on == "same" else trained_on),
        ("degradations", [d for name in grid["datasets"] for d in _degradations(name, config)]),
        ("degradations", [d for line in lines for d in line.get("degradations", [])]),
        ("methods", grid["methods"]),
        ("analyses", [figure["table"] for figure in config["figures"].values()]),
    ]
    for kind, names in asked:
        for name in names:
            if name not in config[kind]:
                near = get_close_matches(name, config[kind], n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"config: {name!r} is not among the {kind}{hint}")


def cells(config: Mapping[str, Any]) -> list[Cell]:
    """Every cell of the configured grid that can run, in config order."""
    return [cell for cell in _asked(config) if why_skipped(cell, config) is None]


def scored(config: Mapping[str, Any]) -> list[Cell]:
    """The runnable cells whose restored volumes have a truth to be compared with."""
    return [cell for cell in cells(config) if has_truth(cell.dataset, config)]


def has_truth(dataset: str, config: Mapping[str, Any]) -> bool:
    """Whether a dataset has thin slices, and not a scanner's thick ones alone."""
    return config["datasets"][dataset].get("truth", True)


def check_some_run(config: Mapping[str, Any]) -> None:
    """Refuse a grid of which no cell can run, with every reason; ValueError."""
    if not cells(config):
        reasons = "; ".join(f"{where}: {why}" for where, why in skipped(config))
        raise ValueError(f"config: no cell of the grid can run ({reasons})")


def check_gpus(config: Mapping[str, Any], at_once: int | None) -> None:
    """Refuse a method of the grid whose ``gpus`` cannot train it; ValueError.

    at_once   GPUs that jobs may use at a time; None: as many as they ask for
    """
    for name in config["grid"]["methods"]:
        line = config["methods"][name]
        gpus, batch = line.get("gpus", 1), line.get("settings", {}).get("batch")
        why = None
        if gpus > 1 and line["fit"] != "population":
            why = "only a method fitted beforehand (fit: population) trains on several"
        elif at_once is not None and gpus > max(at_once, 1):
            why = f"the run may use {at_once} at once: start it with --resources gpu={gpus}"
        elif batch is not None and batch % gpus:
            why = f"they cannot part a batch of {batch} equally: set batch to a multiple of {gpus}"
        if why:
            raise ValueError(f"config: {name} asks for gpus: {gpus}, but {why}")


def skipped(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What cannot run, with the reason: one line per (dataset, degradation) and reason."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for cell in _asked(config):
        if reason := why_skipped(cell, config):
            where = f"{cell.dataset}/{cell.degradation}"
            fitted = f" fitted on {cell.fitted.replace('--', '/')}" if cell.source else ""
            groups.setdefault((where, reason), {}).setdefault(fitted, []).append(cell.method)
    lines = []
    for (where, reason), by_source in groups.items():
        everyone = set(_methods(where.split("/")[1], config))
        all_of_them = {m for methods in by_source.values() for m in methods} == everyone
        named = [f"{', '.join(methods)}{fitted}" for fitted, methods in by_source.items()]
        lines.append((f"{where}: {'all methods' if all_of_them else '; '.join(named)}", reason))
    return lines


def sources(config: Mapping[str, Any]) -> list[tuple[str, Source]]:
    """Every (method, source) that the runnable cells need trained, once each."""
    return list(dict.fromkeys((c.method, c.source) for c in cells(config) if c.source))


def why_skipped(cell: Cell, config: Mapping[str, Any]) -> str | None:
    """Reason a cell cannot be run, in words for a table's footnote; None if it can."""
    if not _count(config, cell.dataset, cell.degradation, "test"):
        return f"{_lacks(cell.dataset, cell.degradation)} among its test cases"
    if not has_truth(cell.dataset, config) and cell.degradation != ACQUIRED:
        return f"{cell.dataset} has no thin slices to simulate thick ones from"
    if _in_plane(cell.degradation, config) > 1 and not _method(cell, config).get("in_plane"):
        return "its pixels are made coarser too, and the method restores slices alone"
    if cell.source is None:
        return None
    if not has_truth(cell.source.dataset, config):
        return f"{cell.source.dataset} has no thin slices to learn from"
    if not _count(config, cell.source.dataset, cell.source.degradation, "train"):
        return f"{_lacks(cell.source.dataset, cell.source.degradation)} among its training cases"
    here, there = (config["datasets"][d] for d in (cell.dataset, cell.source.dataset))
    if here.get("modality", "CT") != there.get("modality", "CT"):
        return f"trained on {there.get('modality', 'CT')}, tested on {here.get('modality', 'CT')}"
    if not _method(cell, config).get("fixed_factor", False):
        return None
    return _factors_differ(cell, cell.source, config) or _increments_differ(
        cell, cell.source, config
    )


def _factors_differ(cell: Cell, source: Source, config: Mapping[str, Any]) -> str | None:
    """Why networks built for whole factors of pixels and slices cannot run here, if they cannot."""
    here, there = (_in_plane(d, config) for d in (cell.degradation, source.degradation))
    if here != there:
        return f"fitted on pixels {there} times the thin ones', tested on {here} times"
    here, there = (_through_plane(d, config) for d in (cell.degradation, source.degradation))
    if here is None or there is None or here == there:
        return None
    return f"fitted on increments {there} times the thin ones', tested on {here} times"


def _increments_differ(cell: Cell, source: Source, config: Mapping[str, Any]) -> str | None:
    """Why a network built for one ratio of increments cannot run here, if it cannot."""
    here = _increment_mm(cell.dataset, cell.degradation, config)
    there = _increment_mm(source.dataset, source.degradation, config)
    if here is None or there is None or abs(here - there) < 0.1 * there:
        return None
    return f"fitted on slices every {there:g} mm, tested on slices every {here:g} mm"


def _increment_mm(dataset: str, degradation: str, config: Mapping[str, Any]) -> float | None:
    """Increment of the thick slices, as far as the config says."""
    if degradation == ACQUIRED:
        return config["datasets"][dataset].get("acquired_increment_mm")
    settings = config["degradations"][degradation].get("settings", {})
    if "overlap_mm" in settings:
        return settings["thickness_mm"] - settings["overlap_mm"]
    return settings.get("increment_mm")


def _in_plane(degradation: str, config: Mapping[str, Any]) -> int:
    """How many thin pixels a thick one spans, along y and along x."""
    return config["degradations"][degradation].get("settings", {}).get("in_plane", 1)


def _through_plane(degradation: str, config: Mapping[str, Any]) -> int | None:
    """How many thin slices a thick one stands for, where the config says it as a whole number."""
    return config["degradations"][degradation].get("settings", {}).get("through_plane")


def _method(cell: Cell, config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config["methods"][cell.method]


def label(cell: Cell, config: Mapping[str, Any]) -> str:
    """ "sim" where a number of this cell rests on simulated data, else an empty string."""
    made = config["datasets"][cell.dataset].get("simulated", False)
    return SIM if made or cell.degradation != ACQUIRED else ""


def _asked(config: Mapping[str, Any]) -> list[Cell]:
    grid = config["grid"]
    out = []
    for dataset in grid["datasets"]:
        for degradation in _degradations(dataset, config):
            for method in _methods(degradation, config):
                for source in _sources_of(dataset, degradation, method, config):
                    out.append(Cell(dataset, degradation, method, source))
    return out


def _degradations(dataset: str, config: Mapping[str, Any]) -> list[str]:
    """The degradations asked of a dataset: one list for all of them, or one for each."""
    asked = config["grid"]["degradations"]
    return list(asked.get(dataset, []) if isinstance(asked, Mapping) else asked)


def _methods(degradation: str, config: Mapping[str, Any]) -> list[str]:
    """The methods asked for here."""
    asked = dict.fromkeys(config["grid"]["methods"])  # a name may stand twice
    return [name for name in asked if _meant_for(name, degradation, config)]


def _meant_for(method: str, degradation: str, config: Mapping[str, Any]) -> bool:
    """Whether a method runs here; its line may name the only degradations it is meant for."""
    return degradation in config["methods"][method].get("degradations", [degradation])


def _sources_of(
    dataset: str, degradation: str, method: str, config: Mapping[str, Any]
) -> list[Source | None]:
    """What one method is fitted on before it is tested on (dataset, degradation)."""
    if config["methods"][method]["fit"] != "population":
        return [None]
    grid = config["grid"]
    trained_on = grid.get("trained_on", "same")
    datasets = [dataset] if trained_on == "same" else trained_on
    crossed = grid.get("fitted_on", "matched") == "all"
    return [
        Source(d, g)
        for d in datasets
        for g in (_degradations(dataset, config) if crossed else [degradation])
        if _meant_for(method, g, config)
    ]


def _count(config: Mapping[str, Any], dataset: str, degradation: str, split: str) -> int:
    """Whether a dataset has cases of a split for a degradation, as far as the config knows."""
    card = config["datasets"][dataset]
    cases = card.get("cases", {}).get(split, 1)
    if degradation != ACQUIRED or not cases:
        return cases
    if not card.get("acquired", False):
        return 0
    return card.get("acquired_cases", {}).get(split, 1)


def _lacks(dataset: str, degradation: str) -> str:
    what = "acquired thick series" if degradation == ACQUIRED else "scan"
    return f"{dataset} has no {what}"
