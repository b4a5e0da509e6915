"""What a piece of code computes, as a hash: over the syntax tree of a module and all it imports.

Comments, docstrings, formatting and file times do not count; a changed name, number or statement
does, in the module itself or in any thinslice module it imports, transitively. Standard library
only: the workflow plans with it before any array library is loaded.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "thinslice"
SOURCE = Path(__file__).resolve().parent.parent


def code_digest(*modules: str, script: Path | None = None, source: Path = SOURCE) -> str:
    """Digest (16 hex digits) of ``modules``, of ``script``, and of all thinslice code they import.

    modules    dotted names, e.g. "thinslice.methods.tvsrn"
    script     a file outside the package, e.g. workflow_scripts/train.py
    source     the folder that holds the package
    """
    start = list(modules)
    parts = []
    if script is not None:
        own, imported = _read(script, source)
        parts.append(f"script {own}")
        start += imported
    parts += [f"{name} {_read(_file(name, source), source)[0]}" for name in closure(start, source)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(modules: list[str], source: Path = SOURCE) -> list[str]:
    """Every thinslice module reached from ``modules`` by imports, sorted."""
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        if (file := _file(name, source)) is None:
            raise LookupError(f"no source for module {name!r} under {source}")
        seen.add(name)
        todo += _read(file, source)[1]
    return sorted(seen)


def _file(name: str, source: Path) -> Path | None:
    """The file behind a dotted name, if it is a module or a package of ours."""
    base = source / Path(*name.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


def _read(file: Path, source: Path) -> tuple[str, list[str]]:
    """Digest of one file's own tree, and the thinslice modules it imports."""
    stat = file.stat()
    return _parsed(file, source, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(file: Path, source: Path, mtime_ns: int, size: int) -> tuple[str, list[str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    canonical = "".join(_canonical(tree))
    imported = sorted(set(_imports(tree, source)))
    return hashlib.sha256(canonical.encode()).hexdigest(), imported


def _canonical(node: object) -> Iterator[str]:
    """A tree as text without positions, docstrings or empty fields.

    Empty fields are left out so that a newer Python, which adds optional ones, reads the same.
    """
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(value, list):
                value = _without_docstring(value)
            if value in (None, []) and not isinstance(node, ast.Constant):
                continue
            if name == "kind":  # the u in u"text"
                continue
            yield f" {name}="
            yield from _canonical(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _canonical(item)
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r};"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without the bare strings in it: docstrings compute nothing."""
    return [
        statement
        for statement in body
        if not (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        )
    ]


def _imports(tree: ast.AST, source: Path) -> Iterator[str]:
    """Names of the thinslice modules a tree imports, with the packages above them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in found:
            parts = name.split(".")
            if parts[0] == PACKAGE:
                above = (".".join(parts[:n]) for n in range(2, len(parts) + 1))
                yield from (module for module in above if _file(module, source))
