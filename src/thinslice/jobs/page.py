"""Put tables and figures on one page that opens anywhere."""

from collections.abc import Sequence
from pathlib import Path

from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import by_path, output_of, record_path
from thinslice.report import page as html_page
from thinslice.report import terminal


def page(tables: Sequence[Path], figures: Sequence[Path], evidence: Path, out: Path) -> None:
    """Write the page at ``out``; print the main table and the papers' own.

    tables      records of analyses
    figures     records of figures and panels
    evidence    folder of the evidence
    """
    inputs = {"evidence": _evidence.record_of(evidence), **by_path([*tables, *figures])}
    with recorded_job(record_path(out), rule="page", cards={}, inputs=inputs) as job:
        skipped = _evidence.read_evidence(evidence).skipped
        rows = {path.name.split(".")[0]: _evidence.read_output(path, "table") for path in tables}
        pictures = [output_of(path, "png") for path in figures]
        write_text(out, html_page.html(rows, pictures, skipped))
        job.output("page", out)
    print(terminal.main_table(rows["benchmark"], skipped))
    for published in (table for table in rows.values() if "paper_value" in table):
        print(f"\n{terminal.paper_tables(published)}")
    print(f"\nreport: {out.resolve()}")
