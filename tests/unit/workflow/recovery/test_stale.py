"""A result of any kind that is torn, or rests on what is no longer there, is invalidated."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from support.checkout import Checkout, twin
from thinslice.fs.locks import locked
from thinslice.provenance.records import SUFFIX, record_id, record_path
from thinslice.workflow.recovery import stale

ONE_OF_EACH = [
    "results/raw/phantom.record.json",
    "results/thin/phantom.zarr/manifest.json",
    "results/thick/phantom/acquired.record.json",
    "results/weights/edsr_small/phantom--box5.pt",
    "results/weights/edsr_small/phantom--box5.curve.csv",
    "results/restored/phantom/box5/linear/untrained.record.json",
    "results/scores/phantom/box5/linear/untrained.csv",
    "results/pairs/phantom.csv",
    "results/evidence/phantom/box5.runs.csv",
    "results/evidence/scores.csv",
    "results/tables/benchmark.csv",
    "results/tables/benchmark.tex",
    "results/figures/bars.png",
    "results/figures/panels_phantom.pdf",
    "results/report.html",
]


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


TORN: list[Callable[[Path], None]] = [halved, emptied, zeroed]


@pytest.fixture(scope="module")
def copied(finished, tmp_path_factory) -> Checkout:
    return twin(finished, tmp_path_factory.mktemp("torn") / "thinslice")


@pytest.fixture
def there(copied, monkeypatch) -> Checkout:
    monkeypatch.chdir(copied.folder)
    return copied


def record_of(name: str) -> Path:
    """The record that vouches for a file: its own, its job's, or the file itself."""
    path = Path(name)
    if path.name.endswith(SUFFIX):
        return path
    (found,) = [
        record
        for record in stale.records(Path("results"))
        if any(
            path in (Path(output["path"]), Path(output["path"]) / "manifest.json")
            for output in json.loads(record.read_text())["outputs"].values()
        )
        and record.name != "acquired.record.json"  # convert writes two, the other is as good
    ]
    return found


def invalidated(record: Path) -> bool:
    """Whether ``record`` goes, and at most its twin beside it; they are put back."""
    kept = {path: path.read_bytes() for path in stale.records(Path("results"))}
    times = {path: path.stat() for path in kept}
    said = stale.invalidate(Path("results"))
    gone = {path for path in kept if not path.exists()}
    for path in gone:
        path.write_bytes(kept[path])
        os.utime(path, ns=(times[path].st_atime_ns, times[path].st_mtime_ns))
    for path in gone:
        hidden = path.with_name(f".{path.name}{stale.INVALIDATED}")
        assert hidden.read_bytes() == kept[path], "it can still be read"
        hidden.unlink()
    assert len(said) == len(gone) <= 2
    return record in gone


def test_what_is_whole_stands(there):
    assert stale.invalidate(Path("results")) == []


@pytest.mark.parametrize("tear", TORN)
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_torn_file_of_any_kind_is_invalidated(there, name, tear):
    path, record = Path(name), record_of(name)
    content, times = path.read_bytes(), path.stat()
    tear(path)
    try:
        assert invalidated(record)
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert stale.invalidate(Path("results")) == []


def test_a_file_that_is_gone_is_made_again_but_a_store_may_be_absent(there):
    scores = Path("results/scores/phantom/box5/linear/untrained.csv")
    store, away = Path("results/restored/phantom/box5/linear/untrained.zarr"), Path("away")
    store.rename(away)
    assert stale.invalidate(Path("results")) == []
    away.rename(store)
    content, times = scores.read_bytes(), scores.stat()
    scores.unlink()
    assert invalidated(record_path(scores))
    scores.write_bytes(content)
    os.utime(scores, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_rests_on_an_input_made_again_goes_whatever_the_clock_says(there):
    """The input is older than what was made from it, as where the clock was set back."""
    record = Path("results/thick/phantom/box5.record.json")
    before, times = record.read_text(), record.stat()
    content = json.loads(before)
    del content["id"]
    content["wall_s"] += 1
    text = {"id": record_id(content), **content}
    record.write_text(json.dumps(text, indent=1, sort_keys=True) + "\n")
    os.utime(record, ns=(0, 0))
    kept = {path: path.read_bytes() for path in stale.records(Path("results"))}
    said = stale.invalidate(Path("results"))
    gone = {str(path) for path in kept if not path.exists()}
    for path in kept:
        path.write_bytes(kept[path])
    record.write_text(before)
    os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "results/restored/phantom/box5/linear/untrained.record.json" in gone
    assert all("phantom" in path and "box5" in path for path in gone if "figures" not in path)
    assert all("was made from another results/thick/phantom/box5" in line for line in said)


def test_what_a_job_is_writing_is_left_to_it(there):
    record = record_of("results/pairs/phantom.csv")
    content, times = record.read_bytes(), record.stat()
    halved(record)
    with locked(record):
        assert stale.invalidate(Path("results")) == []
    record.write_bytes(content)
    os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))
