"""Everything on one page; and the main table and the papers' own, printed."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import first_output, record_path
from thinslice.report import page, terminal


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tables", type=Path, nargs="+", required=True, help="records of the tables")
    p.add_argument("--figures", type=Path, nargs="*", default=[], help="records of the figures")
    p.add_argument("--evidence", type=Path, required=True, help="folder of the evidence")
    p.add_argument("--out", type=Path, required=True, help="html")
    a = p.parse_args()

    inputs = [*a.tables, *a.figures, a.evidence / "evidence.record.json"]
    with recorded_job(record_path(a.out), rule="page", cards={}, inputs=inputs) as job:
        skipped = _evidence.read_evidence(a.evidence).skipped
        tables = {path.name.split(".")[0]: _evidence.made(path) for path in a.tables}
        figures = [first_output(path) for path in a.figures]
        write_text(a.out, page.html(tables, figures, skipped))
        job.output(a.out)
    print(terminal.main_table(tables["benchmark"], skipped))
    for published in (table for table in tables.values() if "paper_value" in table):
        print(f"\n{terminal.paper_tables(published)}")
    print(f"\nreport: {a.out.resolve()}")


if __name__ == "__main__":
    errors.run_script(main)
