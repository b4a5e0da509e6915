"""Answer one question from the evidence; write the table as CSV, Markdown and LaTeX."""

import argparse
import json
from pathlib import Path

from thinslice import errors, plugins
from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.tables import typeset


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="analysis entry of config.yaml")
    p.add_argument("--evidence", type=Path, required=True, help="folder of the evidence")
    p.add_argument("--out", type=Path, required=True, help="csv; .md and .tex go beside it")
    a = p.parse_args()

    given = a.evidence / "evidence.record.json"
    with recorded_job(
        record_path(a.out), rule="analyse", cards={"analysis": a.card}, inputs=[given]
    ) as job:
        found = _evidence.read_evidence(a.evidence)
        answer = plugins.build("analyses", a.card)(found)
        for ending, text in typeset.texts(a.card["name"], answer, found.skipped).items():
            write_text(a.out.with_suffix(ending), text)
            job.output(a.out.with_suffix(ending))


if __name__ == "__main__":
    errors.run_script(main)
