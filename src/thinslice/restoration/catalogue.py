"""Catalogue of methods and presets, as ``thinslice methods`` lists them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from thinslice import plugins
from thinslice.interfaces import About
from thinslice.restoration import methods
from thinslice.restoration.methods import DEFAULT, PACKAGED, Fit

LICENCES: dict[Fit, str] = {
    "none": "Apache-2.0",
    "volume": "Apache-2.0; what it learns stays with the scan",
    "population": "Apache-2.0; weights are bound by the licence of the scans they were fitted on",
}


class Entry(NamedTuple):
    """One method by its name on the command line."""

    name: str
    title: str
    fit: Fit  # none, volume: learns from the scan itself, population: needs weights
    packaged: bool  # its weights come with the package
    fidelity: str
    paper: str
    grids: str  # which slices it can restore
    parameters: int  # learned parameters; before a fit those of its usual network
    licence: str  # of the code, and of what is learned
    default: bool
    idea: str


def entries() -> Iterator[Entry]:
    """All entries, by name; imports the module of every method, and torch with it."""
    for _, card in sorted(methods.known().items()):
        yield _entry(card)


def _entry(card: Mapping[str, Any]) -> Entry:
    built = plugins.build("methods", card)
    about = built.about
    fit = methods.fit_of(built)
    return Entry(
        card["name"],
        about.title,
        fit,
        card["name"] == PACKAGED.stem,
        about.fidelity_of(card.get("settings", {})),
        about.paper,
        _grids(about),
        built.parameters(),
        LICENCES[fit],
        card["name"] == DEFAULT,
        about.idea,
    )


def _grids(about: About) -> str:
    slices = "increments as fitted" if about.fixed_factor else "any slices"
    return f"{slices}, finer pixels" if about.in_plane else slices
