"""Compare a value of the config with the annotation of the setting it is given for.

YAML reads ``1e-3`` as text and ``20`` in quotes too; Python would compare text with numbers only
when a job uses it, hours later. An annotation that is not known here accepts everything. Standard
library only.
"""

import ast
import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from thinslice.workflow import plugin_source
from thinslice.workflow.plugin_source import Module

Where = tuple[ast.expr, Module]
NAMED = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
LISTS = ("list", "List", "Sequence", "Collection", "Iterable", "tuple", "Tuple")
TABLES = ("dict", "Dict", "Mapping")
EXPONENT = re.compile(r"([-+]?\d+)[eE]([-+]?)(\d+)")


def problem(value: Any, annotation: ast.expr | None, where: Module) -> str | None:
    """What is wrong with a value, in words; None if the annotation accepts it."""
    if annotation is None:
        return None
    node, where = _resolved(annotation, where)
    parts = [_resolved(part, where) for part in _parts(node)]
    reasons = [_mismatch(value, *part) for part in parts]
    if None in reasons:
        return None
    of_same_shape = [reason for reason in reasons if reason and not reason.startswith("found")]
    if of_same_shape:
        return of_same_shape[0]
    expected = " or ".join(dict.fromkeys(_words(*part) for part in parts))
    return f"found {_shown(value)}; expected {expected}{_advice(value, parts)}"


def _resolved(node: ast.expr, where: Module) -> Where:
    """An annotation behind aliases and quotes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = ast.parse(node.value, mode="eval").body
    if isinstance(node, ast.Name) and node.id not in NAMED:
        behind = where.find(node.id)
        if behind is not None and isinstance(behind[1], ast.expr):
            return _resolved(behind[1], behind[0])
    return node, where


def _parts(node: ast.expr) -> list[ast.expr]:
    """The members of a union."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_parts(node.left), *_parts(node.right)]
    return [node]


def _mismatch(value: Any, node: ast.expr, where: Module) -> str | None:
    """Why one member of a union refuses a value: "found ...", or what is wrong inside of it."""
    no = f"found {_shown(value)}"
    if isinstance(node, ast.Constant) and node.value is None:
        return None if value is None else no
    if isinstance(node, ast.BinOp):
        return problem(value, node, where)
    if isinstance(node, ast.Name):
        if (kind := where.find(node.id)) and isinstance(kind[1], ast.ClassDef):
            return _of_dataclass(value, kind[1], kind[0]) or None
        return None if _is(value, node.id) else no
    if not isinstance(node, ast.Subscript):
        return None
    name, inner = _arguments(node)
    if name == "Annotated":
        return _mismatch(value, inner[0], where) or _mismatch(value, inner[1], where)
    if name == "Literal":
        return None if any(_same(value, ast.literal_eval(each)) for each in inner) else no
    if name in LISTS:
        return _of_list(value, name, inner, where) if isinstance(value, list) else no
    if name in TABLES:
        return _of_table(value, inner, where) if isinstance(value, Mapping) else no
    return None


def _arguments(node: ast.Subscript) -> tuple[str, list[ast.expr]]:
    """The name and the arguments of ``Sequence[int]`` and the like."""
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return ast.unparse(node.value).rpartition(".")[2], inner


def _same(value: Any, choice: Any) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)


def _is(value: Any, name: str) -> bool:
    if name == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds = {"str": str, "bool": bool}
    return name not in kinds or isinstance(value, kinds[name])


def _of_list(value: list, name: str, inner: list[ast.expr], where: Module) -> str | None:
    """What is wrong in a list, by place; a tuple of several annotations has a fixed length."""
    fixed = name in ("tuple", "Tuple") and ast.unparse(inner[-1]) not in ("...", "Ellipsis")
    if fixed and len(value) != len(inner):
        return f"{_shown(value)} has {len(value)} values; expected {len(inner)}"
    for k, item in enumerate(value):
        if why := problem(item, inner[k if fixed else 0], where):
            return f"value {k + 1}: {why}"
    return None


def _of_table(value: Mapping, inner: list[ast.expr], where: Module) -> str | None:
    for key, item in value.items():
        if why := problem(key, inner[0], where):
            return f"key {why}"
        if why := problem(item, inner[-1], where):
            return f"{key}: {why}"
    return None


def _of_dataclass(value: Any, kind: ast.ClassDef, where: Module) -> str | None:
    """What is wrong in the settings of a nested dataclass; other classes accept everything."""
    if not plugin_source.is_dataclass(kind):
        return None
    if not isinstance(value, Mapping):
        return f"found {_shown(value)}"
    known = plugin_source.fields(where, kind)
    for name, item in value.items():
        if name not in known:
            return no_setting(name, known)
        if why := problem(item, known[name].annotation, known[name].module):
            return f"{name}: {why}"
    return None


def no_setting(name: str, known: Mapping[str, Any]) -> str:
    """The words for a setting that is not there, with the nearest one that is."""
    near = get_close_matches(str(name), known, n=1) or [k for k in known if k.startswith(str(name))]
    there = f"there are {', '.join(known)}" if known else "it has none"
    return f"no setting {name!r}; " + (f"did you mean {near[0]!r}?" if near else there)


def _words(node: ast.expr, where: Module) -> str:
    if isinstance(node, ast.Constant) and node.value is None:
        return "null"
    if isinstance(node, ast.Name):
        return NAMED.get(node.id, "a table of settings")
    if not isinstance(node, ast.Subscript):
        return ast.unparse(node)
    name, inner = _arguments(node)
    if name == "Literal":
        return " or ".join(str(ast.literal_eval(each)) for each in inner)
    return "a list" if name in LISTS else "a table"


def _shown(value: Any) -> str:
    """A value as YAML would write it."""
    return f"the text {value!r}" if isinstance(value, str) else json.dumps(value, default=str)


def _advice(value: Any, parts: list[Where]) -> str:
    """How to write a number that YAML reads as text."""
    numbers = {"int", "float"} & {part.id for part, _ in parts if isinstance(part, ast.Name)}
    if not isinstance(value, str) or not numbers:
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    if written := EXPONENT.fullmatch(value):
        return f"; write {written[1]}.0e{written[2] or '+'}{written[3]}"
    return f"; write {value} without quotes"
