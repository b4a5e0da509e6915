"""Cases of a law that every run checks; the others are marked slow."""

from collections.abc import Callable, Container, Iterable
from typing import Any

import pytest


def slow_but(quick: Container[Any], cases: Iterable[Any]) -> list[Any]:
    """The cases, as parameters of a test: those that are not quick are slow ones."""
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]


def first_of_each(cases: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """The cases, as parameters of a test: the first of every key is quick, the others slow."""
    cases = list(cases)
    first: dict[Any, Any] = {}
    for case in cases:
        first.setdefault(key(case), case)
    return slow_but(list(first.values()), cases)
