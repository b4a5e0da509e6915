"""What the tests of the audit share."""

import shutil
from pathlib import Path

import pytest

from support import small_results


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """A folder with small results that no test changes."""
    return small_results.make(tmp_path_factory.mktemp("small") / "run")


@pytest.fixture
def results(small, tmp_path, monkeypatch) -> Path:
    """A copy of the folder with small results, to break; the current folder."""
    copy = tmp_path / "run"
    shutil.copytree(small, copy)
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def audit(capsys):
    """``thinslice audit``: exit status, standard output, standard error."""
    from thinslice.cli.command import main

    def call(*words) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["audit", *map(str, words)])
        return status, *capsys.readouterr()

    return call
