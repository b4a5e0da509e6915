"""A cell cut into shards is the cell that one job restores; no foreign shard is taken over."""

import json
import re
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from thinslice import store
from thinslice.interfaces import Run
from thinslice.jobs import clean, join_shards, restore
from thinslice.provenance import environment
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import BrokenLinkError, link_to, read_record, record_path
from thinslice.volume import Grid, Volume
from thinslice.workflow import shards

CARD = {"name": "linear", "module": "interpolation", "settings": {"kind": "linear"}}
CELL = "phantom/box5/linear/untrained"
CASES = ["a", "b", "c"]


@pytest.fixture
def thick(tmp_path, monkeypatch) -> Path:
    """A store of three test cases and one to learn from, with its record."""
    monkeypatch.chdir(tmp_path)
    return stored(Path("results/thick/phantom/box5.zarr"), seed=0)


def stored(path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    thin = Grid(20, 1.0, 1.0, (12, 10), (2.0, 2.0))
    grid = thin.with_slices(n=4, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    with store.writing(path) as out:
        for case in [*CASES, "t"]:
            about = {"split": "train" if case == "t" else "test", "target": thin.to_json()}
            out.add(case, Volume(rng.normal(0, 300, grid.zyx).astype(np.float32), grid), **about)
    with job(path, "degrade", {}) as running:
        running.output("thick", path)
    return path


def job(path: Path, rule: str, inputs: dict[str, Path], card=CARD):
    record = record_path(path)
    return recorded_job(record, rule=rule, cards={"method": card}, inputs=inputs)


def restored(thick: Path, out: Path, card=CARD, shard: tuple[int, int] | None = None) -> Path:
    """As the two scripts do it."""
    rule = "restore_shard" if shard else "restore"
    request = restore.RestoreRequest(
        card, thick, out, None, Path("results/work"), Run(), uses_torch=False, shard=shard
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"{rule}.py"])
        restore.restore_cases(request)
    return out


def shards_of(thick: Path, n: int, card=CARD) -> list[Path]:
    folder = Path("results/shards") / CELL
    return [restored(thick, folder / f"{i}of{n}.zarr", card, (i, n)) for i in range(n)]


def joined(thick: Path, parts: list[Path]) -> Path:
    out = Path("results/restored") / f"{CELL}.zarr"
    with job(out, "restore", {"thick": thick}) as running:
        join_shards.join(parts, CASES, out, running)
    return out


def requested(thick: Path, *flags: str) -> restore.RestoreRequest:
    """As both scripts read their flags."""
    p = ArgumentParser()
    p.add_argument("--shard", type=int)
    p.add_argument("--of", type=int)
    restore.RestoreRequest.add_flags(p)
    paths = ["--thick", str(thick), "--work", "work", "--out", "out.zarr"]
    values = vars(p.parse_args(["--card", json.dumps(CARD), *paths, *flags]))
    return restore.RestoreRequest.from_flags(**values)


def test_the_flags_of_shards_divide_the_test_cases_among_them(thick):
    parts = [requested(thick, "--shard", str(i), "--of", "2").cases for i in range(2)]
    assert parts == [["a", "c"], ["b"]]
    assert requested(thick).cases == CASES


def test_a_device_flag_says_that_the_method_uses_torch(thick):
    assert not requested(thick, "--threads", "3").uses_torch
    request = requested(thick, "--device", "cpu", "--threads", "3", "--max-memory-mb", "512")
    assert request.uses_torch
    assert (request.run.threads, request.run.max_memory_gib) == (3, 0.5)


def facts(path: Path) -> dict:
    return read_record(record_path(path))["facts"]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_joined_cell_is_the_whole_one_whatever_the_number_of_shards(thick, n):
    whole = restored(thick, Path("results/whole.zarr"))
    parts = shards_of(thick, n)
    cell = joined(thick, parts)
    assert store.digest(cell) == store.digest(whole)
    assert store.verify(cell) == []
    same = facts(whole).keys() - {"wall_s"}
    assert {key: facts(cell)[key] for key in same} == {key: facts(whole)[key] for key in same}
    assert sorted(facts(cell)["wall_s"]) == CASES


def test_what_the_shards_said_of_themselves_is_carried_on(thick, monkeypatch):
    peaks = iter([0.2, 0.3, 0.1, 0.9, 0.9, 0.05])  # of five shards, two of them empty, and the join
    monkeypatch.setattr(environment, "peak_memory_gib", lambda: next(peaks))
    parts = shards_of(thick, 5)
    records = [read_record(record_path(part)) for part in parts]
    found = facts(joined(thick, parts))
    assert [one["id"] for one in found["shards"]] == [record["id"] for record in records]
    assert [one["cases"] for one in found["shards"]] == [["a"], ["b"], ["c"], [], []]
    seconds = {k: v for record in records for k, v in record["facts"]["wall_s"].items()}
    assert found["wall_s"] == seconds
    assert found["peak_memory_gib"] == 0.3
    assert found["slices"] == dict.fromkeys(CASES, 20)
    assert found["gpu_memory_gib"] is None  # restored on a processor


def test_shards_in_other_numbers_are_all_named(thick):
    apart = {"rms": 0.1, "max": 0.5, "tiles": 2}
    ways = [{"precision": "fp32"}, {"precision": "bf16", restore.DIFFERENCES: {"b": apart}}]
    parts = []
    for part, way in zip(shards_of(thick, 2), ways):
        record = read_record(record_path(part))
        changed = {**record, "facts": {**record["facts"], **way}}
        parts.append(join_shards.Shard(store.open_store(part), changed))
    found = join_shards._facts(parts)
    assert found["precision"] == "fp32, bf16"
    assert found[restore.DIFFERENCES] == {"b": apart}


def test_the_joined_record_rests_on_the_thick_slices_alone(thick):
    cell = joined(thick, shards_of(thick, 2))
    assert read_record(record_path(cell))["inputs"] == {"thick": link_to(thick)}


def assert_refused(thick: Path, parts: list[Path], why: str) -> None:
    with pytest.raises(BrokenLinkError, match=why):
        joined(thick, parts)
    assert not (Path("results/restored") / f"{CELL}.zarr").exists()


def test_a_shard_of_another_card_is_refused(thick):
    other = shards_of(thick, 2, {**CARD, "code": "0123456789abcdef"})
    assert_refused(thick, other, "its method is")


def test_a_shard_of_other_thick_slices_is_refused(thick):
    parts = shards_of(thick, 2)
    assert_refused(stored(thick, seed=1), parts, "its inputs is")


def test_a_shard_made_by_other_code_is_refused(thick, monkeypatch):
    parts = shards_of(thick, 2)
    monkeypatch.setattr(join_shards, "script_digest", lambda name: "0123456789abcdef")
    assert_refused(thick, parts, "its code is")


def test_a_whole_cell_is_no_shard(thick):
    whole = restored(thick, Path("results/whole.zarr"))
    assert_refused(thick, [whole], "its rule is")


def test_one_changed_byte_in_a_shard_is_found(thick):
    parts = shards_of(thick, 2)
    chunk = next(path for path in sorted(parts[1].rglob("c/**/*")) if path.is_file())
    voxels = bytearray(chunk.read_bytes())
    voxels[len(voxels) // 2] ^= 1
    chunk.write_bytes(bytes(voxels))
    assert_refused(thick, parts, re.escape(f"{chunk}: changed"))


@pytest.mark.parametrize("chosen", [[0], [1], [0, 0, 1]])
def test_every_case_must_be_in_one_shard(thick, chosen):
    parts = shards_of(thick, 2)
    assert_refused(thick, [parts[i] for i in chosen], "expected 3")


def names(asked: int, card=CARD) -> int:
    return len(shards.names(CELL, asked, card))


def test_a_cell_still_to_be_made_is_cut_as_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert names(1) == 0
    assert shards.names(CELL, 2, CARD) == [
        f"results/shards/{CELL}/0of2",
        f"results/shards/{CELL}/1of2",
    ]


def test_a_cell_that_stands_keeps_its_number_until_its_method_changes(thick):
    joined(thick, shards_of(thick, 2))
    assert names(1) == names(5) == 2
    assert names(5, {**CARD, "code": "0123456789abcdef"}) == 5
    restored(thick, Path("results/restored") / f"{CELL}.zarr")
    assert names(5) == 0


def test_shards_that_all_lie_there_are_joined_though_another_number_is_asked(thick):
    parts = shards_of(thick, 3)
    assert names(2) == names(1) == 3
    record_path(parts[1]).unlink()
    assert names(2) == 2


def test_cleaning_takes_the_shards_of_a_joined_cell_and_leaves_others(thick):
    joined(thick, shards_of(thick, 2))
    others = shards_of(thick, 3, {**CARD, "code": "0123456789abcdef"})
    done = clean.work(Path("results"))
    assert done.removed == 2
    assert len(done.left) == 3
    left = [path.name for path in sorted(Path("results/shards").rglob("*.record.json"))]
    assert left == [f"{i}of3.record.json" for i in range(3)]
    assert all(other.is_dir() for other in others)
    assert not list(Path("results/shards").rglob("*of2.zarr*"))


def test_a_torn_record_is_no_cell_that_stands(thick):
    cell = joined(thick, shards_of(thick, 2))
    for part in Path("results/shards").rglob("*.record.json"):
        part.unlink()
    record = record_path(cell)
    record.write_text(json.dumps(read_record(record))[:100])
    assert names(5) == 5
