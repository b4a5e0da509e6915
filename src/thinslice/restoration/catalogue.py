"""Catalogue of methods and presets, as ``thinslice methods`` lists them.

What a method says of itself is known once it is built, and building imports torch: 3 s. So the
package holds what its own methods say, in ``catalogue.json``, and only methods that are not in it
(a reader's own) are built. A test holds the file to the methods;
``python -m thinslice.restoration.catalogue`` writes it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thinslice import plugins
from thinslice.interfaces import About
from thinslice.restoration import methods
from thinslice.restoration.methods import DEFAULT, PACKAGED, Fit

LISTED = Path(__file__).with_name("catalogue.json")
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
    second: bool  # needs a second contrast of the patient
    precision: bool  # takes --precision
    engine: bool  # takes --engine


def entries() -> Iterator[Entry]:
    """All entries, by name; those that are not in the package's catalogue are built."""
    listed = json.loads(LISTED.read_text(encoding="utf-8")) if LISTED.is_file() else {}
    for name, card in sorted(methods.known().items()):
        entry = listed.get(name)
        yield Entry(**entry) if entry else built(card)


def built(card: Mapping[str, Any]) -> Entry:
    """The entry of a method, by building it; imports its module, and torch with it."""
    method = plugins.build("methods", card)
    about = method.about
    fit = methods.fit_of(method)
    return Entry(
        card["name"],
        about.title,
        fit,
        card["name"] == PACKAGED.stem,
        about.fidelity_of(card.get("settings", {})),
        about.paper,
        _grids(about),
        method.parameters(),
        LICENCES[fit],
        card["name"] == DEFAULT,
        about.idea,
        about.second,
        hasattr(method, "precision_on") and _takes_engine(method) is not False,
        bool(_takes_engine(method)),
    )


def taking(options: Collection[str]) -> list[str]:
    """Names of the methods that take all of these: ``precision``, ``engine``."""
    return [entry.name for entry in entries() if all(getattr(entry, name) for name in options)]


def _takes_engine(method: Any) -> bool | None:
    """Whether another engine runs its network; None: it has no choice, and rounds by torch."""
    return method.takes_engine() if hasattr(method, "takes_engine") else None


def _grids(about: About) -> str:
    slices = "increments as fitted" if about.fixed_factor else "any slices"
    return f"{slices}, finer pixels" if about.in_plane else slices


def write(path: Path = LISTED) -> None:
    """Write what all methods say of themselves, as the package holds it."""
    content = {name: built(card)._asdict() for name, card in sorted(methods.known().items())}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
