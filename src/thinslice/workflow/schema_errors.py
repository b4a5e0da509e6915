"""Put an error of the config's schema into one line: where, what is wrong, what was meant.

The validator's own message ends with the schema and the config, hundreds of lines. Standard library
only: the error is known by its attributes.
"""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

KINDS = {
    "object": "a table (lines of key: value)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
MOST = 200  # characters of a message that quotes a whole table


def is_of_schema(error: BaseException | None) -> bool:
    """Whether an error says which value of a config breaks which rule of its schema."""
    return hasattr(error, "absolute_path") and hasattr(error, "validator")


def in_words(error: Any) -> str:
    """One line of a schema error, e.g. "config: grid: no key 'method'; did you mean 'methods'?"."""
    where = ": ".join(["config", *map(str, error.absolute_path)])
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {})
        if unknown := [key for key in error.instance if key not in known]:
            return f"{where}: {'; '.join(_unknown(unknown, list(known)))}"
    text = " ".join(str(error.message).split())
    if error.validator == "required" and isinstance(error.instance, dict):
        text = "; ".join(_missing(error))
    if error.validator == "pattern" and "description" in error.schema:
        text = f"found {error.instance!r}; expected {error.schema['description']}"
    if error.validator == "type":
        kinds = error.validator_value
        kinds = [kinds] if isinstance(kinds, str) else kinds
        expected = " or ".join(KINDS.get(kind, kind) for kind in kinds)
        text = f"found {_short(json.dumps(error.instance, default=str))}; expected {expected}"
    return f"{where}: {_short(text)}"


def _missing(error: Any) -> Iterator[str]:
    """Each key that is not there, and the unknown one that may have been meant for it."""
    known = error.schema.get("properties", {})
    unknown = [str(key) for key in error.instance if key not in known]
    for key in error.validator_value:
        if key not in error.instance:
            near = get_close_matches(key, unknown, n=1)
            hint = f"; did you mean it by {near[0]!r}?" if near else ""
            yield f"no key {key!r}, which is required{hint}"


def _short(text: str) -> str:
    return f"{text[:MOST]}{'...' if text[MOST:] else ''}"


def _unknown(keys: list[Any], known: list[str]) -> Iterator[str]:
    for key in keys:
        near = get_close_matches(str(key), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        yield f"no key {key!r}; {hint}"
