"""The tree of tests: what tests share is in ``support``, and no test imports another test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.paths import ROOT, TESTS

MODULES = {str(path.relative_to(TESTS)): path for path in sorted(TESTS.rglob("*.py"))}
NOT_SHARED = re.compile(r"(?:.*\.)?(?:test_\w+|conftest)(?:\..*)?")
IN_TEXT = re.compile(r"(?:^|;)[ \t]*(?:from|import)[ \t]+([\w.]+)", re.MULTILINE)


def imported(source: str) -> Iterator[str]:
    """Names that a module imports, also in programs that it holds as text."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Constant(value=str(text)):
                yield from IN_TEXT.findall(text)


def test_no_module_imports_a_test_module():
    wrong = {
        name: found
        for name, path in MODULES.items()
        if (found := [*filter(NOT_SHARED.fullmatch, imported(path.read_text()))])
    }
    assert not wrong, f"move what is shared to tests/support: {wrong}"


@pytest.mark.parametrize("name", ["test_a", "a.test_b", "conftest"])
@pytest.mark.parametrize(
    "source",
    [
        "import {}",
        "from {} import b",
        "from {} import (c,\n    d)",
        "CODE = 'import sys\\nfrom {} import b'",
        "CODE = 'import sys; import {} as t'",
    ],
)
def test_every_way_to_import_a_test_is_noticed(source, name):
    assert any(map(NOT_SHARED.fullmatch, imported(source.format(name))))


def test_modules_outside_support_are_tests_and_no_module_in_it_is_one():
    for name, path in MODULES.items():
        is_test = path.name.startswith("test_") or path.name == "conftest.py"
        assert is_test != (Path(name).parts[0] == "support"), name


def test_places_are_computed_in_one_module():
    for name, path in MODULES.items():
        names = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert "__file__" not in names or name == "support/paths.py", name


def test_unit_tests_mirror_the_rooms():
    rooms = ROOT / "src/thinslice"
    for folder in (path for path in (TESTS / "unit").rglob("*") if path.is_dir()):
        if folder.name != "__pycache__":
            assert (rooms / folder.relative_to(TESTS / "unit")).is_dir(), f"no room for {folder}"
