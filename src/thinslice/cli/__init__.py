"""The ``thinslice`` command."""

import os
import sys
from collections.abc import Sequence

STOPPED = 130  # what a shell expects of a command that Ctrl-C ended
CUT_OFF = 141  # of one whose reader went away, as in ``thinslice methods | head -1``


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``thinslice``; Ctrl-C ends it in one line, also while it is being loaded.

    A reader of its output that goes away ends it too, without a word.
    """
    try:
        from thinslice.cli import command

        status = command.main(argv)
        sys.stdout.flush()  # here, not at exit, where a closed pipe could not be caught
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at exit
        return CUT_OFF
    except KeyboardInterrupt:
        print("thinslice: stopped", file=sys.stderr)
        return STOPPED
