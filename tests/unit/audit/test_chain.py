"""The audit: every link of a finished chain holds, and one changed byte anywhere breaks it."""

import csv
import json
import shutil
import subprocess
import sys

import pytest

from support.audit import TABLE, audit, audit_here, row_of
from support.checkout import Checkout, twin
from thinslice.provenance.records import read_record, record_id, record_path, sha256_of


@pytest.fixture
def tampered(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


def test_every_row_leads_back_to_the_raw_record_and_is_recomputed(finished):
    done = audit(finished)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal" in done.stdout
    chain = "analyse evidence gather score restore train degrade convert fetch"
    for rule in chain.split():
        assert f"{rule} " in done.stdout, f"{rule} is not in the chain"


def test_a_record_can_be_audited_by_its_id(finished):
    whole = audit_here(finished, TABLE, "--row", str(row_of(finished, "edsr_small")))
    score = whole.stdout.split("score ")[1].split()[0]
    done = audit_here(finished, score)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "analyse" not in done.stdout
    assert audit_here(finished, "0123456789abcdef").returncode == 2


def one_of_each(checkout: Checkout) -> list[str]:
    """A file of every link behind the fitted row: stores' chunks and json, weights, tables."""
    results = checkout.folder / "results"
    cell = "phantom/box5/edsr_small/phantom--box5"
    patterns = [
        "raw/phantom.record.json",
        "thin/phantom.zarr/**/c/**/*",
        "thin/phantom.zarr/manifest.json",
        "thin/phantom.zarr/**/zarr.json",
        "thin/phantom.record.json",
        "thick/phantom/box5.zarr/**/c/**/*",
        "thick/phantom/box5.record.json",
        "weights/edsr_small/phantom--box5.pt",
        "weights/edsr_small/phantom--box5.curve.csv",
        "weights/edsr_small/phantom--box5.record.json",
        f"restored/{cell}.zarr/**/c/**/*",
        f"restored/{cell}.record.json",
        f"scores/{cell}.csv",
        f"scores/{cell}.record.json",
        "evidence/phantom/box5.scores.csv",
        "evidence/phantom/box5.runs.csv",
        "evidence/phantom/box5.record.json",
        "evidence/scores.csv",
        "evidence/runs.csv",
        "evidence/pairs.csv",
        "evidence/skipped.csv",
        "evidence/evidence.record.json",
        "pairs/phantom.csv",
        "tables/benchmark.csv",
        "tables/benchmark.md",
        "tables/benchmark.tex",
        "tables/benchmark.record.json",
    ]
    found = []
    for pattern in patterns:
        matches = sorted(path for path in results.glob(pattern) if path.is_file())
        assert matches, f"nothing matches {pattern}"
        found.append(str(matches[-1].relative_to(checkout.folder)))
    return found


FLIP_EACH = """
import contextlib, io, json, sys
from pathlib import Path
from thinslice.cli import main

row, *names = sys.argv[1:]
def audited():
    with contextlib.redirect_stdout(io.StringIO()) as said:
        return main(["audit", "results/tables/benchmark.csv", "--row", row]), said.getvalue()
found = {"": audited()}
for name in names:
    whole = Path(name).read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    Path(name).write_bytes(bytes(changed))
    found[name] = audited()
    Path(name).write_bytes(whole)
print(json.dumps(found))
"""


def test_one_changed_byte_in_any_link_breaks_the_chain_and_is_named(tampered):
    names = one_of_each(tampered)
    done = subprocess.run(
        [sys.executable, "-c", FLIP_EACH, str(row_of(tampered, "edsr_small")), *names],
        cwd=tampered.folder, capture_output=True, text=True, env=tampered.env(), check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found.pop("")[0] == 0
    for name in names:
        status, said = found[name]
        assert status == 1, f"{name}: {said}"
        broken = [line for line in said.splitlines() if line.startswith("BROKEN")]
        assert any(name in line for line in broken), f"{name}: {said}"


def test_other_code_than_the_code_that_ran_breaks_the_chain(tampered):
    tampered.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    done = audit(tampered)
    assert done.returncode == 1
    assert "code of edsr_small" in done.stdout
    assert "run the same snakemake command again" in done.stdout


def test_code_that_is_gone_breaks_the_chain(tampered):
    (tampered.folder / "src/thinslice/methods/edsr_planes.py").unlink()
    done = audit(tampered)
    assert done.returncode == 1
    assert "code of edsr_small is gone here" in done.stdout


def test_a_row_that_is_not_there_is_refused(finished):
    rows = len((finished.folder / TABLE).read_text().splitlines()) - 1
    for row in ("100000", "0", "-1"):
        done = audit_here(finished, TABLE, "--row", row)
        assert done.returncode == 2
        assert f"has rows 1 to {rows}, not {row}" in done.stderr
        assert "BROKEN" not in done.stdout


def test_a_whole_table_is_recomputed_too(finished):
    for table in sorted((finished.folder / "results/tables").glob("*.csv")):
        done = audit_here(finished, str(table.relative_to(finished.folder)))
        assert done.returncode == 0, f"{table}: {done.stdout}{done.stderr}"
        assert "equal" in done.stdout


def forged(checkout: Checkout, name: str, old: str, new: str) -> None:
    """Text of one file of the benchmark changed, and its record made to agree."""
    path = checkout.folder / "results/tables" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    record = record_path(checkout.folder / TABLE)
    content = read_record(record)
    del content["id"]
    for output in content["outputs"].values():
        output["sha256"] = sha256_of(checkout.folder / output["path"])
    whole = {"id": record_id(content), **content}
    record.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize("ending", ["csv", "md", "tex"])
@pytest.mark.parametrize("asked", ["row", "table"])
def test_a_number_changed_together_with_its_hash_is_not_what_the_scores_give(
    tampered, ending, asked
):
    row = row_of(tampered, "edsr_small")
    with (tampered.folder / TABLE).open(newline="") as file:
        mean = list(csv.DictReader(file))[row - 1]["mean"]
    printed, other = (
        f",{value}," if ending == "csv" else f"{value:.1f}"
        for value in (float(mean), float(mean) - 1)
    )
    forged(tampered, f"benchmark.{ending}", printed, other)
    done = audit_here(tampered, TABLE, *(["--row", str(row)] if asked == "row" else []))
    assert done.returncode == 1
    assert f"benchmark.{ending} is not what the per-case scores give" in done.stdout


def test_an_audit_runs_from_anywhere_and_on_a_copied_results_folder(finished, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(finished.folder / "results", moved / "results")
    command = [sys.executable, "-m", "thinslice", "audit", f"{moved}/{TABLE}", "--row", "1"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=finished.env(), check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (moved / "results/evidence/runs.csv").write_text("")
    again = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=finished.env(), check=False
    )
    assert again.returncode == 1  # it is the copy that was looked at
    assert "runs.csv was changed" in again.stdout


def test_an_input_made_again_since_breaks_every_link_that_used_the_one_before(tampered):
    """The second link to a record is held to the id it names, like the first."""
    record = tampered.folder / "results/thin/phantom.record.json"
    content = read_record(record)
    del content["id"]
    content["wall_s"] += 1
    again = {"id": record_id(content), **content}
    record.write_text(json.dumps(again, indent=1, sort_keys=True) + "\n")
    done = audit_here(tampered, TABLE, "--row", str(row_of(tampered, "edsr_small")))
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if line.startswith("BROKEN")]
    users = [line for line in broken if "but the next link was made from" in line]
    assert len(users) == 5  # degrade, train, score, pairs and evidence


def test_an_id_that_several_records_begin_with_is_refused(finished):
    done = audit_here(finished, "")
    assert done.returncode == 2
    assert "begins the ids of" in done.stderr
