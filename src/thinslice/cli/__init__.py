"""The ``thinslice`` command, for people."""

from thinslice.cli.command import main

__all__ = ["main"]
