"""What every network of published size costs to restore: weights, CPU seconds, memory.

    python benchmarks/method_costs.py --out results/method_costs.csv
    python benchmarks/method_costs.py --methods saint tvsrn --slices 40 --side 128

Each method of ``methods/`` that learns is built as published, with random weights, and restores one
scan of noise (``slices`` of ``side`` x ``side`` pixels, five times as many slices asked for) with
one thread, in a process of its own: user and system seconds of the restoring alone, and the
process's highest resident memory, which is 300 MiB or so before the network is there. One that
learns on each scan is left out: its seconds are its training's. A method that is there in the CSV
is not run again.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

FACTOR = 5
COLUMNS = ("method", "fidelity", "weights", "slices", "side", "user_s", "system_s", "memory_mib")
LIMIT_S = 1800  # of one run
ALONE = "THINSLICE_COSTS_OF"  # the task of a child process, as JSON


def names() -> list[str]:
    """Methods that are fitted on other patients' pairs."""
    from thinslice import methods, plugins

    modules = sorted(p.stem for p in Path(methods.__path__[0]).glob("[a-z]*.py"))
    return [name for name in modules if hasattr(plugins.build("methods", {"name": name}), "fit")]


def restore_alone(name: str, slices: int, side: int) -> dict[str, object]:
    """Build the method as published and restore noise, in this process."""
    import numpy as np
    import torch

    from thinslice import plugins
    from thinslice.interfaces import Run
    from thinslice.volume import Grid, Volume

    torch.set_num_threads(1)
    method = plugins.build("methods", {"name": name})
    thick = Grid(slices, float(FACTOR), float(FACTOR), (side, side), (0.7, 0.7))
    thin = thick.with_slices(
        n=(slices - 1) * FACTOR + 1, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0
    )
    noise = np.random.default_rng(0).normal(-200.0, 200.0, thick.zyx).astype(np.float32)
    weigh(method)
    before = resource.getrusage(resource.RUSAGE_SELF)
    method.restore(Volume(noise, thick), thin, run=Run(device="cpu", progress=False, threads=1))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        **{"method": name, "fidelity": method.about.fidelity, "weights": method.parameters()},
        **{"slices": slices, "side": side},
        "user_s": f"{after.ru_utime - before.ru_utime:.2f}",
        "system_s": f"{after.ru_stime - before.ru_stime:.2f}",
        "memory_mib": round(after.ru_maxrss / 1024),
    }


def weigh(method) -> None:
    """Random weights, where a fit would have left its own."""
    if getattr(method, "net", None) is None:
        method.shape = method.usual
        method.net = method._seeded(method.shape)


def in_a_process(name: str, slices: int, side: int) -> dict[str, object]:
    """The row of one method, or what stopped it in its last column's place."""
    task = json.dumps([name, slices, side])
    try:
        done = subprocess.run(
            [sys.executable, __file__], env={**os.environ, ALONE: task, "OMP_NUM_THREADS": "1"},
            capture_output=True, text=True, timeout=LIMIT_S, check=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"method": name, "slices": slices, "side": side, "user_s": f"over {LIMIT_S}"}
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip().splitlines()[-1:] or [f"exit {error.returncode}"]
        return {"method": name, "slices": slices, "side": side, "user_s": why[0]}
    return json.loads(done.stdout.splitlines()[-1])


def measure(wanted: list[str], sizes: list[tuple[int, int]], path: Path) -> None:
    """Add the rows that ``path`` lacks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = list(csv.DictReader(path.open())) if path.exists() else []
    done = {(row["method"], row["slices"], row["side"]) for row in there}
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if not there:
            writer.writeheader()
        for slices, side in sizes:
            for name in wanted:
                if (name, str(slices), str(side)) not in done:
                    row = in_a_process(name, slices, side)
                    writer.writerow(row)
                    file.flush()
                    print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)


def main() -> None:
    if ALONE in os.environ:
        print(json.dumps(restore_alone(*json.loads(os.environ[ALONE]))))
        return
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--methods", nargs="*", default=[], help="modules of methods/; all that learn")
    p.add_argument("--slices", type=int, nargs="*", default=[4, 40], help="thick slices")
    p.add_argument("--side", type=int, nargs="*", default=[64, 128], help="pixels, one per size")
    p.add_argument("--out", type=Path, default=Path("results/method_costs.csv"))
    a = p.parse_args()
    measure(a.methods or names(), list(zip(a.slices, a.side, strict=True)), a.out)


if __name__ == "__main__":
    main()
