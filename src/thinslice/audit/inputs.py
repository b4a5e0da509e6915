"""Compare what a record's job was given besides cards of plug-ins with the present config.

Which results were gathered or shown, and the columns and labels that the config gives a result.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from thinslice.audit.cards import differences
from thinslice.provenance.records import SUFFIX
from thinslice.workflow import cards, cells, panels, targets
from thinslice.workflow.cells import SEPARATOR, Cell, Source

SIM = "--sim="
FITTED = ("train", "restore", "restore_shard")


def changed_inputs(
    content: Mapping[str, Any], record: Path, config: Mapping[str, Any]
) -> Iterator[str]:
    """In words, what the config gives the job of a record otherwise than it was."""
    if content["rule"] in RULES:
        yield from RULES[content["rule"]](content, record, config)


def fitted_on(content: Mapping[str, Any], record: Path) -> str | None:
    """The dataset that the method of a training or restoring job is fitted on, if it is on any."""
    if content["rule"] not in FITTED:
        return None
    label = record.parent.name if content["rule"] == "restore_shard" else _name(record)
    return Source.parse(label).dataset if SEPARATOR in label else None


def _restore(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Whether the method restores with what another job learned than it was."""
    folder = record.parent.parent if content["rule"] == "restore_shard" else record.parent
    label = record.parent.name if content["rule"] == "restore_shard" else _name(record)
    method = content["cards"]["method"]["name"]
    if method not in config["methods"]:
        return
    source = Source.parse(label) if SEPARATOR in label else None
    dataset, degradation = folder.parts[-3:-1]
    now = cells.learned_record(Cell(dataset, degradation, method, source), config)
    links = (content["inputs"].get(name) for name in ("weights", "learned"))
    then = next((link["record"] for link in links if link), None)
    yield from differences(f"methods.{method}, what it restores with", then, now)


def _gather(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    tested = (record.parent.name, _name(record))
    yield from _gathered(content, targets.score_records(config).get(tested, []))


def _evidence(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    gathered = (targets.gathered_records, targets.pairs_records, targets.scan_records)
    yield from _gathered(content, [record for of in gathered for record in of(config)])
    flags = content["command"]
    if "--skipped" in flags:
        then = json.loads(flags[flags.index("--skipped") + 1])
        if then != [list(pair) for pair in cells.skipped(config)]:
            yield "config: other cells are skipped, or for other reasons"


def _page(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    tables = [f"results/tables/{name}{SUFFIX}" for name in config["analyses"]]
    shown = [*config["figures"], *panels.pictures(config), *panels.slices(config)]
    figures = [f"results/figures/{name}{SUFFIX}" for name in shown]
    yield from _gathered(content, ["evidence", *tables, *figures])


def _gathered(content: Mapping[str, Any], expected: Iterable[str]) -> Iterator[str]:
    for path in sorted(set(expected) - set(content["inputs"])):
        yield f"config: {path} is to be gathered now"
    for path in sorted(set(content["inputs"]) - set(expected)):
        yield f"config: {path} is no longer to be gathered"


def _score(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    then = content["cards"].get("cell")
    if then is None or then["dataset"] not in config["datasets"]:
        return
    source = Source(*then["fitted_on"].split("/")) if then["fitted_on"] else None
    cell = Cell(then["dataset"], then["degradation"], then["method"], source)
    yield from differences(str(cell), then, json.loads(cards.cell_card(config, cell)))


def _pairs(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    dataset = config["datasets"].get(_name(record))
    if dataset is not None:
        sim = cells.SIM if dataset.get("simulated", False) else ""
        yield from _label(content, _name(record), sim)


def _panels(content: Mapping[str, Any], record: Path, config: Mapping[str, Any]) -> Iterator[str]:
    picture, _, dataset = _name(record).partition("_")
    if _name(record) not in [*panels.pictures(config), *panels.slices(config)]:
        return
    now = panels.panels(config, dataset)
    card = json.loads(cards.picture_card(config, picture))
    yield from differences(picture, content["cards"]["picture"], card)
    yield from _label(content, _name(record), now.sim)
    paths = {f"restored/{cell.method}": f"results/restored/{cell.path}.zarr" for cell in now.cells}
    paths["thick"] = f"results/thick/{now.path_of_thick}.zarr"
    if now.truth:
        paths["thin"] = f"results/thin/{dataset}.zarr"
    then = {name: link["path"] for name, link in content["inputs"].items()}
    yield from differences(f"{picture}_{dataset}", then, paths)


def _label(content: Mapping[str, Any], name: str, now: str) -> Iterator[str]:
    """Whether a result is labelled "sim" otherwise than it was."""
    for flag in content["command"]:
        if flag.startswith(SIM):
            yield from differences(f"{name}.sim", flag.removeprefix(SIM), now)


def _name(record: Path) -> str:
    return record.name.removesuffix(SUFFIX)


RULES = {
    "restore": _restore,
    "restore_shard": _restore,
    "gather": _gather,
    "evidence": _evidence,
    "page": _page,
    "score": _score,
    "segment": _score,
    "pairs": _pairs,
    "panels": _panels,
    "slices": _panels,
}
