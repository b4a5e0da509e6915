"""Cards: the JSON by which a rule tells its job what to compute, made from config entries.

A card is a rule's param, so whatever is in it reruns the job when it changes, and what is left out
(memory, threads, where a method is shown) reruns nothing. Standard library only.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from thinslice import plugins
from thinslice.provenance.code_digest import code_digest
from thinslice.workflow import plugin_source
from thinslice.workflow.cells import ACQUIRED, Cell, Source, label
from thinslice.workflow.setting_ranges import RANGE

# Settings of restoring alone, of any method: a training is not told them.
NEVER_LEARNED = ("restore_precision", "engine")
# The rest of an entry is scheduling.
CARD_KEYS = ("name", "module", "kind", "table", "fit", "weights", "settings")


def card(config: Mapping[str, Any], kind: str, name: str) -> str:
    """One config entry, and the digest of its module and all that it imports.

    kind   a catalogue of the config: datasets, degradations, methods, ..., figures
    """
    return _card(kind, {"name": name, **config[kind][name]})


def method_card(config: Mapping[str, Any], name: str, fitted_on: str | None) -> str:
    """Card of a method; its network sees values through the window of the data it is fitted on.

    fitted_on   a dataset; None for a method that is fitted on none
    """
    return _card("methods", {"name": name, **method_entry(config, name, fitted_on)})


def training_card(config: Mapping[str, Any], name: str, fitted_on: str) -> str:
    """Card of a method that is trained, without ``NEVER_LEARNED``: what it learns is the same."""
    entry = dict(method_entry(config, name, fitted_on))
    if given := entry.get("settings"):
        learned = {key: value for key, value in given.items() if key not in NEVER_LEARNED}
        entry = {**entry, "settings": learned}
        if not learned:
            del entry["settings"]
    return _card("methods", {"name": name, **entry})


def method_entry(config: Mapping[str, Any], name: str, fitted_on: str | None) -> Mapping[str, Any]:
    """A method's config entry with that dataset's window among its settings.

    Not where its own settings name a window, or where it takes none.
    """
    entry = config["methods"][name]
    window = config["datasets"].get(fitted_on, {}).get("window_hu")
    settings = entry.get("settings", {})
    if window is None or RANGE in settings or entry["fit"] != "population":
        return entry
    known = plugin_source.settings(plugins.module_name("methods", {"name": name, **entry}))
    if known is None or RANGE not in known:
        return entry
    return {**entry, "settings": {**settings, RANGE: window}}


def _card(kind: str, entry: Mapping[str, Any]) -> str:
    content = {key: entry[key] for key in CARD_KEYS if key in entry}
    content["code"] = _code(plugins.module_name(kind, entry))
    return json.dumps(content, sort_keys=True)


@cache
def _code(module: str) -> str:
    """Digest of a plug-in's code, as a plan first sees it: hundreds of cards share a module."""
    return code_digest(module)


def degradation_card(config: Mapping[str, Any], name: str) -> str:
    """Card of a degradation; of the acquired series, which has no module, its name alone."""
    if name == ACQUIRED:
        return json.dumps({"name": ACQUIRED})
    return card(config, "degradations", name)


def protocol_cards(config: Mapping[str, Any]) -> str:
    """A list of the cards of all protocols."""
    return "[" + ", ".join(card(config, "protocols", name) for name in config["protocols"]) + "]"


def cell_card(config: Mapping[str, Any], cell: Cell) -> str:
    """The columns of a score row that name its cell."""
    source: Source | None = cell.source
    content = {
        "dataset": cell.dataset,
        "degradation": cell.degradation,
        "method": cell.method,
        "fitted_on": f"{source.dataset}/{source.degradation}" if source else "",
        "sim": label(cell, config),
    }
    return json.dumps(content)


def segmenter_card(config: Mapping[str, Any]) -> str:
    """What a segmenter is fitted by; its code is that of the job's script, which imports it."""
    return _segmentation(config, "settings")


def segmentation_card(config: Mapping[str, Any]) -> str:
    """What the maps of a segmenter are scored by."""
    return _segmentation(config, "tolerance_mm")


def _segmentation(config: Mapping[str, Any], key: str) -> str:
    section = config.get("segmentation") or {}
    return json.dumps({"name": "segmentation", **({key: section[key]} if key in section else {})})


def picture_card(config: Mapping[str, Any], kind: str) -> str:
    """Card of a picture of volumes: its kind, and of patches and planes where they lie."""
    settings = {
        "patches": lambda: {"boxes": config["patches"]},
        "relevance": lambda: config["relevance"],
    }.get(kind, dict)()
    return json.dumps({"kind": kind, "settings": settings}, sort_keys=True)
