"""Torn results and a clock set back: the same command makes again what it must, and no more."""

import os
from pathlib import Path

import pytest

from support.checkout import Checkout, twin
from support.lost_writes import tear
from support.same_results import assert_same
from thinslice.provenance.records import read_record, sha256_of

TORN = [
    "results/weights/edsr_small/phantom--box5.pt",
    "results/scores/phantom/acquired/linear/untrained.csv",
    "results/evidence/scores.csv",
    "results/tables/benchmark.csv",
    "results/tables/patients.record.json",
    "results/figures/bars.png",
    "results/report.html",
]
BOX5 = "results/restored/phantom/box5/linear/untrained"


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


@pytest.mark.slow
def test_torn_results_are_made_again_by_the_same_command(finished, edited):
    for name in TORN:
        tear(edited.folder / name)
    said = edited.run().stderr
    assert said.count("will be recomputed: ") == len(TORN)
    assert_same(edited, finished)


@pytest.mark.slow
def test_a_torn_store_is_refused_in_one_line_where_it_is_needed(finished, edited):
    shard = next(
        path
        for path in (edited.folder / "results/thick/phantom/box5.zarr").rglob("*")
        if path.is_file() and "/c/" in str(path)
    )
    tear(shard)
    (edited.folder / f"{BOX5}.record.json").unlink()
    refused = edited.run(f"{BOX5}.record.json", check=False)
    assert refused.returncode != 0
    assert one_line(refused.stderr).endswith("make the store again")
    assert not (edited.folder / f"{BOX5}.record.json").exists()
    edited.run("-R", "degrade", "--", f"{BOX5}.record.json")
    ours, theirs = (at.folder / f"{BOX5}.zarr/manifest.json" for at in (edited, finished))
    assert ours.read_bytes() == theirs.read_bytes()


def one_line(printed: str) -> str:
    """The one refusal that a run printed; no traceback hides it."""
    assert "Traceback" not in printed, printed
    lines = {line for line in printed.splitlines() if line.startswith("refused: ")}
    assert len(lines) == 1, printed
    return lines.pop()


@pytest.mark.slow
def test_with_the_clock_set_back_no_stale_result_is_kept(finished, edited):
    """All results from tomorrow; the slices are made again today, and there the run is killed."""
    shift(edited.folder, hours=24)
    thick = "results/thick/phantom/box5.record.json"
    said = edited.run("-R", "degrade", "--", thick).stderr
    assert "results are dated in the future" in said
    shift(edited.folder, hours=24, but="results/thick/phantom/box5")
    edited.run(f"{BOX5}.record.json")
    made, given = (edited.folder / name for name in (f"{BOX5}.record.json", thick))
    links = read_record(made)["inputs"]
    assert read_record(given)["id"] in {link["record_id"] for link in links.values()}
    edited.run()
    assert_same(edited, finished)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-24, 24])
def test_another_clock_makes_nothing_again(edited, hours):
    shift(edited.folder, hours)
    before = contents(edited.folder)
    edited.run()
    assert contents(edited.folder) == before


def shift(folder: Path, hours: float, but: str = "results/none") -> None:
    """Every result, but those whose paths begin like one, was made so much later, or earlier."""
    for path in (folder / "results").rglob("*"):
        then = path.stat()
        by = int(hours * 3600e9)
        if not str(path).startswith(str(folder / but)):
            os.utime(path, ns=(then.st_atime_ns + by, then.st_mtime_ns + by))


def contents(folder: Path) -> dict[str, str]:
    """The hash of every record."""
    found = (folder / "results").rglob("*.record.json")
    return {str(path): sha256_of(path) for path in found}
