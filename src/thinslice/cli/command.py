"""Entry of the ``thinslice`` command: one subcommand per file of this folder."""

import logging
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from thinslice import __version__, errors
from thinslice.cli.parsing import Parser

LOG_LINE = "%(asctime)s %(name)s: %(message)s"
COMMANDS = {  # a file of this folder, imported only where it is the one that is called
    "inspect": "list the scans in a folder and their problems",
    "restore": "restore a thick scan on thin slices",
    "thicken": "make a thin scan thick, by a known slice profile",
    "pairs": "find and certify thick and thin series of one acquisition",
    "methods": "list the methods a scan can be restored by",
    "weights": "show what a file of weights holds",
    "audit": "verify the chain behind a number, a file, a scan or weights",
    "capsule": "pack what a table or the report rests on, for a stranger to check",
    "rerun": "make a cell again from raw data in a scratch folder, and compare",
    "why": "say what changed since a result was made",
    "study": "a blind comparison of methods by readers",
    "completion": "print a script for a shell's completion",
    "metrics": "test the metrics on closed forms",
}


def parser_of(words: Sequence[str], *, every: bool = False) -> Parser:
    """The parser for these words: every command by its name, the called one with its arguments.

    every   each command with its arguments
    """
    parser = Parser(
        prog="thinslice", description="Thin-slice CT from thick-slice CT, measured and auditable."
    )
    parser.add_argument("--version", action="version", version=f"thinslice {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = next((word for word in words if not word.startswith("-")), None)
    for name, purpose in COMMANDS.items():
        if every or name == called:
            import_module(f"thinslice.cli.{name}").add_to(commands)
        else:
            commands.add_parser(name, help=purpose)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``thinslice``; returns the exit status: 0 on success, 2 after an error a user can fix.

    Such an error prints one line; any other is a bug and shows its traceback.
    """
    words = sys.argv[1:] if argv is None else argv
    parser = parser_of(words)
    if not words:
        parser.print_help()
        return 0
    arguments = parser.parse_args(words)
    verbose = getattr(arguments, "verbose", False)
    if verbose:
        logging.basicConfig(level=logging.INFO, format=LOG_LINE)
    try:
        return arguments.run(arguments)
    except Exception as error:
        if not errors.is_expected(error) or isinstance(error, BrokenPipeError):
            raise
        if verbose and arguments.command == "restore":
            traceback.print_exc()
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"thinslice {arguments.command}: {errors.one_line(line)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
