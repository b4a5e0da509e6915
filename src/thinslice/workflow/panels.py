"""Panels: the cells of a dataset that are shown side by side. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thinslice.workflow.cells import ACQUIRED, Cell, Source, cells, has_truth, label


@dataclass(frozen=True)
class Panels:
    """The cells that the panels of one dataset show side by side."""

    dataset: str
    degradation: str
    truth: bool  # whether the dataset has thin slices to show beside them
    cells: tuple[Cell, ...]
    sim: str

    @property
    def names(self) -> list[str]:
        """The methods in the order of ``cells``, with their weights where these are of others."""
        return [self._name(cell) for cell in self.cells]

    def _name(self, cell: Cell) -> str:
        source = cell.source
        if source is None or (source.dataset, source.degradation) == (
            self.dataset,
            self.degradation,
        ):
            return cell.method
        here = source.degradation if source.dataset == self.dataset else source.label
        return f"{cell.method} ({here})"

    @property
    def path_of_thick(self) -> str:
        return f"{self.dataset}/{self.degradation}"


def panels(config: Mapping[str, Any], dataset: str) -> Panels:
    """The panels of a dataset: its acquired thick series if there is one, else the first
    degradation; every method with ``panel``, fitted on the same degradation if possible.

    ValueError for a dataset without panels; ``with_panels`` lists those that have some."""
    available = [cell for cell in _shown(config) if cell.dataset == dataset]
    if not available:
        raise ValueError(f"no cell of {dataset!r} is run and shown in panels")
    tested = {cell.degradation: cell for cell in reversed(available)}
    degradation = ACQUIRED if ACQUIRED in tested else next(iter(reversed(tested)))
    chosen: dict[str, Cell] = {}
    for cell in available:
        if cell.degradation == degradation:
            matched = cell.source is None or cell.source == Source(dataset, degradation)
            chosen[cell.method] = cell if matched else chosen.get(cell.method, cell)
    shown = tuple(chosen.values())
    truth = has_truth(dataset, config)
    return Panels(dataset, degradation, truth, shown, label(shown[0], config))


def with_panels(config: Mapping[str, Any]) -> list[str]:
    """The datasets that have panels, in config order."""
    return list(dict.fromkeys(cell.dataset for cell in _shown(config)))


def pictures(config: Mapping[str, Any]) -> list[str]:
    """The names of all pictures of volumes: panels of each dataset, patches if configured, and the
    relevance of references where the method that the config names is among the panels."""
    kinds = ["panels", *(["patches"] if config.get("patches") else [])]
    return [
        f"{kind}_{dataset}"
        for dataset in with_panels(config)
        for kind in [*kinds, *_relevance(config, dataset)]
    ]


def _relevance(config: Mapping[str, Any], dataset: str) -> list[str]:
    method = (config.get("relevance") or {}).get("method")
    return ["relevance"] if method in panels(config, dataset).names else []


def slices(config: Mapping[str, Any]) -> list[str]:
    """The names of the slices that the page's viewer shows: of every dataset with panels."""
    return [f"slices_{dataset}" for dataset in with_panels(config)]


def _shown(config: Mapping[str, Any]) -> list[Cell]:
    """The cells of methods with ``panel``; all of a dataset that none of these methods ran on."""
    every = cells(config)
    wanted = {name for name, line in config["methods"].items() if line.get("panel", True)}
    covered = {cell.dataset for cell in every if cell.method in wanted}
    return [c for c in every if c.method in wanted or (covered and c.dataset not in covered)]
