"""What a result is, when and where it was made, and from which data: three lines for a person.

All of it stands in the records; how the cases are split stands in the stores of thin scans.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thinslice import store
from thinslice.provenance.records import BrokenLinkError, read_record

SHOWN = ("thinslice", "python", "torch", "numpy")  # of the packages; the others by --verbose
NO_COMMIT = "no commit (not from a checkout)"


class Summary(NamedTuple):
    """Three sentences, and the facts behind them as JSON."""

    what: str
    made: str
    data: str
    facts: dict[str, Any]

    def lines(self) -> list[str]:
        """As they are printed."""
        return [self.what, f"made {self.made}", f"data {self.data}"]


def of_records(what: str, contents: Iterable[Mapping[str, Any]], n: str = "") -> Summary:
    """Sum up the records behind a result, its own first.

    n    patients that a number is over, as its table says; "" where there is no number
    """
    records = list(contents)
    facts = {
        "what": what,
        "started": sorted(record["started"] for record in records),
        "machines": _distinct(record["machine"] for record in records),
        "commits": _distinct(record["git"] for record in records),
        "seeds": _seeds(records),
        "packages": records[0]["packages"],
        "data": {name: each for record in records for name, each in _data(record).items()},
        "n": n,
    }
    facts["started"] = [facts["started"][0], facts["started"][-1]]
    return Summary(what, made(facts), _data_words(facts), facts)


def versions_words(packages: Mapping[str, str]) -> str:
    """The versions that matter most, in one line."""
    return ", ".join(f"{name} {packages[name]}" for name in SHOWN if name in packages)


def made(facts: Mapping[str, Any]) -> str:
    """When, where, from which commits and with which seeds: one line of the facts of records."""
    first, last = (time.replace("T", " ")[:16] for time in facts["started"])
    when = first if first == last else f"{first} to {last}"
    machines = "; ".join(_machine(each) for each in facts["machines"])
    commits = ", ".join(_commit(each) for each in facts["commits"])
    seeds = ", ".join(f"{seed} ({name})" for name, seed in facts["seeds"].items())
    versions = versions_words(facts["packages"])
    return f"{when} UTC on {machines}; {commits}; seed {seeds or 'none'}; {versions}"


def _machine(machine: Mapping[str, Any]) -> str:
    gpus = f", GPU {machine['gpus']}" if machine.get("gpus") else ""
    return f"{machine['host']} ({machine['cpu']}, {machine['cores']} cores{gpus})"


def _commit(git: Mapping[str, Any]) -> str:
    if not git["commit"]:
        return NO_COMMIT
    state = {True: "with changes that were not committed", False: "clean", None: "state unknown"}
    return f"commit {git['commit'][:12]} ({state[git['dirty']]})"


def _seeds(records: list[Mapping[str, Any]]) -> dict[str, int]:
    """Seeds by the name of what they are of: a method, a data set, an analysis."""
    seeds: dict[str, int] = {}
    for record in records:
        for cards in record["cards"].values():
            for card in cards if isinstance(cards, list) else [cards]:
                seed = card.get("settings", {}).get("seed", record["seed"])
                if seed is not None:
                    seeds[card.get("name", record["rule"])] = seed
    return dict(sorted(seeds.items()))


def _data(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Of the job that converted a data set: how its cases are split, and its raw files."""
    if record["rule"] != "convert":
        return {}
    cases = _split(Path(record["outputs"]["thin"]["path"]))
    return {record["cards"]["dataset"]["name"]: {"cases": cases, **_raw(record)}}


def _raw(convert: Mapping[str, Any]) -> dict[str, Any]:
    """The hashes of the raw files behind a convert job, from the record of its fetch job."""
    try:
        fetch = read_record(Path(convert["inputs"]["raw"]["record"]))
    except (BrokenLinkError, KeyError):
        return {"raw_files": None, "raw_sha256": None}
    hashes = sorted(link["sha256"] for link in fetch["inputs"].values())
    joined = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    sha256 = hashes[0] if len(hashes) == 1 else joined
    return {"raw_files": len(hashes), "raw_sha256": sha256 if hashes else None}


def _split(thin: Path) -> dict[str, int]:
    """Cases by split, as the store of thin scans lists them; empty where it cannot be read."""
    try:
        listing = store.open_store(thin).listing
    except (store.StoreError, OSError, ValueError, KeyError):
        return {}
    splits = [row["split"] for row in listing.values()]
    return {split: splits.count(split) for split in ("train", "val", "test") if split in splits}


def _data_words(facts: Mapping[str, Any]) -> str:
    over = [f"n = {facts['n']}"] if facts["n"] else []
    return "; ".join([*over, *(_set(name, each) for name, each in facts["data"].items())]) or "none"


def _set(name: str, data: Mapping[str, Any]) -> str:
    cases = ", ".join(f"{count} {split}" for split, count in data["cases"].items())
    count, sha256 = data["raw_files"], data["raw_sha256"]
    if count is None:
        raw = "raw files unknown"
    elif not count:
        raw = "made by rule, no raw files"
    else:
        raw = f"{count} raw file{'s' if count > 1 else ''}, sha256 {sha256[:16]}"
        raw += " of all their hashes" if count > 1 else ""
    return f"{name} ({cases or 'cases unknown'}; {raw})"


def _distinct(values: Iterable[Any]) -> list[Any]:
    listed = list(values)
    return [value for k, value in enumerate(listed) if value not in listed[:k]]
