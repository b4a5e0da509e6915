"""Plumbing carries results and computes none, so code digests may leave it out.

A number, a constant or an array that comes out of plumbing would change results without changing a
digest; it belongs into a room that computes, or into `interfaces`.
"""

import ast
import inspect
import re
from importlib import import_module

import pytest

from support.paths import ROOT
from thinslice import interfaces, plugins
from thinslice.provenance.code_digest import PLUMBING, SOURCE, closure, is_plumbing
from thinslice.workflow import cells, manifest

CONSTANTS = {"SUFFIX"}  # the ending of a record's file name
# Of the process: into a record's facts, which efficiency reports as such; or to cut tiles to the
# memory that is free, which is no part of a result's identity (nor is restore_mem_mb).
MEASURED = {"gpu_memory_gib", "peak_memory_gib", "children_peak_memory_gib", "resident_bytes"}
NUMBER = re.compile(r"\b(float|int|complex|ndarray|Tensor|Grid|Volume|DataFrame)\b")

SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))


def computing_modules() -> list[str]:
    """Every module whose code a digest holds."""
    scripts = [f"thinslice.jobs.{path.stem}" for path in SCRIPTS]
    jobs = [name for name in scripts if is_module(name)]
    built = [
        plugins.module_name(kind, {"name": name, "kind": name})
        for kind in plugins.KINDS
        for name in plugins.names(kind)
    ]
    return [name for name in closure([*jobs, *built]) if not is_plumbing(name)]


def used_from_plumbing(code: str) -> set[tuple[str, str]]:
    """(module, name) of everything that a module takes from plumbing."""
    tree = ast.parse(code)
    used, modules = set(), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("thinslice"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if is_module(whole) and is_plumbing(whole):
                    modules[alias.asname or alias.name] = whole
                elif node.module != "thinslice" and is_plumbing(node.module):
                    used.add((node.module, alias.name))
        elif isinstance(node, ast.Import):
            assert not any(
                alias.name.startswith("thinslice.") and is_plumbing(alias.name)
                for alias in node.names
            ), "import plumbing by `from`, so that this test sees what is used"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in modules:
                used.add((modules[node.value.id], node.attr))
    return used


def is_module(name: str) -> bool:
    base = SOURCE.joinpath(*name.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def source_of(module: str) -> str:
    base = SOURCE.joinpath(*module.split("."))
    file = base.with_suffix(".py")
    return (file if file.is_file() else base / "__init__.py").read_text(encoding="utf-8")


def fault(room: str, name: str) -> str | None:
    """Why a name of plumbing may not be used by what computes; None if it may."""
    thing = getattr(import_module(room), name)
    if inspect.ismodule(thing) or name in MEASURED:
        return None
    if inspect.isclass(thing):
        functions = [each for key, each in vars(thing).items() if key[0] != "_" and callable(each)]
        return next((why for each in functions if (why := _gives(each))), None)
    if callable(thing):
        return _gives(thing)
    return None if name in CONSTANTS else f"{room}.{name} is a constant"


def _gives(function) -> str | None:
    returned = inspect.signature(function).return_annotation
    if returned is inspect.Signature.empty:
        return f"{function.__qualname__} does not say what it returns"
    text = getattr(returned, "__name__", "") + str(returned)
    return f"{function.__qualname__} returns {text}" if NUMBER.search(text) else None


def test_what_computes_takes_no_number_from_plumbing():
    faults = {
        f"{module} uses {room}.{name}: {why}"
        for module in computing_modules()
        for room, name in used_from_plumbing(source_of(module))
        if (why := fault(room, name))
    }
    assert faults == set()


@pytest.mark.parametrize(
    "code",
    [
        "from thinslice.provenance.code_digest import DIGITS",
        "from thinslice.provenance import code_digest\nx = code_digest.DIGITS",
        "def f():\n    from thinslice.provenance import environment as e\n    return e.PACKAGES",
    ],
)
def test_a_constant_of_plumbing_is_seen_however_it_is_taken(code):
    assert any(fault(room, name) for room, name in used_from_plumbing(code))


def test_the_rooms_are_there_and_named_once():
    for room in PLUMBING:
        assert is_module(f"thinslice.{room}")


def test_words_of_the_interfaces_are_those_of_the_workflow():
    """Plumbing needs them too, and may not import what computes."""
    assert cells.ACQUIRED == interfaces.ACQUIRED
    assert manifest.SPLITS == interfaces.SPLITS


@pytest.mark.parametrize("kind", ["datasets", "degradations", "methods"])
def test_no_weights_rest_on_the_columns_of_tables(kind):
    for name in plugins.names(kind):
        reached = closure([plugins.module_name(kind, {"name": name})])
        assert "thinslice.columns" not in reached, f"a new column would rerun {name}"


def test_the_manifest_s_parser_and_the_list_of_a_scan_s_files_count():
    reached = closure(["thinslice.datasets.own_data"])
    assert {"thinslice.workflow.manifest", "thinslice.workflow.scan_files"} <= set(reached)


def compared_errors(code: str) -> list[str]:
    """Comparisons that an exception handler makes with the error it caught."""
    handlers = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ExceptHandler)]
    return [
        ast.unparse(compare)
        for handler in handlers
        for compare in ast.walk(handler)
        if isinstance(compare, ast.Compare)
        for name in ast.walk(compare)
        if isinstance(name, ast.Name) and name.id == handler.name
    ]


def test_what_computes_tells_errors_apart_by_class_and_not_by_their_words():
    """A digest leaves the words out, so rewording one would change results unseen."""
    faults = {name: compared_errors(source_of(name)) for name in computing_modules()}
    assert {name: compared for name, compared in faults.items() if compared} == {}
