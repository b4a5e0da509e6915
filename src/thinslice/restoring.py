"""Restore one scan: which method, on which grid, and how far to trust the answer.

    from thinslice import read, restore, write
    scan = read("CT_5mm"); result = restore(scan)
    write(result.volume, "CT_1mm.nii.gz", source=scan)

A method without weights is an interpolation or learns from the scan itself. Weights bring their own
method and settings, and say which scans they were fitted on.
"""

import hashlib
import time
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from thinslice import plugins, trust
from thinslice.formats.found import Found, refused
from thinslice.seams import Run
from thinslice.target import thin_grid
from thinslice.trust import Trust
from thinslice.volume import Grid, Volume

PRESETS = Path(__file__).with_name("presets.toml")
DEFAULT = "sr4zct_small"  # needs no weights, and models the scan's own thickness and overlap


class Chosen(NamedTuple):
    """A method, ready to restore, and what is known of it."""

    card: Mapping[str, Any]  # name, module, settings
    weights: Path | None
    weights_sha256: str | None
    fitted_on: Mapping[str, Any] | None  # None: it learned from no other scan


class Restored(NamedTuple):
    """A restored scan and what can be said of it."""

    volume: Volume
    chosen: Chosen
    trust: Trust
    fidelity: str
    device: str
    wall_s: float


def presets() -> dict[str, dict[str, Any]]:
    """The named settings that come with the package: name to card."""
    told = tomllib.loads(PRESETS.read_text(encoding="utf-8"))
    return {name: {"name": name, **card} for name, card in told.items()}


def choose(method: str | None = None, weights: Path | None = None) -> Chosen:
    """The method asked for; with weights their own, without either the default.

    Refused for a name nobody knows, for a method that needs weights and was given none, and for
    weights that are damaged or another method's.
    """
    if weights is not None:
        return _by_weights(method, weights)
    name = method or DEFAULT
    known = {**{n: {"name": n} for n in plugins.names("methods")}, **presets()}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`thinslice methods` lists them"
        raise refused(name, "no such method", ", ".join(sorted(known)), hint)
    if hasattr(plugins.build("methods", known[name]), "load"):
        raise refused(
            name,
            "a method that is fitted on other scans, and no weights",
            "--weights FILE, as the workflow writes them",
            f"give weights, or use {DEFAULT!r}, which learns from the scan itself",
        )
    return Chosen(known[name], None, None, None)


def restore(
    scan: Found | Volume,
    *,
    method: str | None = None,
    weights: Path | str | None = None,
    thickness_mm: float = 1.0,
    increment_mm: float = 1.0,
    run: Run | None = None,
) -> Restored:
    """A thick scan on thin slices over the same extent, with a report of how far to trust it.

    method     a name of ``thinslice methods``; None: the weights' own, else ``DEFAULT``
    run        device, threads, memory cap; its ``work`` keeps checkpoints between tries

    Refused (a ValueError) where the method, the weights or the grid asked for do not fit.
    """
    chosen = choose(method, Path(weights) if weights is not None else None)
    volume = scan.volume if isinstance(scan, Found) else scan
    kernel = scan.source.get("kernel") if isinstance(scan, Found) else None
    grid = thin_grid(volume.grid, thickness_mm, increment_mm)
    return _restored(volume, grid, chosen, kernel, run or Run())


def _restored(thick: Volume, grid: Grid, chosen: Chosen, kernel: str | None, run: Run) -> Restored:
    from thinslice.drivers import device  # torch: only once something is computed

    built = plugins.build("methods", chosen.card)
    if chosen.weights is not None:
        built.load(chosen.weights)
    about = plugins.module("methods", chosen.card).ABOUT
    with device.job(run) as placed:
        began = time.perf_counter()
        restored = built.restore(thick, grid, run=placed)
        wall_s = time.perf_counter() - began
    told = trust.report(restored, thick, fitted_on=chosen.fitted_on, kernel=kernel)
    fidelity = about.fidelity_of(chosen.card.get("settings", {}))
    return Restored(restored, chosen, told, fidelity, placed.device, wall_s)


def _by_weights(method: str | None, path: Path) -> Chosen:
    from thinslice.training import weights

    try:
        about = weights.head(path)["about"]
    except FileNotFoundError:
        raise refused(
            path, "no file", "weights as the workflow writes them", "correct it"
        ) from None
    except ValueError as error:
        raise refused(path, str(error), "weights of thinslice", "train again") from error
    card = about.get("card")
    if not isinstance(card, Mapping) or "name" not in card:
        raise refused(path, "weights that do not name their method", "a card", "train again")
    card = {key: card[key] for key in ("name", "module", "settings") if key in card}
    if method not in (None, card["name"], card.get("module", card["name"])):
        raise refused(path, f"weights of {card['name']!r}", repr(method), "leave out --method")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Chosen(card, path, sha256, about.get("fitted_on", {}))
