"""Put tables and figures on one page that opens anywhere."""

from collections.abc import Sequence
from pathlib import Path

from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import by_path, output_of, read_record, record_path
from thinslice.report import page as html_page
from thinslice.report import terminal
from thinslice.report.tables.typeset import AnalysisTable, analysis_table


def page(tables: Sequence[Path], figures: Sequence[Path], evidence: Path, out: Path) -> None:
    """Write the page at ``out``; print the main table and the papers' own.

    tables      records of analyses
    figures     records of figures and panels
    evidence    folder of the evidence
    """
    inputs = {"evidence": _evidence.record_of(evidence), **by_path([*tables, *figures])}
    with recorded_job(record_path(out), rule="page", cards={}, inputs=inputs) as job:
        rows = _evidence.read_evidence(evidence)
        answers = [_table(path) for path in tables]
        captions = {output_of(path, "png"): _caption(path) for path in figures}
        write_text(out, html_page.html(answers, captions, rows.skipped, rows.scans))
        job.output("page", out)
    print(terminal.summary(answers, rows.skipped, rows.scans))
    print(f"\nreport: {out.resolve()}")


def _table(record: Path) -> AnalysisTable:
    """The table of an analysis job, with the layout of its module."""
    card = read_record(record)["cards"]["analysis"]
    return analysis_table(card, _evidence.read_output(record, "table"))


def _caption(record: Path) -> str:
    """What a figure shows, as the job that drew it recorded it."""
    return read_record(record)["facts"]["caption"]
