"""A small results folder, made in seconds by the jobs themselves, without Snakemake.

Three scans in NIfTI files, interpolated from simulated 5 mm slices; tables, a figure, a page.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from thinslice.interfaces import Run
from thinslice.io.nifti.write import write_nifti
from thinslice.jobs.analyse import analyse
from thinslice.jobs.convert import convert
from thinslice.jobs.degrade import degrade
from thinslice.jobs.evidence import evidence
from thinslice.jobs.fetch import fetch
from thinslice.jobs.figure import figure
from thinslice.jobs.gather import gather
from thinslice.jobs.page import page
from thinslice.jobs.restore import RestoreRequest, restore_cases
from thinslice.jobs.score import score
from thinslice.jobs.slices import slices
from thinslice.provenance.records import record_path
from thinslice.volume import Grid, Volume
from thinslice.workflow import cards

TABLE = Path("results/tables/benchmark.csv")
FIGURE = Path("results/figures/bars.png")
PAGE = Path("results/report.html")
SLICES = Path("results/figures/slices_own.json")
SCORES = Path("results/scores/own/box5/linear/untrained.csv")
RESTORED = Path("results/restored/own/box5/linear/untrained.zarr")
THIN, THICK = Path("results/thin/own.zarr"), Path("results/thick/own/box5.zarr")
EVIDENCE, RAW = Path("results/evidence"), Path("results/raw/own.record.json")
BOX5 = {"shape": "box", "thickness_mm": 5.0, "increment_mm": 5.0}
CONFIG: dict[str, Any] = {
    "degradations": {"box5": {"module": "profile", "settings": BOX5}},
    "methods": {"linear": {"module": "interpolation", "fit": "none", "settings": {}}},
    "protocols": {"v1": {}},
    "analyses": {"benchmark": {}, "patients": {}},
    "figures": {"bars": {"table": "patients", "settings": {}}},
}


def make(folder: Path) -> Path:
    """Make ``folder``/results from scans in ``folder``/scans; returns ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(None):
        _volumes({**CONFIG, "datasets": {"own": _own_data(folder / "scans")}})
        _tables()
    return folder


def _own_data(root: Path) -> dict[str, Any]:
    """The config entry of a manifest of three test scans."""
    root.mkdir()
    rows = ["case,patient,split,thin"]
    for n, name in ((30, "a"), (31, "b"), (33, "c")):
        noise = np.random.default_rng(n).normal(0, 8, (n, 32, 36))
        inside = np.hypot(*(np.mgrid[:32, :36] - np.array([15.5, 17.5])[:, None, None])) < 13
        voxels = (np.where(inside, 40.0, -1000.0) + noise).astype(np.float32)
        write_nifti(Volume(voxels, Grid(n, 1.0, 1.0, (32, 36), (2.0, 2.0))), root / f"{name}.nii")
        rows.append(f"{name},{name},test,{name}.nii")
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    return {"module": "own_data", "settings": {"root": str(root)}}


def _volumes(config: dict[str, Any]) -> None:
    def card(kind: str, name: str) -> dict[str, Any]:
        return json.loads(cards.card(config, kind, name))

    acquired = Path("results/thick/own/acquired.zarr")
    fetch(card("datasets", "own"), Path("results/raw/own"), RAW)
    convert(card("datasets", "own"), Path("results/raw/own"), RAW, THIN, acquired)
    box5 = card("degradations", "box5")
    degrade(box5, THIN, THICK)
    run = Run(device="cpu", threads=1)
    linear = card("methods", "linear")
    restore_cases(
        RestoreRequest(linear, THICK, RESTORED, None, Path("work"), run, uses_torch=False)
    )
    cell = {
        "dataset": "own", "degradation": "box5", "method": "linear", "fitted_on": "", "sim": "sim",
    }  # fmt: skip
    score([card("protocols", "v1")], box5, cell, RESTORED, THIN, THICK, SCORES)


def _tables() -> None:
    gathered = EVIDENCE / "own/box5.record.json"
    scores, runs = (gathered.with_name(f"box5.{name}.csv") for name in ("scores", "runs"))
    gather([record_path(SCORES)], scores, runs, gathered)
    evidence([gathered], [], [record_path(THIN)], [], EVIDENCE)
    for name in CONFIG["analyses"]:
        analyse(json.loads(cards.card(CONFIG, "analyses", name)), EVIDENCE, TABLE.with_stem(name))
    figure(json.loads(cards.card(CONFIG, "figures", "bars")), TABLE.parent, FIGURE)
    tables = [record_path(TABLE.with_stem(name)) for name in CONFIG["analyses"]]
    slices({"kind": "slices", "settings": {}}, THIN, THICK, [RESTORED], ["linear"], "sim", SLICES)
    page(tables, [record_path(FIGURE)], EVIDENCE, PAGE, [record_path(SLICES)])
