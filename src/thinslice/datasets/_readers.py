"""Readers of a data set's cases, by case: what several processes can share (``ReadByCase``)."""

from collections.abc import Callable, Iterable, Mapping

from thinslice.errors import Refused
from thinslice.interfaces import Case


def by_case(readers: Iterable[tuple[str, Callable[[], Case]]]) -> Mapping[str, Callable[[], Case]]:
    """As a mapping in the same order; Refused where two cases have the same name."""
    named: dict[str, Callable[[], Case]] = {}
    for name, read in readers:
        if name in named:
            raise Refused(f"two cases are named {name!r}: rename the files of one of them")
        named[name] = read
    return named
