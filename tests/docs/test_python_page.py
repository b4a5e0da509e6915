"""The page on Python names every argument and attribute as the code has them, and no other."""

import inspect
import re
from importlib import import_module

import pytest

import thinslice
from support.paths import ROOT
from thinslice.interfaces import Run
from thinslice.io.scan import LoadedScan
from thinslice.restoration.quality import Trust
from thinslice.restoration.restore import Result
from thinslice.volume import Grid, Volume

PAGE = (ROOT / "docs/reference/python.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ATTRIBUTES = {
    "read": (LoadedScan, ["volume", "source", "files"]),
    "restore": (Result, ["volume", "trust", "warnings", "wall_s", "planned"]),
    "Volumes": (Volume, ["voxels", "grid", "modality", "padding"]),
}


@pytest.mark.parametrize("name", ["read", "restore", "thicken"])
def test_every_argument_is_named_and_no_other(name):
    first, *arguments = inspect.signature(getattr(thinslice, name)).parameters
    assert first in ("path", "scan")
    words = set(re.findall(r"`(\w+)`", SECTIONS[name]))
    assert set(arguments) <= words
    rows = re.findall(r"^\| (`.+?) \|", SECTIONS[name], re.MULTILINE)
    listed = [word for row in rows for word in re.findall(r"`(\w+)`", row)]
    assert not listed or set(listed) == set(arguments)


def test_write_takes_what_the_page_says():
    assert "`write(result, out, overwrite=False)`" in SECTIONS["write"]
    assert list(inspect.signature(thinslice.write).parameters) == ["result", "out", "overwrite"]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_what_is_returned_has_these_attributes(name):
    kind, attributes = ATTRIBUTES[name]
    for attribute in attributes:
        assert f"`{attribute}`" in SECTIONS[name]
        assert attribute in dir(kind) or attribute in kind.__annotations__


def test_trust_grid_and_run_have_what_is_named():
    for attribute in ("advice", "verdict", "flagged", "noise", "to_json"):
        assert f"`{attribute}" in SECTIONS["restore"]
        assert hasattr(Trust, attribute)
    grid = "n increment_mm thickness_mm shape pixel_mm origin_mm direction start_mm".split()
    for attribute in (*grid, "centres_mm", "affine"):
        assert f"`{attribute}" in SECTIONS["Volumes"]
        assert attribute in Grid.__annotations__ or hasattr(Grid, attribute)
    for attribute in ("device", "threads", "max_memory_gib", "progress", "work"):
        assert f"`{attribute}`" in SECTIONS["restore"]
        assert attribute in Run.__annotations__


def test_every_dotted_name_can_be_imported():
    for module, name in re.findall(r"`(thinslice(?:\.\w+)+)\.([A-Z]\w+)`", PAGE):
        assert hasattr(import_module(module), name)
