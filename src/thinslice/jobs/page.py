"""Put tables and figures on one page that opens anywhere."""

from collections.abc import Sequence
from pathlib import Path

from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.jobs._run import run_behind
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import by_path, output_of, read_record, record_path
from thinslice.report import page as html_page
from thinslice.report import terminal
from thinslice.report.html.figures import Picture
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
        pictures = [_picture(path, out.parent) for path in figures]
        run = run_behind(evidence, rows)
        text = html_page.html(answers, pictures, rows.skipped, rows.scans, run=run, page=str(out))
        write_text(out, text)
        job.output("page", out)
    print(terminal.summary(answers, rows.skipped, rows.scans))
    print(f"\nreport: {out.resolve()}")


def _table(record: Path) -> AnalysisTable:
    """The table of an analysis job, with the layout of its module."""
    card = read_record(record)["cards"]["analysis"]
    return analysis_table(card, _evidence.read_output(record, "table"))


def _picture(record: Path, beside: Path) -> Picture:
    """A figure as the job that drew it recorded it; its files are named from the page's folder."""
    content = read_record(record)
    png = output_of(record, "png")
    files = [Path(output["path"]) for output in content["outputs"].values()]
    return Picture(
        name=png.stem,
        png=png,
        caption=content["facts"]["caption"],
        table=content["cards"].get("figure", {}).get("table", ""),
        svg=output_of(record, "svg") if "svg" in content["outputs"] else None,
        files=[_from(file, beside) for file in files],
    )


def _from(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
