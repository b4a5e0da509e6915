"""Parsers whose errors begin with the nearest word that exists."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

MEANING = {"gpu": "cuda"}  # words that look like others


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that says in one line what is wrong, "did you mean" first."""

    of_file: str | None = None  # the subcommand that a file's name was meant for

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        what = "/".join(action.option_strings) or action.metavar or action.dest
        hint = nearest(str(value), choices)
        if not hint and self.of_file and Path(str(value)).exists():
            hint = f"did you mean `{self.prog} {self.of_file} {value}`? "
        self.error(f"{hint}{what} {str(value)!r} is none of {', '.join(choices)}")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As ``ArgumentParser``; an unknown option is named with the nearest one."""
        arguments, unknown = self.parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            self.error(f"{nearest(word, options_of(self))}no argument {word!r} here")
        return arguments

    def error(self, message: str) -> NoReturn:
        """One line and status 2."""
        self.exit(2, f"{self.prog}: {message}{_order(self, message)} (see {self.prog} --help)\n")


def _order(parser: argparse.ArgumentParser, message: str) -> str:
    """A hint where an argument is missing that an option of several values may have taken."""
    missing = message.partition("are required: ")[2].split(", ")
    places = {a.metavar or a.dest for a in parser._actions if not a.option_strings}
    greedy = [a.option_strings[-1] for a in parser._actions if a.option_strings and a.nargs == "+"]
    if not greedy or not places.intersection(missing):
        return ""
    return f"; write it before {' and '.join(greedy)}, which take every word that follows"


def nearest(word: str, words: Iterable[str]) -> str:
    """A question that names the nearest of ``words``; empty where none is near."""
    choices = list(words)
    near = [choice for choice in choices if choice == MEANING.get(word)]
    near = near or get_close_matches(word, choices, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def subparsers_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of its subcommands, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


def options_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Its options, and those of its subcommands."""
    for action in parser._actions:
        yield from action.option_strings
    for below in subparsers_of(parser).values():
        yield from options_of(below)
