"""One cell made as the workflow makes it, by its scripts, without Snakemake: it can be made again.

A phantom of two patients, box slices of 5 mm, linear interpolation; then the benchmark.
"""

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support import small_results
from support.paths import ROOT, importing
from support.small_results import EVIDENCE, TABLE
from thinslice.jobs.analyse import analyse
from thinslice.jobs.evidence import evidence
from thinslice.jobs.gather import gather
from thinslice.provenance.records import record_path
from thinslice.workflow import cards

PHANTOM: dict[str, Any] = {
    "settings": {
        "length_mm": 44.0,
        "patients": {"test": 2, "train": 1, "val": 1},
        "pixel_mm": [6.0, 6.0],
        "seed": 7,
        "shape": [24, 28],
    }
}
CONFIG = {**small_results.CONFIG, "datasets": {"phantom": PHANTOM}}
SCORES = Path("results/scores/phantom/box5/linear/untrained.csv")
THIN, ACQUIRED = "results/thin/phantom.zarr", "results/thick/phantom/acquired.zarr"
BOX5, RESTORED = "results/thick/phantom/box5.zarr", SCORES.parent / "untrained.zarr"
RAW = "results/raw/phantom.record.json"


def make(folder: Path) -> Path:
    """Make ``folder``/results; returns ``folder``."""
    folder.mkdir(parents=True)
    restored = f"results/restored/{RESTORED.relative_to('results/scores')}"
    dataset, method = _card("datasets", "phantom"), _card("methods", "linear")
    box5, protocol = _card("degradations", "box5"), _card("protocols", "v1")
    cell = {
        "dataset": "phantom", "degradation": "box5", "method": "linear", "fitted_on": "",
        "sim": "sim",
    }  # fmt: skip
    raw = ["--raw", "results/raw/phantom"]
    stores = ["--thin", THIN, "--thick"]
    for script, *flags in (
        ["fetch.py", "--card", dataset, "--mirror=", *raw, "--record", RAW],
        ["convert.py", "--card", dataset, *raw, "--raw-record", RAW, *stores, ACQUIRED],
        ["degrade.py", "--card", box5, "--thin", THIN, "--out", BOX5],
        ["restore.py", "--card", method, "--thick", BOX5, "--work", "work", "--out", restored],
        [
            "score.py", "--protocols", f"[{protocol}]", "--degradation", box5, "--cell",
            json.dumps(cell), "--restored", restored, *stores, BOX5, "--out", str(SCORES),
        ],
    ):  # fmt: skip
        command = [sys.executable, str(ROOT / "workflow_scripts" / script), *flags]
        environment = {**importing(), "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(None):
        _table()
    return folder


def _table() -> None:
    """The benchmark of the one cell."""
    gathered = EVIDENCE / "phantom/box5.record.json"
    scores, runs = (gathered.with_name(f"box5.{name}.csv") for name in ("scores", "runs"))
    gather([record_path(SCORES)], scores, runs, gathered)
    evidence([gathered], [], [record_path(Path(THIN))], [], EVIDENCE)
    analyse(json.loads(_card("analyses", "benchmark")), EVIDENCE, TABLE)


def _card(kind: str, name: str) -> str:
    return cards.card(CONFIG, kind, name)
