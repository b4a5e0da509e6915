"""Checks of a config: each refuses what no job could do. Standard library only."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from thinslice import plugins
from thinslice.workflow import plugin_source
from thinslice.workflow.cards import NEVER_LEARNED
from thinslice.workflow.cells import ACQUIRED, cells, degradations_of, given_files, skipped

RESTORING = "RESTORING"  # of a module: settings that no training depends on
CLEANING = {"clean_restored", "clean_work"}  # targets that free disk space


def check_names(config: Mapping[str, Any]) -> None:
    """Refuse names in the grid or the figures that are not in their catalogue; ValueError."""
    for kind, name in _references(config):
        if name not in config[kind]:
            near = get_close_matches(name, config[kind], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"config: {name!r} is not among the {kind}{hint}")


def _references(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every (kind, name) that the config refers to but segmentation's: ``check_segmentation``."""
    grid = config["grid"]
    trained_on = grid.get("trained_on", "same")
    methods = [config["methods"][name] for name in grid["methods"] if name in config["methods"]]
    names = {
        "datasets": [
            *grid["datasets"],
            *([] if trained_on == "same" else trained_on),
        ],
        "degradations": [
            *(d for dataset in grid["datasets"] for d in degradations_of(dataset, config)),
            *(d for method in methods for d in method.get("degradations", [])),
        ],
        "methods": grid["methods"],
        "analyses": [figure["table"] for figure in config["figures"].values()],
    }
    return [(kind, name) for kind, listed in names.items() for name in listed]


def check_modules(config: Mapping[str, Any]) -> None:
    """Refuse a config entry whose plug-in is no module of its kind; ValueError."""
    for kind in plugins.KINDS:
        for name, entry in config[kind].items():
            if name == ACQUIRED:  # read by convert, made by no plug-in
                continue
            try:
                plugins.module_name(kind, {"name": name, **entry})
            except LookupError as error:
                raise ValueError(f"config: {name}: {error}") from None


def check_weights_of(config: Mapping[str, Any]) -> None:
    """Refuse a method that restores with what another learns but would learn otherwise; ValueError.

    Only settings that their module names in ``RESTORING`` may differ.
    """
    for name, method in config["methods"].items():
        if "weights_of" in method and (reason := _unlike(name, method, config["methods"])):
            raise ValueError(
                f"config: methods {name} has weights_of: {method['weights_of']}, but {reason}; "
                "leave weights_of out, and it learns by itself"
            )


def _unlike(name: str, method: Mapping[str, Any], methods: Mapping[str, Any]) -> str | None:
    """Reason why a method cannot restore with what another learns, if any."""
    other = methods.get(method["weights_of"])
    if other is None or method["weights_of"] == name:
        near = get_close_matches(method["weights_of"], [n for n in methods if n != name], n=1)
        return "no other method is called so" + (f"; did you mean {near[0]!r}?" if near else "")
    if "weights_of" in other:
        return f"that restores with what {other['weights_of']} learns: name this one"
    if "weights" in other:
        return "that restores with weights of others: name them here too"
    modules = [
        plugins.module_name("methods", card)
        for card in ({"name": name, **method}, {"name": method["weights_of"], **other})
    ]
    if modules[0] != modules[1] or method["fit"] != other["fit"] or method["fit"] == "none":
        return "they are not methods of one module that learn alike"
    here, there = (entry.get("settings", {}) for entry in (method, other))
    free = plugin_source.constant(modules[0], RESTORING) or ()
    assert isinstance(free, tuple)
    free += NEVER_LEARNED
    differing = [key for key in {**there, **here} if here.get(key) != there.get(key)]
    learned = ", ".join(key for key in differing if key not in free)
    return f"what they learn differs, by {learned}" if learned else None


def check_given(config: Mapping[str, Any]) -> None:
    """Refuse weights of others that are not there, or that no job would use; ValueError."""
    for name, method in config["methods"].items():
        for path in given_files(method).values():
            if not path.is_file():
                raise ValueError(
                    f"config: methods {name}: weights: found no file {path}; expected the authors' "
                    "weights; correct the name, or leave weights out, and it is trained"
                )
        if given_files(method) and (method["fit"] != "population" or "weights_of" in method):
            raise ValueError(
                f"config: methods {name}: weights: found with fit: {method['fit']}"
                f"{' and weights_of' * ('weights_of' in method)}; expected a method that is fitted "
                "beforehand, by itself; leave weights out"
            )


def check_runnable(config: Mapping[str, Any]) -> None:
    """Refuse a grid of which no cell can run, with every reason; ValueError."""
    if not cells(config):
        reasons = "; ".join(f"{where}: {reason}" for where, reason in skipped(config))
        raise ValueError(f"config: no cell of the grid can run ({reasons})")


def check_gpus(config: Mapping[str, Any], limit: int | None) -> None:
    """Refuse a method of the grid that cannot be trained on its ``gpus``; ValueError.

    limit   GPUs that jobs may use at a time (--resources gpu=N); None: no limit
    """
    for name in config["grid"]["methods"]:
        method = config["methods"][name]
        if reason := _gpus_problem(method, limit):
            raise ValueError(f"config: {name} has gpus: {method['gpus']}, but {reason}")


def _gpus_problem(method: Mapping[str, Any], limit: int | None) -> str | None:
    """Reason why a method cannot be trained on its ``gpus``, if any."""
    gpus, batch = method.get("gpus", 1), method.get("settings", {}).get("batch")
    if gpus > 1 and method["fit"] != "population":
        return "only a method fitted beforehand (fit: population) trains on several GPUs"
    if limit is not None and gpus > max(limit, 1):
        return f"the run may use {limit} at once: start it with --resources gpu={gpus}"
    if batch is not None and batch % gpus:
        return f"a batch of {batch} cannot be divided equally: set batch to a multiple of {gpus}"
    return None


def check_cleaning(targets: Collection[str]) -> None:
    """Refuse to remove volumes while other jobs of the same run may read them; ValueError."""
    if CLEANING & set(targets) and set(targets) - CLEANING:
        raise ValueError(f"{', '.join(sorted(CLEANING))} run alone: give no other target")
