"""Draw one figure from one table, as PNG and PDF."""

import argparse
import json
from pathlib import Path

from thinslice import errors, plugins
from thinslice.analyses import _evidence
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.style import draw_nothing


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="figure entry of config.yaml")
    p.add_argument("--tables", type=Path, required=True, help="folder of the tables")
    p.add_argument("--out", type=Path, required=True, help="png; the pdf goes beside it")
    a = p.parse_args()

    table = a.tables / f"{a.card['table']}.csv"
    with recorded_job(
        record_path(a.out), rule="figure", cards={"figure": a.card}, inputs=[table]
    ) as job:
        kind = plugins.module("figures", a.card)
        rows = _evidence.read_table(table)
        if rows.empty:
            draw_nothing(a.out.with_suffix(""), f"{a.card['name']}: no rows in {table.name}")
        else:
            kind.draw(rows, a.out.with_suffix(""), **a.card.get("settings", {}))
        job.output(a.out)
        job.output(a.out.with_suffix(".pdf"))


if __name__ == "__main__":
    errors.run_script(main)
