"""Compare a disturbed run with an undisturbed one: numbers, weights, leftover files."""

from pathlib import Path

import pandas as pd

from support.checkout import Checkout

OF_THE_RUN = [
    "wall_s",
    "peak_memory_gib",
    "gpu_memory_gib",
    "train_s",
    "activations",
    "activations_room_mib",
    "speed",
    "waiting",
    "record",
    "records",
]  # times and ids


def assert_same(checkout: Checkout, peaceful: Checkout) -> None:
    """Assert equal tables and scores, except times and ids, and the same bits of weights."""
    assert numbers(checkout) == numbers(peaceful)
    assert weights(checkout) == weights(peaceful)
    assert checkout.planned() == set()
    results = checkout.folder / "results"
    assert not [str(path) for path in results.rglob("*.partial*")]
    audited = checkout.thinslice("audit", "results/tables/benchmark.csv")
    assert audited.returncode == 0, audited.stdout + audited.stderr


def numbers(checkout: Checkout) -> dict[str, str]:
    """Every table, and the evidence behind them, without times and ids."""
    results = checkout.folder / "results"
    tables = [*results.glob("tables/*.csv"), *results.glob("evidence/*.csv")]
    tables += results.glob("weights/*/*.csv")
    assert tables
    return {str(path.relative_to(results)): _without(path) for path in sorted(tables)}


def weights(checkout: Checkout) -> dict[str, bytes]:
    """The bytes of every file of weights."""
    files = (checkout.folder / "results/weights").rglob("*.pt")
    return {path.name: path.read_bytes() for path in files}


def _without(path: Path) -> str:
    """A CSV without the columns of a run, every number as spelt."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.drop(columns=OF_THE_RUN, errors="ignore").to_csv(index=False)


def scores(checkout: Checkout) -> list[str]:
    """Every score, without the ids of the records it came from."""
    lines = (checkout.folder / "results/evidence/scores.csv").read_text().splitlines()
    return [line.rsplit(",", 1)[0] for line in lines]
