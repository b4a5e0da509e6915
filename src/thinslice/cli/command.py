"""Entry of the ``thinslice`` command: one subcommand per file of this folder."""

import argparse
import sys
from collections.abc import Sequence

from thinslice import __version__, errors
from thinslice.cli import audit, inspect, methods, metrics, restore, weights, why


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``thinslice``; returns the exit status: 0 on success, 2 after an error a user can fix.

    Such an error prints one line; any other is a bug and shows its traceback.
    """
    parser = argparse.ArgumentParser(
        prog="thinslice", description="Thin-slice CT from thick-slice CT, measured and auditable."
    )
    parser.add_argument("--version", action="version", version=f"thinslice {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (inspect, restore, methods, weights, audit, why, metrics):
        module.add_to(commands)
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except Exception as error:
        if not errors.is_expected(error) or isinstance(error, BrokenPipeError):
            raise
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"thinslice {arguments.command}: {errors.one_line(line)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
