"""Whatever byte of the results is changed, an audit of the page names the file."""

import contextlib
import io
from pathlib import Path

import pytest

from support import tampering
from support.checkout import Checkout, twin
from thinslice.cli import main


def audited() -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        return main(["audit", tampering.PAGE]), printed.getvalue()


def uncovered(results: Path) -> list[str]:
    """Files that the chain behind the page holds neither itself nor by their store."""
    out = audited()[1]
    chains = [line.split()[-1] for line in out.splitlines() if "sha256" in line]
    stores = tuple(f"{path}/" for path in chains if path.endswith(".zarr"))
    return [
        str(path)
        for path in tampering.files(results)
        if str(path) not in chains
        and not path.name.endswith(".record.json")
        and not str(path).startswith(stores)
    ]


def test_a_few_dozen_edits_of_a_small_run_are_all_named(results):
    assert uncovered(Path("results")) == []
    assert tampering.unnamed(Path("results"), 60, seed=1) == []
    assert audited()[0] == 0  # and it is as it was


def test_every_file_that_is_taken_away_is_named(results):
    """But the second copy of a record, beside a store that its job did not make."""
    copy = Path("results/thick/own/acquired.record.json")
    for path in tampering.files(Path("results")):
        content = path.read_bytes()
        path.unlink()
        status, out = audited()
        path.write_bytes(content)
        named = any(str(path) in line for line in out.splitlines() if line.startswith("BROKEN"))
        assert (status, named) == ((0, False) if path == copy else (1, True)), path


@pytest.fixture
def tampered(finished, tmp_path, monkeypatch) -> Checkout:
    checkout = twin(finished, tmp_path / "thinslice")
    monkeypatch.chdir(checkout.folder)
    return checkout


@pytest.mark.slow
def test_a_thousand_edits_of_a_whole_run_are_all_named(tampered):
    """Of every rule: trained weights, curves, panels and pairs too."""
    assert uncovered(Path("results")) == []
    assert tampering.unnamed(Path("results"), 1000, seed=2) == []
    assert audited()[0] == 0
