"""The part of a Python syntax tree that computes results, as text.

Left out: comments, formatting, docstrings, and text that only people read: the texts given to an
exception where it is raised, the message of an assert, a ``print`` or logging call that is a
statement of its own, and the help texts of ``argparse``. Whatever in such a text may change
something stays (``print(next(rows))``); so do the other arguments of an exception, which a handler
may compute with. Standard library only.
"""

import ast
from collections.abc import Iterator

Import = ast.Import | ast.ImportFrom

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LOGGERS = {"LOG", "log", "logger", "logging"}
TERMINAL = {"sys.stderr", "sys.stdout"}
HELP = {"help", "description", "epilog", "metavar"}
PARSERS = {"add_argument", "add_parser", "ArgumentParser"}
PURE = {"abs", "bool", "float", "format", "int", "len", "repr", "round", "str", "type"}
EFFECTS = (  # may change something; a comprehension or a star may use up an iterator
    ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom, ast.Starred,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip


def computing_text(tree: ast.AST) -> tuple[str, list[Import]]:
    """The text of a tree, and the import statements in it."""
    text: list[str] = []
    imports: list[Import] = []
    _walk(tree, text, imports)
    return "".join(text), imports


def _walk(node: object, text: list[str], imports: list[Import]) -> None:
    """Append a tree to ``text`` and its imports to ``imports``; one walk, for planning reads a
    hundred files.

    Positions and empty fields are left out, so that a newer Python, which adds optional fields,
    gives the same text.
    """
    if isinstance(node, ast.AST):
        if isinstance(node, Import):
            imports.append(node)
        text.append(f"({type(node).__name__}")
        for name, value in _fields(node):
            if value in (None, []) and not isinstance(node, ast.Constant):
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


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The fields of a node that compute."""
    for name in node._fields:
        value = getattr(node, name, None)
        if name == "kind":  # the u in u"text"
            continue
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            value = [part for statement in value for part in _computing(statement)]
        elif isinstance(node, ast.Assert) and name == "msg":
            value = _effects([node.msg])
        elif isinstance(node, ast.Raise) and name == "exc" and isinstance(value, ast.Call):
            arguments = [*value.args, *value.keywords]
            value = [value.func, *(part for each in arguments for part in _without_text(each))]
        elif name == "keywords" and isinstance(node, ast.Call) and _name(node.func) in PARSERS:
            value = [keyword for keyword in node.keywords if keyword.arg not in HELP]
        yield name, value


def _computing(statement: ast.stmt) -> list[ast.AST]:
    """A statement of a body, or what is left of it where only people read it."""
    if not isinstance(statement, ast.Expr):
        return [statement]
    value = statement.value
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return []
    if isinstance(value, ast.Call) and _is_message(value):
        return _effects([*value.args, *value.keywords])
    return [statement]


def _is_message(call: ast.Call) -> bool:
    """Whether a call writes to the terminal or the log, and nothing else."""
    if isinstance(call.func, ast.Name) and call.func.id == "print":
        files = [ast.unparse(each.value) for each in call.keywords if each.arg in ("file", None)]
        return set(files) <= TERMINAL
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in LOG_METHODS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in LOGGERS
    )


def _without_text(argument: ast.expr | ast.keyword) -> list[ast.AST]:
    """An argument of an exception; of a text, what in it may change something."""
    value = argument.value if isinstance(argument, ast.keyword) else argument
    return _effects([value]) if _is_text(value) else [argument]


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _effects(nodes: list[ast.AST | None]) -> list[ast.AST]:
    """The outermost parts of a text that may change something."""
    parts: list[ast.AST] = []
    for node in nodes:
        if node is None:
            continue
        if isinstance(node, EFFECTS) or (
            isinstance(node, ast.Call) and _name(node.func) not in PURE
        ):
            parts.append(node)
        else:
            parts += _effects(list(ast.iter_child_nodes(node)))
    return parts


def _name(function: ast.expr) -> str:
    """The last part of what is called: ``add_argument`` of ``parser.add_argument``."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
