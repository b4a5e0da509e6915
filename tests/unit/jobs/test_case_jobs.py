"""Jobs that go through cases make the same bytes with any number of workers, also of a cluster."""

import contextlib
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from support.small_results import BOX5, CONFIG, RAW, SCORES, THICK, THIN
from thinslice import store
from thinslice.fs.hashing import sha256_by_name
from thinslice.interfaces import Run
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.convert import convert
from thinslice.jobs.degrade import degrade
from thinslice.jobs.fetch import fetch
from thinslice.jobs.pairs import pairs
from thinslice.jobs.restore import RestoreRequest, restore_cases
from thinslice.jobs.score import score
from thinslice.runtime import shared_cases
from thinslice.runtime.over_cases import Workers, over_cases

ACQUIRED = Path("results/thick/phantom/acquired.zarr")
PAIRS = Path("results/pairs/phantom.csv")
RESTORED = Path("results/restored/phantom/box5/linear/untrained.zarr")
PHANTOM = {
    "name": "phantom",
    "settings": {
        "seed": 3, "patients": {"train": 0, "val": 0, "test": 3}, "shape": [40, 48],
        "pixel_mm": [3.0, 3.0], "length_mm": 40.0,
    },
}  # fmt: skip
DEGRADED = {"name": "box5", "module": "profile", "settings": BOX5}
LINEAR = {"name": "linear", **CONFIG["methods"]["linear"]}
CELL = {
    "dataset": "phantom", "degradation": "box5", "method": "linear", "fitted_on": "", "sim": "sim",
}  # fmt: skip


def make(folder: Path, workers: Workers) -> dict[str, str]:
    """Hashes of what the four jobs make in ``folder``."""
    folder.mkdir()
    run = CaseWorkers(workers, Path("results/work"))
    with contextlib.chdir(folder), contextlib.redirect_stdout(None):
        fetch(PHANTOM, Path("results/raw/phantom"), RAW)
        convert(PHANTOM, Path("results/raw/phantom"), RAW, THIN, ACQUIRED, run)
        degrade(DEGRADED, THIN, THICK, run)
        quiet = Run(device="cpu", threads=1)
        restore_cases(RestoreRequest(LINEAR, THICK, RESTORED, None, Path("work"), quiet, False))
        score([{"name": "v1"}], DEGRADED, CELL, RESTORED, THIN, THICK, SCORES, run)
        pairs(THIN, ACQUIRED, "sim", PAIRS, run)
        assert not list(Path("results").rglob("*.partial-*"))
        assert not [file for file in Path("results/work").rglob("*") if file.is_file()]
        return {str(p): sha256_by_name(p)[p.name] for p in (SCORES, PAIRS)} | {
            str(p): store.digest(p) for p in (THIN, ACQUIRED, THICK)
        }


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, str]:
    return make(tmp_path_factory.mktemp("alone") / "a", Workers())


def test_two_processes_make_the_same_bytes(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_cases, "START_S", 0.0)
    assert make(tmp_path / "a", Workers(2)) == alone


@pytest.mark.slow
def test_a_dask_cluster_makes_the_same_bytes(alone, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path
    ) as cluster:
        assert make(tmp_path / "a", Workers(scheduler=cluster.scheduler_address)) == alone


def die_once(mark: Path, case: str) -> str:
    if case == "b" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return case


def test_a_case_whose_worker_is_killed_is_given_to_another(tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path
    ) as cluster:
        task = partial(die_once, tmp_path / "mark")
        workers = Workers(scheduler=cluster.scheduler_address)
        assert over_cases(task, ["a", "b", "c"], workers) == ["a", "b", "c"]
    assert (tmp_path / "mark").exists()
