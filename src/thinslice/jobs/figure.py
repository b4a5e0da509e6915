"""Draw one figure from one table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins
from thinslice.analyses import _evidence
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.style import draw_nothing


def figure(card: Mapping[str, Any], tables: Path, out: Path) -> None:
    """Draw a figure as PNG at ``out``, and as PDF and SVG beside it.

    card      figure entry of config.yaml
    tables    folder of the tables
    """
    table = tables / f"{card['table']}.csv"
    with recorded_job(
        record_path(out),
        rule="figure",
        cards={"figure": card},
        inputs={"table": table},
        plugins=[plugins.module_name("figures", card)],
    ) as job:
        draw = plugins.build("figures", card)
        rows = _evidence.read_table(table)
        if rows.empty:
            draw_nothing(out.with_suffix(""), f"{card['name']}: no rows in {table.name}")
        else:
            draw(rows, out.with_suffix(""))
        job.output("png", out)
        job.output("pdf", out.with_suffix(".pdf"))
        job.output("svg", out.with_suffix(".svg"))
        job.fact("caption", plugins.module("figures", card).CAPTION)
