"""The audit: every link of a finished chain holds, and one changed byte anywhere breaks it."""

from pathlib import Path

import pytest
from checkout import Checkout, twin

TABLE = "results/tables/benchmark.csv"


@pytest.fixture
def tampered(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


def row_of(checkout: Checkout, method: str) -> int:
    """The number of a row about a fitted cell, whose chain is the longest there is."""
    lines = (checkout.folder / TABLE).read_text().splitlines()
    columns = lines[0].split(",")
    for number, line in enumerate(lines[1:], start=1):
        row = dict(zip(columns, line.split(",")))
        if row["method"] == method and row["degradation"] == "box5" and row["metric"] == "rmse_hu":
            return number
    raise LookupError(method)


def audit(checkout: Checkout, method: str = "edsr_small"):
    return checkout.thinslice("audit", TABLE, "--row", str(row_of(checkout, method)))


def test_every_row_leads_back_to_the_raw_record_and_is_recomputed(finished):
    done = audit(finished)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "equal" in done.stdout
    chain = "analyse evidence gather score restore train degrade convert fetch"
    for rule in chain.split():
        assert f"{rule} " in done.stdout, f"{rule} is not in the chain"


def test_a_record_can_be_audited_by_its_id(finished):
    score = audit(finished).stdout.split("score ")[1].split()[0]
    done = finished.thinslice("audit", score)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "analyse" not in done.stdout
    assert finished.thinslice("audit", "0123456789abcdef").returncode == 2


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
        "weights/edsr_small/phantom--box5.record.json",
        f"restored/{cell}.zarr/**/c/**/*",
        f"restored/{cell}.record.json",
        f"scores/{cell}.csv",
        f"scores/{cell}.record.json",
        "evidence/phantom/box5.scores.csv",
        "evidence/scores.csv",
        "evidence/evidence.record.json",
        "tables/benchmark.csv",
        "tables/benchmark.record.json",
    ]
    found = []
    for pattern in patterns:
        matches = sorted(path for path in results.glob(pattern) if path.is_file())
        assert matches, f"nothing matches {pattern}"
        found.append(str(matches[-1].relative_to(checkout.folder)))
    return found


def test_one_changed_byte_in_any_link_breaks_the_chain_and_is_named(tampered):
    row = str(row_of(tampered, "edsr_small"))
    for name in one_of_each(tampered):
        path = tampered.folder / name
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(bytes(changed))
        done = tampered.thinslice("audit", TABLE, "--row", row)
        path.write_bytes(whole)
        assert done.returncode == 1, f"{name}: {done.stdout}{done.stderr}"
        assert Path(name).name.split(".")[0] in done.stdout, f"{name}: {done.stdout}"
    assert tampered.thinslice("audit", TABLE, "--row", row).returncode == 0


def test_other_code_than_the_code_that_ran_breaks_the_chain(tampered):
    tampered.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    done = audit(tampered)
    assert done.returncode == 1
    assert "code of edsr_small" in done.stdout


def test_a_row_that_is_not_there_is_refused(finished):
    done = finished.thinslice("audit", TABLE, "--row", "100000")
    assert done.returncode == 1
    assert "not 100000" in done.stdout
