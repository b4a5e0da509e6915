"""Random one-byte edits of a results folder, in batches that one audit can name all of.

A changed record ends the walk where it is, and a changed manifest hides its store: a batch holds
either records of one rule, of which none rests on another, each once of the two that a job with two
stores leaves; or files that are no records, at most one of each store.
"""

import contextlib
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

from thinslice.cli import main
from thinslice.provenance.records import SUFFIX

PAGE = "results/report.html"  # all results lead to it
NO_RESULTS = ("logs", "benchmarks", "work")  # what jobs said and measured, and checkpoints
NO_CONTENT = (".lock", ".snakemake_timestamp")


def files(results: Path) -> list[Path]:
    """Every file that an audit of the page answers for."""
    found = (path for path in results.rglob("*") if path.is_file())
    return sorted(
        path
        for path in found
        if path.relative_to(results).parts[0] not in NO_RESULTS
        and not path.name.endswith(NO_CONTENT)
    )


def batches(results: Path, edits: int, seed: int) -> Iterator[list[Path]]:
    """Files to edit, until there were so many edits; every kind of file in turn."""
    chance = random.Random(seed)
    kinds: dict[str, dict[str, list[Path]]] = {}
    for path in files(results):
        if path.name.endswith(SUFFIX):
            content = json.loads(path.read_text())
            rule, group = content["rule"], content["id"]
        else:
            stores = [str(folder) for folder in path.parents if folder.suffix == ".zarr"]
            rule, group = "", [*stores, str(path)][0]
        kinds.setdefault(rule, {}).setdefault(group, []).append(path)
    names = sorted(kinds)
    while edits > 0:
        for rule in names:
            batch = [chance.choice(group) for group in kinds[rule].values()][:edits]
            edits -= len(batch)
            if batch:
                yield batch


def edited(content: bytes, chance: random.Random) -> bytes:
    """One byte changed, taken out or put in, anywhere."""
    k = chance.randrange(len(content)) if content else 0
    other = bytes([chance.randrange(256)])
    ways = [content[:k] + other + content[k:]]
    if content:
        flipped = bytes([content[k] ^ chance.randrange(1, 256)])
        ways += [content[:k] + flipped + content[k + 1 :], content[:k] + content[k + 1 :]]
    return chance.choice(ways)


def unnamed(results: Path, edits: int, seed: int) -> list[str]:
    """Edits that an audit of the page does not name, and audits that do not fail; none is due.

    The current folder holds ``results``, which is as it was afterwards.
    """
    chance, missed = random.Random(seed + 1), []
    for batch in batches(results, edits, seed):
        before = {path: path.read_bytes() for path in batch}
        for path, content in before.items():
            path.write_bytes(edited(content, chance))
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            status = main(["audit", PAGE])
        for path, content in before.items():
            path.write_bytes(content)
        broken = [line for line in printed.getvalue().splitlines() if line.startswith("BROKEN")]
        missed += [str(path) for path in batch if not any(str(path) in line for line in broken)]
        missed += [] if status == 1 else [f"{batch}: exit status {status}"]
    return missed
