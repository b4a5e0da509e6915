"""The command's own entry: one subcommand per file of this room."""

import argparse
import sys
from collections.abc import Sequence

from thinslice import __version__
from thinslice.cli import audit, inspect, methods, metrics, restore, weights, why


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``thinslice``; returns the exit status, 0 where all is well."""
    parser = argparse.ArgumentParser(
        prog="thinslice", description="Thin-slice CT from thick-slice CT, measured and auditable."
    )
    parser.add_argument("--version", action="version", version=f"thinslice {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (inspect, restore, methods, weights, audit, why, metrics):
        module.add_to(commands)
    arguments = parser.parse_args(argv)
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
