"""What a piece of code computes, as a hash: over the syntax tree of a module and all it imports.

Comments, docstrings, formatting and file times do not count; a changed name, number or statement
does, in the module itself or in any thinslice module it imports, transitively: by name, relatively,
or as a package whose __init__ runs on the way. Standard library only: the workflow plans with it
before any array library is loaded.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "thinslice"
SOURCE = Path(__file__).resolve().parents[2]


def code_digest(*modules: str, script: Path | None = None, source: Path = SOURCE) -> str:
    """Digest (16 hex digits) of ``modules``, of ``script``, and of all thinslice code they import.

    modules    dotted names, e.g. "thinslice.methods.tvsrn"
    script     a file outside the package, e.g. workflow_scripts/train.py
    source     the folder that holds the package
    """
    start = list(modules)
    parts = []
    if script is not None:
        own, imported = _read(script, source, "")
        parts.append(f"script {own}")
        start += imported
    for name in closure(start, source):
        parts.append(f"{name} {_read(_found(name, source), source, name)[0]}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(modules: list[str], source: Path = SOURCE) -> list[str]:
    """Every thinslice module reached from ``modules`` by imports, sorted; LookupError if none."""
    seen: set[str] = set()
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo += [*_above(name), *_read(_found(name, source), source, name)[1]]
    return sorted(seen)


def _above(name: str) -> list[str]:
    """The packages that importing a module runs first; not thinslice itself, a version number."""
    parts = name.split(".")
    return [".".join(parts[:n]) for n in range(2, len(parts))]


def _found(name: str, source: Path) -> Path:
    file = _file(name, source)
    if file is None:
        raise LookupError(f"no source for module {name!r} under {source}")
    return file


def _file(name: str, source: Path) -> Path | None:
    """The file behind a dotted name, if it is a module or a package of ours."""
    base = source / Path(*name.split("."))
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


def _read(file: Path, source: Path, name: str) -> tuple[str, list[str]]:
    """Digest of one file's own tree, and the thinslice modules it imports; ``name`` is its own."""
    stat = file.stat()
    return _parsed(file, source, name, stat.st_mtime_ns, stat.st_size)


@cache
def _parsed(file: Path, source: Path, name: str, mtime_ns: int, size: int) -> tuple[str, list[str]]:
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    text: list[str] = []
    found: list[ast.Import | ast.ImportFrom] = []
    _walk(tree, text, found)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    imported = sorted(set(_imports(found, source, package)))
    return hashlib.sha256("".join(text).encode()).hexdigest(), imported


def _walk(node: object, text: list[str], imports: list[ast.Import | ast.ImportFrom]) -> None:
    """Append a tree to ``text`` without positions, docstrings or empty fields, and its import
    statements to ``imports``; one walk, for planning reads a hundred files.

    Empty fields are left out so that a newer Python, which adds optional ones, reads the same.
    """
    if isinstance(node, ast.AST):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        text.append(f"({type(node).__name__}")
        for name in node._fields:
            value = getattr(node, name, None)
            if name == "body" and isinstance(value, list):
                value = _without_docstring(value)
            if value in (None, []) and not isinstance(node, ast.Constant):
                continue
            if name == "kind":  # the u in u"text"
                continue
            text.append(f" {name}=")
            _walk(value, text, imports)
        text.append(")")
    elif isinstance(node, list):
        text.append("[")
        for item in node:
            _walk(item, text, imports)
        text.append("]")
    else:
        text.append(f"{type(node).__name__}:{node!r};")


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


def _imports(
    statements: list[ast.Import | ast.ImportFrom], source: Path, package: str
) -> Iterator[str]:
    """Names of the thinslice modules that import statements reach."""
    for node in statements:
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        else:
            base = _absolute(node, package)
            found = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for name in found:
            if name.startswith(f"{PACKAGE}.") and _file(name, source):
                yield name


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """What ``from ..x import y`` inside a package means, spelled out."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(
        [*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])]
    )
