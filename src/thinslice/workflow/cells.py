"""Cells of the benchmark: which run, and the reason for each that does not. Standard library only.

A cell is one restore job: a dataset's test cases, thick by one degradation, restored by one method
whose weights were fitted on one (dataset, degradation), or on nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thinslice.columns import SIM

ACQUIRED = "acquired"  # the scanner's own thick series; every other degradation is simulated
UNTRAINED = "untrained"
SEPARATOR = "--"  # of the names in a label; config names hold no hyphen


@dataclass(frozen=True)
class Source:
    """The (dataset, degradation) whose training cases made a weights file."""

    dataset: str
    degradation: str

    @property
    def label(self) -> str:
        """Both names as in a file name, which can be parsed again."""
        return f"{self.dataset}{SEPARATOR}{self.degradation}"

    @classmethod
    def parse(cls, label: str) -> "Source":
        dataset, degradation = label.split(SEPARATOR)
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
        """Label of the source of the weights, as in a file name."""
        return self.source.label if self.source else UNTRAINED

    @property
    def path(self) -> str:
        """Path of the cell's files below results/restored and results/scores."""
        return f"{self.dataset}/{self.degradation}/{self.method}/{self.fitted}"

    def __str__(self) -> str:
        fitted = f", fitted on {self.fitted.replace('--', '/')}" if self.source else ""
        return f"{self.method} on {self.dataset}/{self.degradation}{fitted}"


def cells(config: Mapping[str, Any]) -> list[Cell]:
    """Every cell of the configured grid that can run, in config order."""
    return [cell for cell in grid_cells(config) if why_skipped(cell, config) is None]


def scored(config: Mapping[str, Any]) -> list[Cell]:
    """The runnable cells with thin slices to compare their restored volumes with."""
    return [cell for cell in cells(config) if has_truth(cell.dataset, config)]


def segmented(config: Mapping[str, Any]) -> list[Cell]:
    """The scored cells whose restored volumes are segmented: of data sets with labels."""
    section: Mapping[str, Any] = config.get("segmentation") or {"datasets": []}
    methods = section.get("methods", config["grid"]["methods"])
    chosen = [cell for cell in scored(config) if cell.dataset in section["datasets"]]
    return [cell for cell in chosen if cell.method in methods]


def has_truth(dataset: str, config: Mapping[str, Any]) -> bool:
    """Whether a dataset has thin slices, not only a scanner's thick series."""
    return config["datasets"][dataset].get("truth", True)


