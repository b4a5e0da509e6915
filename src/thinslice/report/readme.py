"""A text for whoever receives a results folder: what it is, what lies where, how to check it."""

from collections.abc import Sequence

from thinslice.columns import SIM
from thinslice.report.html.run import Run, when
from thinslice.report.tables import typeset
from thinslice.report.tables.typeset import AnalysisTable

TREE = """\
report.html        all of it on one page; opens in any browser, needs no network
tables/            answers: NAME.csv at full precision, NAME.md and NAME.tex as people read them
figures/           NAME.png, NAME.pdf, NAME.svg; slices_DATASET.json: what the page's viewer shows
evidence/          every score of every case, seconds and memory, and what was skipped
scores/            one file a cell: data set, degradation, method, and what it was fitted on
restored/          the restored scans, OME-Zarr
weights/           what was learned, and the learning curves
thin/, thick/      the scans as they were compared, OME-Zarr
raw/               hashes of the raw files
logs/              what jobs printed
NAME.record.json   beside every result: what made it, from what, with which code, where and when
"""
SIMULATED = """\
Numbers labelled "sim" come from simulated scans, or from thick slices that were simulated from thin
ones, and not from what a scanner made.
"""


def folder_readme(run: Run, analysed: Sequence[AnalysisTable], page: str) -> str:
    """The whole text.

    page    path of the page, as commands of the run name it
    """
    data = ", ".join(f"{name} ({n} test patients)" for name, n in run.datasets.items())
    commit = ", ".join(run.commits) or "unknown"
    simulated = any((t.rows["sim"] == SIM).any() for t in analysed if "sim" in t.rows)
    questions = "\n".join(
        f"tables/{table.name}.csv".ljust(32) + typeset.question(table) for table in analysed
    )
    return f"""\
Results of a thinslice run: thin-slice CT restored from thick-slice CT

Data     {data or "nothing was scored"}
Made     {when(run.started, run.ended) or "unknown"}
Commit   {commit}{", with uncommitted changes" if run.dirty else ""}

Open report.html first.

{TREE}
{questions}

{SIMULATED if simulated else ""}
To check any of it, with thinslice installed, in the folder that holds this one:

    thinslice audit {page}
    thinslice audit {page.rpartition("/")[0] or "."}/tables/{_first(analysed)}.csv --row 1

The restored scans were computed, not acquired; they are not for diagnosis.
"""


def _first(analysed: Sequence[AnalysisTable]) -> str:
    return analysed[0].name if analysed else "benchmark"
