"""One row of a finished run's main table, audited."""

import contextlib
import io
from subprocess import CompletedProcess

from support.checkout import Checkout
from thinslice.cli import main

TABLE = "results/tables/benchmark.csv"


def row_of(checkout: Checkout, method: str) -> int:
    """The number of a row about a fitted cell, whose chain is the longest there is."""
    lines = (checkout.folder / TABLE).read_text().splitlines()
    columns = lines[0].split(",")
    for number, line in enumerate(lines[1:], start=1):
        row = dict(zip(columns, line.split(",")))
        if row["method"] == method and row["degradation"] == "box5" and row["metric"] == "rmse_hu":
            return number
    raise LookupError(method)


def audit(checkout: Checkout, method: str = "edsr_small"):
    return checkout.thinslice("audit", TABLE, "--row", str(row_of(checkout, method)))


def audit_here(checkout: Checkout, *arguments: str) -> CompletedProcess[str]:
    """Audit in this process: for a copy whose code nobody edited, it is the code that ran."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(checkout.folder), contextlib.redirect_stdout(out):
        with contextlib.redirect_stderr(err):
            status = main(["audit", *arguments])
    return CompletedProcess(arguments, status, out.getvalue(), err.getvalue())
