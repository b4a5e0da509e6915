"""Which cells the benchmark runs, and in words why the others do not. Standard library only.

A cell is one restore job: a dataset's test cases, thick by one degradation, restored by one method
whose weights were fitted on one (dataset, degradation), or on nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

ACQUIRED = "acquired"  # the scanner's own thick series; every other degradation is simulated
UNTRAINED = "untrained"
SPLITS = ("train", "val", "test")


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
    asked = [
        ("datasets", grid["datasets"]),
        ("datasets", [] if trained_on == "same" else trained_on),
        ("degradations", grid["degradations"]),
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


def check_some_run(config: Mapping[str, Any]) -> None:
    """Refuse a grid of which no cell can run, with every reason; ValueError."""
    if not cells(config):
        reasons = "; ".join(f"{where}: {why}" for where, why in skipped(config))
        raise ValueError(f"config: no cell of the grid can run ({reasons})")


def skipped(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What cannot run, with the reason: one line per (dataset, degradation) and reason."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for cell in _asked(config):
        if reason := why_skipped(cell, config):
            where = f"{cell.dataset}/{cell.degradation}"
            fitted = f" fitted on {cell.fitted.replace('--', '/')}" if cell.source else ""
            groups.setdefault((where, reason), {}).setdefault(fitted, []).append(cell.method)
    everyone = set(config["grid"]["methods"])
    lines = []
    for (where, reason), by_source in groups.items():
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
    if cell.source is None:
        return None
    if not _count(config, cell.source.dataset, cell.source.degradation, "train"):
        return f"{_lacks(cell.source.dataset, cell.source.degradation)} among its training cases"
    here, there = (config["datasets"][d] for d in (cell.dataset, cell.source.dataset))
    if here.get("modality", "CT") != there.get("modality", "CT"):
        return f"trained on {there.get('modality', 'CT')}, tested on {here.get('modality', 'CT')}"
    return _increments_differ(cell, cell.source, config)


@dataclass(frozen=True)
class Panels:
    """The cells that the panels of one dataset show side by side."""

    dataset: str
    degradation: str
    cells: tuple[Cell, ...]
    sim: str

    @property
    def path_of_thick(self) -> str:
        return f"{self.dataset}/{self.degradation}"


def panels(config: Mapping[str, Any], dataset: str) -> Panels:
    """Acquired thick where there is one, else the first degradation; every method of the grid that
    the config does not leave out, with matched weights where there are any, else the first.

    ValueError where nothing of the dataset is shown; ``with_panels`` says which are."""
    here = [cell for cell in _shown(config) if cell.dataset == dataset]
    if not here:
        raise ValueError(f"no cell of {dataset!r} is run and shown in panels")
    tested = {cell.degradation: cell for cell in reversed(here)}
    degradation = ACQUIRED if ACQUIRED in tested else next(iter(reversed(tested)))
    chosen: dict[str, Cell] = {}
    for cell in here:
        if cell.degradation == degradation:
            matched = cell.source is None or cell.source.degradation == degradation
            chosen[cell.method] = cell if matched else chosen.get(cell.method, cell)
    shown = tuple(chosen.values())
    return Panels(dataset, degradation, shown, label(shown[0], config))


def with_panels(config: Mapping[str, Any]) -> list[str]:
    """The datasets that have something to show, in config order."""
    return list(dict.fromkeys(cell.dataset for cell in _shown(config)))


def _shown(config: Mapping[str, Any]) -> list[Cell]:
    return [c for c in cells(config) if config["methods"][c.method].get("panel", True)]


def _increments_differ(cell: Cell, source: Source, config: Mapping[str, Any]) -> str | None:
    """Why a network built for one ratio of increments cannot run here, if it cannot."""
    if not config["methods"][cell.method].get("one_factor", False):
        return None
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


def label(cell: Cell, config: Mapping[str, Any]) -> str:
    """ "sim" where a number of this cell rests on simulated data, else an empty string."""
    made = config["datasets"][cell.dataset].get("simulated", False)
    return "sim" if made or cell.degradation != ACQUIRED else ""


def _asked(config: Mapping[str, Any]) -> list[Cell]:
    grid = config["grid"]
    out = []
    for dataset in grid["datasets"]:
        for degradation in grid["degradations"]:
            for method in grid["methods"]:
                for source in _sources_of(dataset, degradation, method, config):
                    out.append(Cell(dataset, degradation, method, source))
    return out


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
    degradations = grid["degradations"] if crossed else [degradation]
    return [Source(d, g) for d in datasets for g in degradations]


def _count(config: Mapping[str, Any], dataset: str, degradation: str, split: str) -> int:
    """Whether a dataset has cases of a split for a degradation, as far as the config knows."""
    card = config["datasets"][dataset]
    if degradation != ACQUIRED:
        return card.get("cases", {}).get(split, 1)
    if not card.get("acquired", False):
        return 0
    return card.get("acquired_cases", {}).get(split, 1)


def _lacks(dataset: str, degradation: str) -> str:
    what = "acquired thick series" if degradation == ACQUIRED else "scan"
    return f"{dataset} has no {what}"
