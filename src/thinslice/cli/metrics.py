"""``thinslice metrics``: test the metrics on cases whose answer is known in closed form."""

import argparse

from thinslice.audit import selftest


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "metrics",
        help="test the metrics on closed forms",
        description="Compute every metric on cases whose answer is known, and compare.",
    )
    parser.add_argument("what", choices=["selftest"], help="run every closed-form test")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every metric gives its closed form, 1 otherwise."""
    results = selftest.run()
    for name, expected, found, ok in results:
        print(f"{'ok    ' if ok else 'FAILED'}  {name}: expected {expected:g}, found {found:g}")
    failed = sum(not ok for *_, ok in results)
    print(f"{len(results) - failed} of {len(results)} closed forms hold")
    return 1 if failed else 0
