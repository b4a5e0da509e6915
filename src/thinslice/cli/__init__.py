"""The ``thinslice`` command."""

import sys
from collections.abc import Sequence

STOPPED = 130  # what a shell expects of a command that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``thinslice``; Ctrl-C ends it in one line, also while it is being loaded."""
    try:
        from thinslice.cli import command

        return command.main(argv)
    except KeyboardInterrupt:
        print("thinslice: stopped", file=sys.stderr)
        return STOPPED
