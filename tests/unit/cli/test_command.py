"""Errors of a command: one line for what a person can act on, a traceback for a bug."""

import os
import subprocess
import sys

import pytest

from support.paths import importing
from thinslice.cli import CUT_OFF, main, methods
from thinslice.errors import refused

EXPECTED = [
    refused("a.nii", "nothing", "a scan", "check the path"),
    FileNotFoundError(2, "No such file or directory", "a.nii"),
    MemoryError("Unable to allocate 2 TiB"),
    RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    OSError(),
]


def failing(monkeypatch, error):
    def fail(arguments):
        raise error

    monkeypatch.setattr(methods, "run", fail)


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: type(error).__name__)
def test_an_expected_error_is_one_line_and_status_2(capsys, monkeypatch, error):
    failing(monkeypatch, error)
    assert main(["methods"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"thinslice methods: {str(error) or type(error).__name__}"


BUGS = [KeyError("a"), ValueError("shapes"), RuntimeError("no"), ZeroDivisionError(), TypeError()]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: type(bug).__name__)
def test_a_bug_keeps_its_traceback(monkeypatch, bug):
    failing(monkeypatch, bug)
    with pytest.raises(type(bug)):
        main(["methods"])


def test_a_reader_that_goes_away_ends_it_without_a_word():
    """As ``thinslice methods | head -1`` does."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "thinslice", "methods"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=importing())
    os.close(write)
    assert (done.returncode, done.stderr) == (CUT_OFF, b"")
