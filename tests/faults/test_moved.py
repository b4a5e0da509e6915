"""Results in another place: with their memory they are as good, without it they are refused."""

import shutil

import pytest

from support.checkout import Checkout, twin


@pytest.fixture
def moved(finished, tmp_path) -> Checkout:
    """A checkout whose results lie in a folder of their own beside it."""
    checkout = twin(finished, tmp_path / "before")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for part in ("results", ".snakemake"):
        shutil.move(checkout.folder / part, elsewhere / part)
    shutil.copytree(
        checkout.folder / "tests", elsewhere / "tests"
    )  # the config is named from there
    checkout.folder.rename(tmp_path / "after")
    return Checkout(tmp_path / "after")


def test_results_and_checkout_moved_apart_have_nothing_to_do(moved):
    assert moved.planned("--directory", str(moved.folder.parent / "elsewhere")) == set()


def test_results_moved_without_their_memory_are_refused_and_told_what_to_bring(moved):
    elsewhere = moved.folder.parent / "elsewhere"
    shutil.rmtree(elsewhere / ".snakemake")
    done = moved.run("-n", "--directory", str(elsewhere), check=False)
    assert done.returncode != 0
    assert f"refused: {elsewhere / 'results'} holds results" in done.stdout
    assert "Bring .snakemake along" in done.stdout
    assert "Traceback" not in done.stderr
