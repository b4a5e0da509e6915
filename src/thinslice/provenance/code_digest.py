"""Digests of code: over the part of a module's syntax tree that computes, and of all it imports.

Comments, docstrings, formatting, messages and file times do not count (``syntax``); a changed name,
number or statement does, in the module itself or in any thinslice module it imports, transitively:
by name, relatively, or as a package whose __init__ runs on the way.

The rooms of ``PLUMBING`` carry results and never compute them, so they do not count at all.
Standard library only: the workflow plans with it before any array library is loaded.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from thinslice.provenance.syntax import Import, computing_text

PACKAGE = "thinslice"
PLUMBING = ("errors", "fs", "provenance", "runtime", "workflow")  # tests/contracts/test_plumbing.py
COUNTED = (  # in a plumbing room, but thicknesses and the files of a scan reach results
    "thinslice.workflow.manifest",
    "thinslice.workflow.scan_files",
    "thinslice.workflow.spreadsheet",
)
SOURCE = Path(__file__).resolve().parents[2]
DIGITS = 16  # of SHA-256, in hexadecimal


def code_digest(*modules: str, script: Path | None = None, source: Path = SOURCE) -> str:
    """Digest (16 hex digits) of ``modules``, of ``script``, and of all thinslice code they import.

    modules    dotted names, e.g. "thinslice.methods.tvsrn"
    script     a file outside the package, e.g. workflow_scripts/train.py
    source     the folder that holds the package
    """
    return digest_of_digests(module_digests(*modules, script=script, source=source))


def module_digests(
    *modules: str, script: Path | None = None, source: Path = SOURCE
) -> dict[str, str]:
    """Digest of each file that counts: thinslice modules by dotted name, a script by file name."""
    start, digests = list(modules), {}
    if script is not None:
        digests[script.name], imported = _read(script, source, "")
        start += [name for name in imported if not is_plumbing(name)]
    for name in closure(start, source):
        digests[name] = _read(_file_of(name, source), source, name)[0]
    return digests


def digest_of_digests(digests: Mapping[str, str]) -> str:
    """One digest of several; their order does not count."""
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def closure(modules: Iterable[str], source: Path = SOURCE) -> list[str]:
    """Every thinslice module reached from ``modules`` by imports, sorted, plumbing left out.

    LookupError for a module that is not there.
    """
    reached: set[str] = set()
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        further = [*_packages_above(name), *_read(_file_of(name, source), source, name)[1]]
        todo += [module for module in further if not is_plumbing(module)]
    return sorted(reached)


def is_plumbing(module: str) -> bool:
    """Whether a module carries results and computes none."""
    return module.split(".")[1] in PLUMBING and module not in COUNTED


def _packages_above(name: str) -> list[str]:
    """The packages that importing a module runs first; not thinslice itself, a version number."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(2, len(parts))]


def _file_of(name: str, source: Path) -> Path:
    file = _find_file(name, source)
    if file is None:
        raise LookupError(f"no source for module {name!r} under {source}")
    return file


def _find_file(name: str, source: Path) -> Path | None:
    """The file behind a dotted name, if it is a module or a package of this project."""
    base = source / Path(*name.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


def _read(file: Path, source: Path, name: str) -> tuple[str, list[str]]:
    """Digest of one file alone, and the thinslice modules it imports; ``name`` is its own."""
    stat = file.stat()
    return _parse(file, source, name, stat.st_mtime_ns, stat.st_size)


@cache
def _parse(file: Path, source: Path, name: str, mtime_ns: int, size: int) -> tuple[str, list[str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    text, statements = computing_text(tree)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    imported = sorted(set(_imports(statements, source, package)))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS], imported


def _imports(statements: list[Import], source: Path, package: str) -> Iterator[str]:
    """Names of the thinslice modules that import statements reach."""
    for node in statements:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = _absolute(node, package)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.startswith(f"{PACKAGE}.") and _find_file(name, source):
                yield name


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """What ``from ..x import y`` inside a package means, spelled out."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(
        [*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])]
    )
