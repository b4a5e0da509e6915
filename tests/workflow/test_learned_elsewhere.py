"""Methods in the workflow that learn in another's job, or have the weights of others."""

from pathlib import Path

import pytest
import torch

from support.checkout import Checkout, fresh
from support.golden_weights import fixture, weights
from thinslice.provenance.records import read_record

LINES = """  sr4: {fit: volume, env: torch, module: sr4zct, settings: {depth: 3, steps: 4}}
  sr4_coronal: {fit: volume, env: torch, module: sr4zct, weights_of: sr4, restore_shards: 2,
    settings: {depth: 3, steps: 4, view: coronal}}
  released: {fit: population, env: torch, module: tvsrn_released, weights: authors.pt}
  edsr_small:  """
COMMON = "results/restored/phantom/acquired"
SCORES = [
    f"results/scores/phantom/acquired/{name}/untrained.csv" for name in ("sr4_coronal", "released")
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    """Before any run: the methods in the config, the authors' weights in a file."""
    made = fresh(tmp_path_factory.mktemp("learned") / "thinslice")
    made.edit("config.yaml", "  edsr_small:  ", LINES)
    made.edit("tests/tiny.yaml", "[linear, edsr_small]", "[sr4, sr4_coronal, released]")
    meta, _ = fixture("tvsrn", "released")
    theirs = {name: torch.from_numpy(array) for name, array in weights(meta).items()}
    torch.save(theirs, made.folder / "authors.pt")
    return made


def test_wrong_weights_are_refused_by_name_before_anything_is_restored(checkout):
    right = (checkout.folder / "authors.pt").read_bytes()
    torch.save({"odd.weight": torch.zeros(3)}, checkout.folder / "authors.pt")
    done = checkout.run(SCORES[1], check=False)
    (checkout.folder / "authors.pt").write_bytes(right)
    assert done.returncode
    assert "authors.pt: found weights that are not released's" in done.stdout + done.stderr
    assert "odd.weight" in done.stdout + done.stderr
    assert not (checkout.folder / "results/restored").exists()


def test_both_are_restored_and_audited_to_what_was_learned(checkout):
    checkout.run(*SCORES)
    for name, learned in (
        ("sr4_coronal", f"{COMMON}/sr4/untrained.record.json"),
        ("released", "results/weights/released/given.record.json"),
    ):
        record = read_record(checkout.folder / f"{COMMON}/{name}/untrained.record.json")
        assert learned in [link["record"] for link in record["inputs"].values()]
    works = list((checkout.folder / "results/work").iterdir())
    assert [path.name for path in works] == ["sr4"]
    assert checkout.planned(*SCORES) == set()
    for path in (Path(scores).with_suffix(".record.json") for scores in SCORES):
        audit = checkout.thinslice("audit", str(path))
        assert audit.returncode == 0, audit.stdout + audit.stderr
        assert ("authors.pt" in audit.stdout) == ("released" in str(path))
