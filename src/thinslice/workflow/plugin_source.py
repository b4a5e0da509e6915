"""Read the settings of a plug-in from its source, without importing it.

Planning must know which settings there are, and a method's module would load torch. Settings are
the arguments of ``build``; where that takes ``**settings``, the fields of the module's dataclass
``Settings``, or of the one that it names in ``settings_of(...)``. Standard library only.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from thinslice.provenance.code_digest import PACKAGE, SOURCE

SETTINGS = "Settings"


class Setting(NamedTuple):
    """One argument of a plug-in: its annotation, where that is written, and its default."""

    annotation: ast.expr | None
    module: "Module"
    default: ast.expr | None  # None: it must be given


class Module(NamedTuple):
    """The names that a module defines or imports, as far as annotations need them."""

    name: str
    classes: dict[str, ast.ClassDef]
    functions: dict[str, ast.FunctionDef]
    values: dict[str, ast.expr]
    imported: dict[str, tuple[str, str]]  # name here -> (module, name there)

    def find(self, name: str) -> tuple["Module", ast.ClassDef | ast.expr] | None:
        """The class or value behind a name, wherever in the package it is written."""
        if name in self.classes:
            return self, self.classes[name]
        if name in self.values:
            return self, self.values[name]
        if name in self.imported and self.imported[name][0].startswith(f"{PACKAGE}."):
            there = module(self.imported[name][0])
            return there.find(self.imported[name][1]) if there else None
        return None


@cache
def module(name: str) -> Module | None:
    """A module of the package by its dotted name; None for a package or a foreign one."""
    file = SOURCE.joinpath(*name.split(".")).with_suffix(".py")
    if not file.is_file():
        return None
    parsed = Module(name, {}, {}, {}, {})
    for node in ast.parse(file.read_text(encoding="utf-8"), filename=str(file)).body:
        _add(node, parsed)
    return parsed


@cache
def settings(name: str) -> dict[str, Setting] | None:
    """The settings of a plug-in's module, by name; None where its source does not tell."""
    here = module(name)
    if here is None or "build" not in here.functions:
        return None
    build = here.functions["build"]
    taken = dict(_arguments(build.args, here))
    if build.args.kwarg is None:
        return taken
    kind = here.find(_class_of(build, build.args.kwarg.arg))
    if kind is None or not isinstance(kind[1], ast.ClassDef):
        return None
    return {**taken, **fields(kind[0], kind[1])}


def settings_class(name: str) -> dict[str, Setting]:
    """The fields of a module's dataclass ``Settings``; LookupError where it has none."""
    here = module(name)
    if here is None or SETTINGS not in here.classes:
        raise LookupError(f"{name} has no class {SETTINGS}")
    return fields(here, here.classes[SETTINGS])


def fields(where: Module, kind: ast.ClassDef) -> dict[str, Setting]:
    """The fields of a dataclass, those of its bases first."""
    collected: dict[str, Setting] = {}
    for base in kind.bases:
        above = where.find(base.id) if isinstance(base, ast.Name) else None
        if above is not None and isinstance(above[1], ast.ClassDef):
            collected |= fields(above[0], above[1])
    for node in kind.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if "ClassVar" not in ast.unparse(node.annotation):
                collected[node.target.id] = Setting(node.annotation, where, node.value)
    return collected


def constant(name: str, variable: str) -> object:
    """The value of a module's constant if it is written out; else None."""
    here = module(name)
    try:
        return ast.literal_eval(here.values[variable]) if here else None
    except (KeyError, ValueError):
        return None


def is_dataclass(kind: ast.ClassDef) -> bool:
    """Whether a class is decorated as a dataclass."""
    return any("dataclass" in ast.unparse(each) for each in kind.decorator_list)


def _class_of(build: ast.FunctionDef, keywords: str) -> str:
    """The class that ``build`` makes of its keywords: ``Settings`` unless it names another."""
    for node in ast.walk(build):
        if isinstance(node, ast.Call) and _uses(node, keywords):
            first = node.args[0] if node.args else node.func
            if isinstance(first, ast.Name) and first.id != keywords:
                return first.id
            if isinstance(node.func, ast.Name):
                return node.func.id
    return SETTINGS


def _uses(call: ast.Call, keywords: str) -> bool:
    passed = [*call.args, *(each.value for each in call.keywords if each.arg is None)]
    return any(isinstance(each, ast.Name) and each.id == keywords for each in passed)


def _arguments(given: ast.arguments, where: Module) -> Iterator[tuple[str, Setting]]:
    plain = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    pairs = [*zip(plain, defaults), *zip(given.kwonlyargs, given.kw_defaults)]
    for argument, default in pairs:
        yield argument.arg, Setting(argument.annotation, where, default)


def _add(node: ast.stmt, parsed: Module) -> None:
    if isinstance(node, ast.ClassDef):
        parsed.classes[node.name] = node
    elif isinstance(node, ast.FunctionDef):
        parsed.functions[node.name] = node
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        parsed.values[node.targets[0].id] = node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        parsed.values[node.target.id] = node.value
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            parsed.imported[alias.asname or alias.name] = (node.module, alias.name)
