"""Readers of a data set's cases, by case: what several processes can share (``ReadByCase``)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from thinslice.errors import Refused

Reader = TypeVar("Reader", bound=Callable[..., Any])


def by_case(readers: Iterable[tuple[str, Reader]]) -> Mapping[str, Reader]:
    """As a mapping in the same order; Refused where two cases have the same name."""
    named: dict[str, Reader] = {}
    for name, read in readers:
        if name in named:
            raise Refused(f"two cases are named {name!r}: rename the files of one of them")
        named[name] = read
    return named
