"""Fields of a statement that the audit reads, and their types.

A file may bear a statement's name and be none, or be one that somebody edited.
"""

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

Types = type | tuple[type, ...]
FIELDS: Mapping[str, Types] = {
    **{"input.path": (str, NoneType), "input.sha256": str, "input.files": dict},
    **{"output.sha256": str, "output.files": dict, "run.started": str, "versions": dict},
    **{f"grids.{name}.thickness_mm": (int, float) for name in ("input", "output")},
}
WHERE_NAMED: Mapping[str, Mapping[str, Types]] = {  # a method, its weights, a degradation
    "method": {"method.card.name": str},
    "method.card.settings": {"method.card.settings": dict},
    "method.weights": {"method.weights.name": str, "method.weights.sha256": str},
    "degradation": {"degradation.name": str},
}
OF_TEXTS = ("input.files", "output.files", "versions")  # hashes or versions by name
MISSING = object()


def problems(content: Any) -> Iterator[str]:
    """Every field that is missing or of another type, in words; none for a statement."""
    for field, types in _fields_of(content).items():
        value = _at(content, field)
        if not isinstance(value, types) or isinstance(value, bool):
            yield f"no {field}" if value is MISSING else f"{field} is {type(value).__name__}"
        elif field in OF_TEXTS and not all(isinstance(each, str) for each in value.values()):
            yield f"{field} holds more than texts"


def _fields_of(content: Any) -> dict[str, Types]:
    fields = dict(FIELDS)
    for name, more in WHERE_NAMED.items():
        if _at(content, name) not in (MISSING, None):
            fields |= more
    return fields


def _at(content: Any, field: str) -> Any:
    """The value at ``a.b.c``; MISSING where there is none."""
    for name in field.split("."):
        if not isinstance(content, dict) or name not in content:
            return MISSING
        content = content[name]
    return content
