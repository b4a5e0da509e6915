"""Config files as they are written: the lines of keys, and keys that are given twice.

Of a key given twice YAML keeps the last and says nothing: what a person wrote first would be lost.
Reads YAML with the parser that Snakemake brings.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from thinslice.errors import refused

MERGE = "tag:yaml.org,2002:merge"  # "<<" may stand several times


def check_keys(files: Sequence[Path]) -> None:
    """Refuse keys that a file gives twice in one table, with their lines; ValueError."""
    lines = [line for file in files for line in _twice(file, _node_of(file))]
    if lines:
        raise ValueError("\n".join(lines))


def check_syntax(file: Path) -> None:
    """Refuse a file that is no YAML, with the line; ValueError."""
    try:
        _node_of(file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}, line {mark.line + 1}" if mark else str(file)
        found = error.problem or "what is no YAML"
        advice = "check the indentation of this line and the one above: spaces, no tabs"
        raise refused(place, found, "YAML", advice) from None


def place_of(keys: Sequence[str], files: Sequence[Path]) -> str | None:
    """``FILE, line N`` of the last file that gives these nested keys; None if none does."""
    places = [f"{file}, line {line}" for file in files if (line := _line_of(keys, file))]
    return places[-1] if places else None


def _node_of(file: Path) -> yaml.Node | None:
    return yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)


def _line_of(keys: Sequence[str], file: Path) -> int | None:
    node, line = _node_of(file), None
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        given = [(name, value) for name, value in pairs if name.value == key]
        if not given:
            return None
        line, node = given[-1][0].start_mark.line + 1, given[-1][1]
    return line


def _twice(file: Path, node: yaml.Node | None) -> Iterator[str]:
    """A line for each key given twice, at any depth; what an alias repeats is said once."""
    waiting, seen = [node], set()
    while waiting:
        here = waiting.pop(0)
        if id(here) in seen:
            continue
        seen.add(id(here))
        if isinstance(here, yaml.SequenceNode):
            waiting += here.value
        elif isinstance(here, yaml.MappingNode):
            yield from _repeated(file, here)
            waiting += [value for _, value in here.value]


def _repeated(file: Path, table: yaml.MappingNode) -> Iterator[str]:
    first: dict[tuple[str, str], int] = {}
    for key, _ in table.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
            continue
        line = key.start_mark.line + 1
        if before := first.get((key.tag, key.value)):
            again = f"key {key.value!r} again, first on line {before}"
            advice = "keep one, or put what both hold into it"
            yield str(refused(f"{file}, line {line}", again, "each key once", advice))
        first.setdefault((key.tag, key.value), line)
