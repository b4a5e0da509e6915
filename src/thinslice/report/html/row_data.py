"""The CSV rows behind the page's numbers, as data for the side panel and for tooltips.

Column by column, each distinct value once: ``{"columns": {name: [values, places]}}``.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from thinslice.report.html.run import Run
from thinslice.report.tables.typeset import AnalysisTable


def script(tables: Sequence[AnalysisTable], run: Run | None, page: str) -> str:
    """A script element of type application/json, with every row and every record behind one."""
    folder = page.rpartition("/")[0]
    content = {
        "folder": f"{folder}/" if folder else "",
        "tables": {table.name: _columns(table) for table in tables},
        "records": dict(run.records) if run else {},
    }
    return f'<script type="application/json" id="rows">{as_json(content)}</script>'


def as_json(content: Any) -> str:
    """JSON that no name in it can end the script element with; a number that is none is null."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("://", ":\\u002f/")


def _columns(table: AnalysisTable) -> Mapping[str, Any]:
    return {str(name): _distinct(table.rows[name].tolist()) for name in table.rows}


def _distinct(values: Sequence[Any]) -> list[list[Any]]:
    """Each distinct value once, and which of them each row holds."""
    plain = [_plain(value) for value in values]
    distinct = {value: k for k, value in enumerate(dict.fromkeys(plain))}
    return [list(distinct), [distinct[value] for value in plain]]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("∞" if value > 0 else "-∞")
    return value
