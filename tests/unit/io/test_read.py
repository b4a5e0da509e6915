"""Whatever a person has is read right, or refused in one line; never a wrong geometry."""

import tempfile

import pytest

from support.inputs import CASES
from support.inputs_page import page
from support.paths import ROOT
from support.reading_law import holds


def test_there_are_enough_of_them():
    assert len(CASES) >= 350


def test_the_page_lists_them():
    """Made by ``python -m support.inputs_page``, with src and tests on PYTHONPATH."""
    assert (ROOT / "docs/reference/inputs.md").read_text() == page()


@pytest.mark.parametrize("name", CASES)
def test_read_right_or_refused_in_one_line(tmp_path, tmp_path_factory, monkeypatch, name):
    """And nothing is left where zips are unpacked."""
    room = tmp_path_factory.mktemp("room")
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    holds(CASES[name], tmp_path, monkeypatch)
    assert not list(room.iterdir())
