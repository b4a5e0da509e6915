"""Whether a disturbed run ended like one left in peace: numbers, weights, and nothing left over."""

from pathlib import Path

import pandas as pd

from support.checkout import Checkout

OF_THE_RUN = ["wall_s", "peak_memory_gib", "speed", "record", "records"]  # times and ids


def assert_same(checkout: Checkout, peaceful: Checkout) -> None:
    """Tables and scores to the last byte but for times and ids, weights to the last bit."""
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
    found = [*results.glob("tables/*.csv"), *results.glob("evidence/*.csv")]
    found += results.glob("weights/*/*.csv")
    assert found
    return {str(path.relative_to(results)): _without(path) for path in sorted(found)}


def weights(checkout: Checkout) -> dict[str, bytes]:
    """The bytes of every file of weights."""
    found = (checkout.folder / "results/weights").rglob("*.pt")
    return {path.name: path.read_bytes() for path in found}


def _without(path: Path) -> str:
    """A CSV's other columns, every number as it is spelt."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.drop(columns=OF_THE_RUN, errors="ignore").to_csv(index=False)


def scores(checkout: Checkout) -> list[str]:
    """Every score, without the ids of the records it came from."""
    lines = (checkout.folder / "results/evidence/scores.csv").read_text().splitlines()
    return [line.rsplit(",", 1)[0] for line in lines]
