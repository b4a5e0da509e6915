"""Measure the time Snakemake takes to plan 2,240 cells, against an empty workflow.

    python benchmarks/planning_speed.py

The grid is synthetic and only planned: 7 variants of the phantom, 8 degradations, and 40 methods of
which 10 interpolate and 30 are trained, every network of the package under several names. The
baseline is a dry run of a workflow with one rule and no input: Snakemake's start-up.
On a shared machine, trust the CPU seconds; on an idle one they equal the wall seconds.
"""

import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import yaml
from measuring import reached

REPOSITORY = Path(__file__).resolve().parents[1]
DATASETS, DEGRADATIONS, UNTRAINED, TRAINED = 7, 8, 10, 30
INTERPOLATIONS = ("nearest", "linear", "cubic", "lanczos3")
NETWORKS = (
    *("edsr_planes", "tvsrn", "tvsrn_encoder", "tvsrn_no_tab", "tvsrn_vit", "tvsrn_released"),
    *("acvtt", "acvtt_released", "georgescu", "georgescu_released", "msd_supervised"),
)
EMPTY = "rule all:\n    shell: 'true'\n"


def methods() -> dict:
    """Config entries of 40 methods, whose code is digested when planning."""
    lines = {
        f"interpolation{i}": {
            "module": "interpolation", "fit": "none", "env": "core", "settings": {"kind": kind},
        }
        for i, kind in enumerate(islice(cycle(INTERPOLATIONS), UNTRAINED))
    }  # fmt: skip
    for i, module in enumerate(islice(cycle(NETWORKS), TRAINED)):
        settings = {"seed": i}
        lines[f"network{i}"] = {
            "module": module, "fit": "population", "env": "torch", "settings": settings,
        }  # fmt: skip
    return lines


def grid() -> dict:
    """Overlay of 7 data sets x 8 degradations x 40 methods, tested where they were fitted."""
    datasets = {f"phantom{i}": {"module": "phantom", "acquired": True} for i in range(DATASETS)}
    degradations = {
        f"box{i}": {
            "module": "profile",
            "settings": {"shape": "box", "thickness_mm": i + 2.0, "increment_mm": i + 2.0},
        }
        for i in range(1, DEGRADATIONS)
    }
    return {
        "datasets": datasets,
        "degradations": degradations,
        "methods": methods(),
        "grid": {
            "datasets": list(datasets),
            "degradations": ["acquired", *degradations],
            "methods": list(methods()),
            "fitted_on": "matched",
        },
    }


def time_dry_run(*arguments: str, folder: Path) -> tuple[float, float, str]:
    """Wall and CPU seconds of one dry run, and its output."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--cores", "1"]
    before, started = os.times(), time.perf_counter()
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True)
    wall_s, after = time.perf_counter() - started, os.times()
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    cpu_s = after[2] + after[3] - before[2] - before[3]  # of children: user and system
    return wall_s, cpu_s, done.stdout + done.stderr


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "Empty").write_text(EMPTY)
        empty = [time_dry_run("--snakefile", "Empty", folder=folder) for _ in range(3)]
        overlay = folder / "grid.yaml"
        overlay.write_text(yaml.safe_dump(grid()))
        arguments = ["--configfile", str(overlay), "--directory", str(folder)]
        snakefile = ["--snakefile", str(REPOSITORY / "Snakefile")]
        config = REPOSITORY / "config.yaml"
        (folder / "config.yaml").write_text(config.read_text())
        runs = [time_dry_run(*snakefile, *arguments, folder=folder) for _ in range(3)]
        jobs = next(line for line in runs[0][2].splitlines() if line.startswith("total"))
    print(f"{'':28}{'wall s':>8}{'CPU s':>8}")
    start = [min(run[k] for run in empty) for k in (0, 1)]
    whole = [min(run[k] for run in runs) for k in (0, 1)]
    print(f"{'empty workflow (baseline)':28}{start[0]:8.2f}{start[1]:8.2f}")
    print(f"{'dry run of ' + jobs.split()[-1] + ' jobs':28}{whole[0]:8.2f}{whole[1]:8.2f}")
    print(f"{'planning alone':28}{whole[0] - start[0]:8.2f}{whole[1] - start[1]:8.2f}")
    print(f"{'ratio to the baseline':28}{whole[0] / start[0]:7.1f}x{whole[1] / start[1]:7.1f}x")
    n = int(jobs.split()[-1])
    reached("plan of 3,000 jobs", start[1] + (whole[1] - start[1]) * 3000 / n, " s")


if __name__ == "__main__":
    main()
