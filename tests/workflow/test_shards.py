"""Shards in the workflow: any number gives the same bits, a killed one is begun again."""

import json
import shutil

import pytest

from support.checkout import Checkout, fresh, twin
from support.kills import kill_job
from thinslice import store
from thinslice.provenance.records import read_record

CELL = "phantom/acquired/sr4/untrained"
RECORD = f"results/restored/{CELL}.record.json"
SCORES = f"results/scores/{CELL}.csv"
LEARNS = "  sr4: {fit: volume, env: torch, module: sr4zct, settings: {depth: 3, steps: 4}}\n"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Checkout:
    """A method that learns from the scan, its three test cases restored by one job, and scored."""
    checkout = fresh(tmp_path_factory.mktemp("whole") / "thinslice")
    checkout.edit("config.yaml", "  edsr_small:  ", f"{LEARNS}  edsr_small:  ")
    checkout.edit("tests/tiny.yaml", "[linear, edsr_small]", "[sr4]")
    checkout.edit("tests/tiny.yaml", "test: 2", "test: 3")
    checkout.run(SCORES)
    return checkout


def of_shards(whole: Checkout, folder, n: int) -> Checkout:
    """The cell taken away, to be made by ``n`` shards."""
    checkout = twin(whole, folder / "thinslice")
    checkout.edit("config.yaml", "restore_shards: 1", f"restore_shards: {n}")
    shutil.rmtree(checkout.folder / "results/work")
    (checkout.folder / RECORD).unlink()
    (checkout.folder / f"results/scores/{CELL}.record.json").unlink()
    return checkout


def digest(checkout: Checkout) -> str:
    return store.digest(checkout.folder / f"results/restored/{CELL}.zarr")


def scores(checkout: Checkout) -> str:
    return (checkout.folder / SCORES).read_text()


def left_over(checkout: Checkout) -> list[str]:
    shards = checkout.folder / "results/shards"
    return [path.name for path in shards.rglob("*") if path.is_file() and path.name[0] != "."]


@pytest.mark.parametrize("n", [2, 5])
def test_a_cell_of_shards_is_the_cell_of_one_job(whole, tmp_path, n):
    checkout = of_shards(whole, tmp_path, n)
    checkout.run(SCORES)
    assert digest(checkout) == digest(whole)
    assert scores(checkout) == scores(whole)
    assert left_over(checkout) == []
    record = read_record(checkout.folder / RECORD)
    assert len(record["facts"]["shards"]) == n
    assert record["inputs"] == read_record(whole.folder / RECORD)["inputs"]
    assert checkout.planned(SCORES) == set()
    checkout.edit("config.yaml", f"restore_shards: {n}", "restore_shards: 7")
    assert checkout.planned(SCORES) == set()
    checkout.run("clean_work")
    assert not list((checkout.folder / "results/work").glob("*/*"))
    assert checkout.planned(SCORES) == set()
    audited = checkout.thinslice("audit", json.loads((checkout.folder / RECORD).read_text())["id"])
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_a_shard_that_was_killed_is_run_again_and_the_others_are_not(whole, tmp_path):
    checkout = of_shards(whole, tmp_path, 3)
    driver = checkout.start(SCORES)
    kill_job("restore_shard.py", checkout.folder, driver)
    assert driver.wait() != 0
    kept = [name for name in left_over(checkout) if name.endswith(".record.json")]
    assert len(kept) == 2
    checkout.run(SCORES)
    assert digest(checkout) == digest(whole)
    assert scores(checkout) == scores(whole)
    assert left_over(checkout) == []
