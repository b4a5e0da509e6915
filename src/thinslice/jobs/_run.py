"""The run behind an evidence, from the records that it rests on, for the head of the page.

Nothing is computed anew: settings, seeds, seconds and commits are those that the jobs recorded. A
record that is no longer there, or is not whole, is left out: the page says less, and the audit says
what is broken.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from thinslice.analyses import _evidence
from thinslice.columns import SCORED_BY
from thinslice.interfaces import Evidence
from thinslice.provenance.records import BrokenLinkError, read_record
from thinslice.report.html.run import Named, Run, Training

CORE_W, GPU_W = 10.0, 400.0  # assumed of a busy core and a busy GPU; stated on the page
KINDS = {
    "dataset": "data set",
    "degradation": "degradation",
    "method": "method",
    "protocols": "protocol",
}
Records = Mapping[Path, Mapping[str, Any]]


def run_behind(evidence: Path, rows: Evidence) -> Run:
    """What the records behind the evidence in a folder say of its run."""
    first = _evidence.record_of(evidence)
    records = chain(first)
    commits = {record["git"]["commit"]: None for record in records.values()}
    times = sorted(_times(record) for record in records.values())
    return Run(
        datasets=_patients(rows),
        simulated=_simulated(rows),
        started=times[0][0] if times else "",
        ended=max((end for _, end in times), default=""),
        commits=[commit for commit in commits if commit],
        dirty=any(record["git"]["dirty"] for record in records.values()),
        seeds=_seeds(records.values()),
        jobs=len(records),
        wall_s=sum(record["wall_s"] for record in records.values()),
        energy_kwh=sum(energy_kwh(record) for record in records.values()),
        machines=list(dict.fromkeys(_machine(record) for record in records.values())),
        packages=records[first]["packages"] if first in records else {},
        named=_named(records.values()),
        trainings=[_training(path, each) for path, each in _by_rule(records, "train")],
        records={
            each["id"]: _behind_a_row(path, each, records)
            for rule in SCORED_BY
            for path, each in _by_rule(records, rule)
        },
        evidence=records[first]["id"] if first in records else "",
    )


def chain(first: Path) -> dict[Path, Mapping[str, Any]]:
    """Every record that a record rests on, itself first, by path; missing ones are left out."""
    reached: dict[Path, Mapping[str, Any]] = {}
    todo = [first]
    while todo:
        path = todo.pop()
        if path in reached:
            continue
        try:
            reached[path] = read_record(path)
        except BrokenLinkError:
            continue
        links = reached[path]["inputs"].values()
        todo += [Path(link["record"]) for link in links if link["record"]]
    return reached


def energy_kwh(record: Mapping[str, Any]) -> float:
    """Estimate the energy of a job from its seconds: threads, and GPUs where it used any."""
    device = str(record["facts"].get("device", "cpu"))
    gpus = record["facts"].get("processes", 1) if device.startswith("cuda") else 0
    watts = CORE_W * _flag(record, "--threads") + GPU_W * gpus
    return watts * record["wall_s"] / 3.6e6


def _flag(record: Mapping[str, Any], name: str) -> int:
    command = list(record["command"])
    return int(command[command.index(name) + 1]) if name in command else 1


def _by_rule(records: Records, rule: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    chosen = ((path, record) for path, record in records.items() if record["rule"] == rule)
    return iter(sorted(chosen, key=lambda each: str(each[0])))


def _times(record: Mapping[str, Any]) -> tuple[str, str]:
    """When a job began and ended, ISO 8601."""
    end = datetime.fromisoformat(record["started"]) + timedelta(seconds=record["wall_s"])
    return record["started"], end.isoformat(timespec="seconds")


def _patients(rows: Evidence) -> dict[str, int]:
    """Test patients of each data set."""
    if rows.scores.empty:
        return {}
    names = zip(rows.scores["dataset"], rows.scores["patient"])
    return dict(Counter(dataset for dataset, _ in dict.fromkeys(names)))


def _simulated(rows: Evidence) -> list[str]:
    if rows.scores.empty:
        return []
    return sorted({d for d, sim in zip(rows.scores["dataset"], rows.scores["sim"]) if sim})


def _machine(record: Mapping[str, Any]) -> str:
    machine = record["machine"]
    gpus = machine.get("gpus")
    names = gpus if isinstance(gpus, str) else ", ".join(map(str, gpus or ()))
    return f"{machine['host']}, {machine['cores']} cores {machine['cpu']}" + (
        f", {names}" if names else ""
    )


def _cards(records: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and card of every line of the config that jobs were given."""
    for record in records:
        for key, card in record["cards"].items():
            if key in KINDS:
                yield from ((KINDS[key], c) for c in (card if isinstance(card, list) else [card]))


def _named(records: Any) -> list[Named]:
    lines = {
        (kind, card["name"]): Named(
            kind, card["name"], card.get("module", card["name"]), card.get("settings", {})
        )
        for kind, card in _cards(records)
    }
    order = list(KINDS.values())
    return sorted(lines.values(), key=lambda line: (order.index(line.kind), line.name))


def _seeds(records: Any) -> dict[str, int]:
    """Every seed in a config line, by the line's name."""
    return {line.name: line.settings["seed"] for line in _named(records) if "seed" in line.settings}


def _training(path: Path, record: Mapping[str, Any]) -> Training:
    facts = record["facts"]
    return Training(
        method=record["cards"]["method"]["name"],
        fitted_on=Path(record["outputs"]["weights"]["path"]).stem.replace("--", "/"),
        device=facts.get("device", ""),
        parameters=facts.get("parameters", float("nan")),
        wall_s=record["wall_s"],
        peak_memory_gib=facts.get("process_peak_memory_gib", record["peak_memory_gib"]),
        energy_kwh=energy_kwh(record),
        curve=_curve(path),
        waiting=facts.get("waiting", float("nan")),
    )


def _curve(record: Path) -> Sequence[Mapping[str, float]]:
    """Steps, loss and validation loss of a training; none where its file is gone."""
    try:
        table = _evidence.read_output(record, "curve")
    except (OSError, BrokenLinkError):
        return []
    wanted = [name for name in ("step", "loss", "val") if name in table]
    return [dict(zip(wanted, values)) for values in table[wanted].to_numpy().tolist()]


def _behind_a_row(path: Path, score: Mapping[str, Any], records: Records) -> dict[str, Any]:
    """What stands beside a number of a score record: method, settings, seed, files."""
    restored = score["inputs"].get("restored", {}).get("record")
    restore = records.get(Path(restored)) if restored else None
    weights = restore["inputs"].get("weights", {}).get("record") if restore else None
    train = records.get(Path(weights)) if weights else None
    method = restore["cards"].get("method", {}) if restore else {}
    return {
        "record": str(path),
        "method": method.get("name", score["cards"].get("cell", {}).get("method", "")),
        "module": method.get("module", method.get("name", "")),
        "settings": method.get("settings", {}),
        "seed": train["seed"] if train else (restore or {}).get("seed"),
        "degradation": score["cards"].get("degradation", {}),
        "restored": restored,
        "weights": weights,
        "made": score["started"],
        "commit": score["git"]["commit"],
        "host": score["machine"]["host"],
    }
