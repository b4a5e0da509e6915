"""Measure what every method that learns makes of a minute and of five: RMSE by CPU seconds.

    python benchmarks/efficiency_by_seconds.py --seconds 60 --out results/efficiency
    python benchmarks/efficiency_by_seconds.py --seconds 300 --methods plane_unet --out ...

Every method of ``small_methods.yaml`` is trained on the phantom of config.yaml as acquired, with
one thread, for as many steps as fill the CPU seconds (drawing of crops and validation included),
then restores the test patients: RMSE of protocol v1, mean over patients. Beside them: cubic
interpolation, and the best linear filter (``linear_filter.py``). One row per method and budget goes
to OUT.csv; those that are there are not made again. Then the table is printed, and drawn as OUT.png
and OUT.pdf. One seed each: differences of 2 HU are none.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml
from linear_filter import LinearFilter
from matplotlib.axes import Axes

from thinslice import plugins
from thinslice.interfaces import Case, Pair, Run, ScoringInput
from thinslice.operators.interpolation import resample_z
from thinslice.protocols._scored_region import scored_region
from thinslice.protocols.v1 import differences
from thinslice.report import style
from thinslice.volume import Grid, Volume

HERE = Path(__file__).resolve().parent
RUN = Run(device="cpu", threads=1, progress=False)
PROBE_S = 3.0  # CPU seconds after which the speed of training is known
COLUMNS = ("method", "fidelity", "weights", "budget_s", "steps", "train_s", "restore_s", "rmse_hu")
UNTRAINED = ("cubic", "linear filter")


class Scans(NamedTuple):
    """Cases of the phantom by split, each with its thick scan."""

    train: list[Case]
    val: list[Case]
    test: list[Case]


def phantom() -> Scans:
    """The data set of config.yaml, made anew in memory."""
    entry = yaml.safe_load((HERE.parent / "config.yaml").read_text())["datasets"]["phantom"]
    cases = list(plugins.build("datasets", {"name": "phantom", **entry}).cases(Path()))
    return Scans(*([c for c in cases if c.split == s] for s in Scans._fields))


def pairs(cases: Sequence[Case]) -> list[Pair]:
    """Cases as methods learn from them."""
    return [Pair(c.name, c.thick, c.thin) for c in cases if c.thick and c.thin]


def rmse_hu(restore: Callable[[Volume, Grid], Volume], cases: Sequence[Case]) -> float:
    """Mean over cases of protocol v1's RMSE, in HU."""
    found = []
    for _, thick, thin in pairs(cases):
        region = scored_region(ScoringInput(restore(thick, thin.grid), thin, thick))
        found += [s.value for s in differences(region) if s.metric == "rmse_hu"]
    return float(np.mean(found))