def skipped(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The cells that cannot run: one (cells, reason) per (dataset, degradation) and reason."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for cell in grid_cells(config):
        if reason := why_skipped(cell, config):
            where = f"{cell.dataset}/{cell.degradation}"
            fitted = f" fitted on {cell.fitted.replace('--', '/')}" if cell.source else ""
            groups.setdefault((where, reason), {}).setdefault(fitted, []).append(cell.method)
    lines = []
    for (where, reason), by_source in groups.items():
        affected = {method for methods in by_source.values() for method in methods}
        named = "; ".join(f"{', '.join(methods)}{fitted}" for fitted, methods in by_source.items())
        if affected == set(_methods(where.split("/")[1], config)):
            named = "all methods"
        lines.append((f"{where}: {named}", reason))
    return lines


def sources(config: Mapping[str, Any]) -> list[tuple[str, Source]]:
    """Every (method, source) that the runnable cells need trained, once each."""
    fitted = ((trained_by(c.method, config), c.source) for c in cells(config) if c.source)
    return list(dict.fromkeys(fitted))


def trained_by(method: str, config: Mapping[str, Any]) -> str:
    """The method that learns what a method restores with: itself, unless its line says another."""
    return config["methods"][method].get("weights_of", method)


def given_files(method: Mapping[str, Any]) -> dict[str, Path]:
    """Files with weights of others that a method's line names, by network; "" for a lone one."""
    given = method.get("weights", {})
    named = given if isinstance(given, Mapping) else {"": given}
    return {part: Path(path) for part, path in named.items()}


def learned_record(cell: Cell, config: Mapping[str, Any]) -> str | None:
    """The record of what a cell's method learned in another job, if it did.

    Of weights that its line names; of weights fitted beforehand; or, where another method learns
    from the same scans in its place, of that method's cell.
    """
    if given_files(config["methods"][cell.method]):
        return f"results/weights/{cell.method}/given.record.json"
    teacher = trained_by(cell.method, config)
    if cell.source is not None:
        return f"results/weights/{teacher}/{cell.fitted}.record.json"
    if teacher != cell.method:
        return f"results/restored/{replace(cell, method=teacher).path}.record.json"
    return None


def why_skipped(cell: Cell, config: Mapping[str, Any]) -> str | None:
    """Reason why a cell cannot run, worded for a table's footnote; None if it can."""
    if not _count(config, cell.dataset, cell.degradation, "test"):
        return f"{_lacks(cell.dataset, cell.degradation)} among its test cases"
    if not has_truth(cell.dataset, config) and cell.degradation != ACQUIRED:
        return f"{cell.dataset} has no thin slices to simulate thick ones from"
    if _in_plane(cell.degradation, config) > 1 and not _method(cell, config).get("in_plane"):
        return "its pixels are made coarser too, and the method restores slices alone"
    if _method(cell, config).get("second", False):
        for dataset in {cell.dataset, cell.source.dataset if cell.source else cell.dataset}:
            if not config["datasets"][dataset].get("settings", {}).get("second"):
                return f"the method sees a second contrast, and {dataset} has none"
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
    """Reason why a network built for one factor of pixels and slices cannot run, if any."""
    here, there = (_in_plane(d, config) for d in (cell.degradation, source.degradation))
    if here != there:
        return f"fitted on pixels {there} times the thin ones', tested on {here} times"
    here, there = (_through_plane(d, config) for d in (cell.degradation, source.degradation))
    if here is None or there is None or here == there:
        return None
    return f"fitted on increments {there} times the thin ones', tested on {here} times"


def _increments_differ(cell: Cell, source: Source, config: Mapping[str, Any]) -> str | None:
    """Reason why a network built for one ratio of increments cannot run, if any."""
    here = _increment_mm(cell.dataset, cell.degradation, config)
    there = _increment_mm(source.dataset, source.degradation, config)
    if here is None or there is None or abs(here - there) < 0.1 * there:
        return None
    return f"fitted on slices every {there:g} mm, tested on slices every {here:g} mm"


def _increment_mm(dataset: str, degradation: str, config: Mapping[str, Any]) -> float | None:
    """Increment of the thick slices; None where the config does not state it."""
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
    """How many thin slices one thick slice covers; None where the config does not state it."""
    return config["degradations"][degradation].get("settings", {}).get("through_plane")


def _method(cell: Cell, config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config["methods"][cell.method]


def label(cell: Cell, config: Mapping[str, Any]) -> str:
    """ "sim" where a number of this cell rests on simulated data, else an empty string."""
    simulated = config["datasets"][cell.dataset].get("simulated", False)
    return SIM if simulated or cell.degradation != ACQUIRED else ""


def grid_cells(config: Mapping[str, Any]) -> list[Cell]:
    """Every cell of the grid, runnable or not, in config order."""
    grid = config["grid"]
    out = []
    for dataset in grid["datasets"]:
        for degradation in degradations_of(dataset, config):
            for method in _methods(degradation, config):
                for source in _sources_of(dataset, degradation, method, config):
                    out.append(Cell(dataset, degradation, method, source))
    return out


def degradations_of(dataset: str, config: Mapping[str, Any]) -> list[str]:
    """The grid's degradations for a dataset: one list for all datasets, or one for each."""
    degradations = config["grid"]["degradations"]
    if isinstance(degradations, Mapping):
        return list(degradations.get(dataset, []))
    return list(degradations)


def _methods(degradation: str, config: Mapping[str, Any]) -> list[str]:
    """The grid's methods that are meant for a degradation, each once."""
    names = dict.fromkeys(config["grid"]["methods"])
    return [name for name in names if _meant_for(name, degradation, config)]


def _meant_for(method: str, degradation: str, config: Mapping[str, Any]) -> bool:
    """Whether a method runs here; its line may name the only degradations it is meant for."""
    return degradation in config["methods"][method].get("degradations", [degradation])


def _sources_of(
    dataset: str, degradation: str, method: str, config: Mapping[str, Any]
) -> list[Source | None]:
    """The sources a method is fitted on before it is tested on (dataset, degradation)."""
    entry = config["methods"][method]
    if entry["fit"] != "population" or given_files(entry):
        return [None]
    grid = config["grid"]
    trained_on = grid.get("trained_on", "same")
    datasets = [dataset] if trained_on == "same" else trained_on
    crossed = grid.get("fitted_on", "matched") == "all"
    return [
        Source(d, g)
        for d in datasets
        for g in (degradations_of(dataset, config) if crossed else [degradation])
        if _meant_for(method, g, config)
    ]


def _count(config: Mapping[str, Any], dataset: str, degradation: str, split: str) -> int:
    """Number of cases of a split for a degradation; 1 where the config does not state it."""
    entry = config["datasets"][dataset]
    cases = entry.get("cases", {}).get(split, 1)
    if degradation != ACQUIRED or not cases:
        return cases
    if not entry.get("acquired", False):
        return 0
    return entry.get("acquired_cases", {}).get(split, 1)


def _lacks(dataset: str, degradation: str) -> str:
    what = "acquired thick series" if degradation == ACQUIRED else "scan"
    return f"{dataset} has no {what}"
