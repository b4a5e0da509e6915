"""Put tables and figures on one page that opens anywhere."""

import json
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
from thinslice.report.readme import folder_readme
from thinslice.report.tables.typeset import AnalysisTable, analysis_table


def page(
    tables: Sequence[Path],
    figures: Sequence[Path],
    evidence: Path,
    out: Path,
    slices: Sequence[Path] = (),
) -> None:
    """Write the page at ``out``, and README.txt beside it; print the main and the papers' tables.

    tables      records of analyses
    figures     records of figures and panels
    evidence    folder of the evidence
    slices      records of slices of test cases, for the viewer
    """
    inputs = {"evidence": _evidence.record_of(evidence), **by_path([*tables, *figures, *slices])}
    readme = out.with_name("README.txt")
    with recorded_job(record_path(out), rule="page", cards={}, inputs=inputs) as job:
        rows = _evidence.read_evidence(evidence)
        answers = [_table(path) for path in tables]
        pictures = [_picture(path, out.parent) for path in figures]
        run = run_behind(evidence, rows)
        viewed = [json.loads(output_of(path, "slices").read_text()) for path in slices]
        text = html_page.html(
            answers, pictures, rows.skipped, rows.scans, run=run, viewed=viewed, page=str(out)
        )
        write_text(out, text)
        write_text(readme, folder_readme(run, answers, str(out)))
        job.output("page", out)
        job.output("readme", readme)
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