class Trial:
    """One method, trained for a number of steps."""

    def __init__(self, name: str, entry: dict[str, Any], scans: Scans):
        self.card = {"name": name, **entry}
        self.steps_are, self.scans = entry.get("steps", "steps"), scans
        self.each_scan = entry.get("each") == "scan"

    def build(self, steps: int):
        """The method, as long as that, validated ten times."""
        settings = {**self.card.get("settings", {}), self.steps_are: steps, "seed": 0}
        if not self.each_scan:
            settings["validate_every"] = max(1, steps // 10)
        return plugins.build("methods", {**self.card, "settings": settings})

    def fit(self, method) -> float:
        """CPU seconds that its training took; of one scan where it learns on each."""
        began = time.process_time()
        with tempfile.TemporaryDirectory() as work:
            if self.each_scan:
                thick, thin = self.scans.test[0].thick, self.scans.test[0].thin
                assert thick is not None
                assert thin is not None
                method.restore(thick, thin.grid, run=RUN)
            else:
                train, val = pairs(self.scans.train), pairs(self.scans.val)
                method.fit(train, val, work=Path(work), run=RUN)
        return time.process_time() - began

    def steps_in(self, seconds: float) -> int:
        """Steps that fill the CPU seconds, from two short trainings."""
        self.fit(self.build(2))  # what is loaded once
        few, many = 10, 20  # either is validated ten times, as the training itself is
        at_few = self.fit(self.build(few))
        while (took := self.fit(self.build(many))) - at_few < PROBE_S:  # beyond later stages
            many *= 2
        step_s = max(took - at_few, 1e-3) / (many - few)
        return max(1, round((seconds - (took - many * step_s)) / step_s))

    def row(self, seconds: float) -> dict[str, Any]:
        """Train, restore and score."""
        steps = self.steps_in(seconds)
        method = self.build(steps)
        train_s = 0.0 if self.each_scan else self.fit(method)
        began = time.process_time()
        score = rmse_hu(lambda thick, grid: method.restore(thick, grid, run=RUN), self.scans.test)
        restore_s = (time.process_time() - began) / len(self.scans.test)
        if self.each_scan:
            train_s = restore_s
        label = method.about.fidelity_of({**self.card.get("settings", {}), self.steps_are: steps})
        return {
            **{"method": self.card["name"], "fidelity": label},
            **{"weights": method.parameters(), "budget_s": seconds, "steps": steps},
            **{"train_s": f"{train_s:.1f}", "restore_s": f"{restore_s:.2f}"},
            "rmse_hu": f"{score:.2f}",
        }


def untrained(scans: Scans) -> list[dict[str, Any]]:
    """Cubic interpolation, and the best linear filter."""

    def cubic(thick: Volume, grid: Grid) -> Volume:
        return resample_z(thick, grid, "cubic")

    began = time.process_time()
    ridge = LinearFilter.fit(pairs(scans.train))
    fit_s = time.process_time() - began
    numbers = {"budget_s": 0, "steps": 0, "restore_s": ""}
    return [
        {"method": "cubic", "fidelity": "textbook", "weights": 0, "train_s": 0, **numbers,
         "rmse_hu": f"{rmse_hu(cubic, scans.test):.2f}"},
        {"method": "linear filter", "fidelity": "own", "weights": ridge.parameters, **numbers,
         "train_s": f"{fit_s:.1f}", "rmse_hu": f"{rmse_hu(ridge.restore, scans.test):.2f}"},
    ]  # fmt: skip


def read(path: Path) -> list[dict[str, str]]:
    """Rows made before."""
    return list(csv.DictReader(path.open())) if path.exists() else []


def add(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Append rows, below a head if they are the first."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerows(rows)


def measure(names: Sequence[str], budgets: Sequence[int], path: Path) -> None:
    """Make the rows that ``path`` lacks."""
    entries = yaml.safe_load((HERE / "small_methods.yaml").read_text())
    scans = phantom()
    if not read(path):
        add(path, untrained(scans))
    for seconds in budgets:
        for name in names or entries:
            if not any((r["method"], r["budget_s"]) == (name, str(seconds)) for r in read(path)):
                row = Trial(name, entries[name] or {}, scans).row(seconds)
                add(path, [row])
                print(row, flush=True)


def show(rows: Sequence[dict[str, str]]) -> None:
    """Print the table, best first."""
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in sorted(rows, key=lambda row: float(row["rmse_hu"])):
        print("| " + " | ".join(row[name] for name in COLUMNS) + " |")


def draw(rows: Sequence[dict[str, str]], stem: Path) -> None:
    """RMSE over CPU seconds of training, weights as area, a line for each method."""
    trained = [row for row in rows if row["method"] not in UNTRAINED]
    colours = style.colours(row["method"] for row in trained)
    most = max((int(row["weights"]) for row in trained), default=1)
    with style.figure(7.2, 4.6) as drawn:
        axes = drawn.subplots()
        for row in rows:
            if row["method"] in UNTRAINED:
                axes.axhline(float(row["rmse_hu"]), color=style.QUIET, linewidth=0.8, linestyle=":")
                axes.annotate(row["method"], (27, float(row["rmse_hu"])), va="bottom", fontsize=8)
        for name, colour in colours.items():
            curve_of([row for row in trained if row["method"] == name], colour, most, axes)
        axes.set_xscale("log")
        axes.set_xlim(25, 1500)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        top = 1.15 * max(float(row["rmse_hu"]) for row in rows if row not in trained)
        axes.set_ylim(0.9 * min(float(row["rmse_hu"]) for row in rows), top)
        axes.set_xlabel("CPU seconds of training, one thread; area: weights")
        axes.set_ylabel("RMSE (HU)")
        axes.grid(axis="both")
        beyond = [f"{r['method']} {r['rmse_hu']}" for r in trained if float(r["rmse_hu"]) > top]
        words = "; ".join(["phantom as acquired, protocol v1, test patients", *beyond])
        style.title(drawn, words, sim=True)
        style.save(drawn, stem)


def curve_of(rows: Sequence[dict[str, str]], colour: str, most: int, axes: Axes) -> None:
    """One method's line, its name and weights at the end."""
    rows = sorted(rows, key=lambda row: float(row["train_s"]))
    x, y = ([float(row[key]) for row in rows] for key in ("train_s", "rmse_hu"))
    area = [20 + 500 * int(row["weights"]) / most for row in rows]
    axes.plot(x, y, color=colour, linewidth=1)
    axes.scatter(x, y, s=area, color=colour, alpha=0.55, linewidth=0)
    words = f"{rows[-1]['method']} {int(rows[-1]['weights']):,}"
    axes.annotate(
        words, (x[-1], y[-1]), (7, 0), textcoords="offset points", fontsize=7, va="center",
        annotation_clip=True,
    )  # fmt: skip


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seconds", type=int, nargs="*", default=[60], help="CPU seconds of training")
    p.add_argument("--methods", nargs="*", default=[], help="names in small_methods.yaml; all")
    p.add_argument("--out", type=Path, default=Path("results/efficiency_by_seconds"))
    a = p.parse_args()
    torch.set_num_threads(1)
    path = a.out.with_name(a.out.name + ".csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    measure(a.methods, a.seconds, path)
    show(read(path))
    draw(read(path), a.out)


if __name__ == "__main__":
    main()
