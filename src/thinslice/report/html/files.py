"""Links to the files beside the page."""

from collections.abc import Sequence

from thinslice.report.html.elements import Section, link
from thinslice.report.html.figures import Picture
from thinslice.report.html.run import Run
from thinslice.report.tables.typeset import AnalysisTable

ENDINGS = ("csv", "md", "tex")


def files(
    analysed: Sequence[AnalysisTable], pictures: Sequence[Picture], run: Run | None
) -> list[Section]:
    """Every table and figure as a file, the evidence, and the logs; they lie beside the page."""
    lines = [_line(table.name, [f"tables/{table.name}.{e}" for e in ENDINGS]) for table in analysed]
    lines += [_line(each.name, each.files) for each in pictures if each.files]
    if run is not None:
        scores = [f"evidence/{name}.csv" for name in ("scores", "runs")]
        lines += [_line("evidence", scores), f"<li>{link('logs/', 'logs of every job')}</li>"]
    words = "<p>These links work where the page lies in the results folder of its run.</p>"
    return [Section("files", "Files", [words, f"<ul>{''.join(lines)}</ul>"])] if lines else []


def _line(name: str, paths: Sequence[str]) -> str:
    return f"<li>{name}: {', '.join(link(path, path) for path in paths)}</li>"
