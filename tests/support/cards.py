"""Cards of all plug-ins, in a config or not, for the contract tests.

Every file is read once a process; who changes a config changes a copy of it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import yaml

from support.paths import ROOT
from thinslice import plugins
from thinslice.workflow.cells import ACQUIRED


@cache
def configs() -> dict[str, dict[str, Any]]:
    """Configs by file name: config.yaml, with each overlay, and with each overlay's rehearsal."""
    found = {"config.yaml": yaml.safe_load((ROOT / "config.yaml").read_text())}
    for path in sorted((ROOT / "experiments").glob("*.yaml")):
        found[path.name] = _under(found["config.yaml"], yaml.safe_load(path.read_text()))
    for path in sorted((ROOT / "experiments" / "smoke").glob("*.yaml")):
        overlay = _under(found[path.name], yaml.safe_load(path.read_text()))
        found[f"smoke-{path.name}"] = overlay
    return found


@cache
def named(kind: str) -> dict[str, dict[str, Any]]:
    """Every card of a kind in any config, by its name in tests."""
    found: dict[str, dict[str, Any]] = {}
    for file, config in configs().items():
        for name, entry in config[kind].items():
            card = {"name": name, **entry}
            if name != ACQUIRED and card not in found.values():
                found[f"{file}:{name}" if name in found else name] = card
    return found


def cards(kind: str) -> dict[str, dict[str, Any]]:
    """Every card in a config, and one without settings for every other module."""
    found = named(kind)
    used = {module_of(card) for card in found.values()}
    alone = {name: {"name": name} for name in plugins.names(kind) if name not in used}
    return {**found, **alone}


def one_of_each(
    found: Mapping[str, dict[str, Any]], key: Callable[[Mapping[str, Any]], Any]
) -> dict[str, dict[str, Any]]:
    """The first card of every ``key`` of a card."""
    first: dict[Any, str] = {}
    for name, card in found.items():
        first.setdefault(key(card), name)
    return {name: found[name] for name in first.values()}


def module_of(card: Mapping[str, Any]) -> str:
    return card.get("module", card.get("kind", card["name"]))


def with_settings(card: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """The card with these settings over its own."""
    return {**card, "settings": {**card.get("settings", {}), **settings}}


def _under(base: Any, overlay: Any) -> Any:
    """Merge an overlay into a config as Snakemake does: key by key, lists replaced."""
    if not (isinstance(base, Mapping) and isinstance(overlay, Mapping)):
        return overlay
    changed = {key: _under(base.get(key), value) for key, value in overlay.items()}
    return {**base, **changed}
