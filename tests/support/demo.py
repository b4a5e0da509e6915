"""The demo's main numbers as one run of it gave them: what README and tutorial are checked against.

``PYTHONPATH=tests:src python -m support.demo results`` writes them anew from a finished demo.
"""

import sys
from pathlib import Path

import pandas as pd

from support.paths import TESTS
from thinslice.analyses._evidence import read_table

FOLDER = TESTS / "fixtures/demo"
MOVED_HU = 1.1  # rows of trained methods, on another CPU
CELL = ["method", "fitted_on", "protocol", "metric", "phase_mm"]
PLACE = {"benchmark": ["dataset", "degradation"], "domain_gap": ["tested_on"]}


def rows(name: str) -> pd.DataFrame:
    """RMSE by protocol v1, whole and by distance; ``row`` is the data row of the demo's table."""
    return read_table(FOLDER / f"{name}.csv")


def of_results(name: str, results: Path) -> pd.DataFrame:
    """The same of a finished demo."""
    table = read_table(results / f"tables/{name}.csv")
    table.insert(0, "row", range(1, len(table) + 1))
    main = (table["protocol"] == "v1") & (table["metric"] == "rmse_hu")
    plain = (table["view"] == "") & (table["range"] == "")
    return table[main & plain].drop(columns="records").reset_index(drop=True)


def differences(results: Path) -> list[str]:
    """Where a finished demo does not print what the docs say: interpolation to the digit, trained
    methods to what another CPU moves."""
    found = []
    for name, place in PLACE.items():
        keys = [*place, *CELL]
        then = rows(name).set_index(keys)["mean"]
        now = of_results(name, results).set_index(keys)["mean"]
        if set(then.index) != set(now.index):
            found.append(f"{name}: other rows: {set(then.index) ^ set(now.index)}")
            continue
        for key, mean in then.items():
            trained = bool(dict(zip(keys, key))["fitted_on"])
            near = abs(now[key] - mean) <= MOVED_HU
            if not (near if trained else f"{now[key]:.1f}" == f"{mean:.1f}"):
                found.append(f"{name}: {key} is {now[key]}, was {mean}")
    return found


def main(results: str) -> None:
    """Write the numbers anew."""
    FOLDER.mkdir(exist_ok=True)
    for name in PLACE:
        of_results(name, Path(results)).to_csv(FOLDER / f"{name}.csv", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
