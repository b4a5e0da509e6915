"""Answer one question from the evidence, as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins
from thinslice.analyses import _evidence, _recorded
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.tables import typeset

NAMES = {".csv": "table", ".md": "markdown", ".tex": "latex"}  # in the record


def analyse(card: Mapping[str, Any], evidence: Path, out: Path) -> None:
    """Write an analysis's table as CSV at ``out``, as Markdown and LaTeX beside it.

    card        analysis entry of config.yaml
    evidence    folder of the evidence

    Refused where a number of it has no record.
    """
    with recorded_job(
        record_path(out),
        rule="analyse",
        cards={"analysis": card},
        inputs={"evidence": _evidence.record_of(evidence)},
        plugins=[plugins.module_name("analyses", card)],
    ) as job:
        rows = _evidence.read_evidence(evidence)
        answer = typeset.analysis_table(card, plugins.build("analyses", card)(rows))
        _recorded.check(card["name"], answer.rows, rows)
        for ending, text in typeset.texts(answer, rows.skipped, rows.scans).items():
            write_text(out.with_suffix(ending), text)
            job.output(NAMES[ending], out.with_suffix(ending))
