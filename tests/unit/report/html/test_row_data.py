"""The rows behind the numbers come back whole from the page."""

import json
import re

import pandas as pd

from thinslice.report.html import row_data
from thinslice.report.tables.typeset import AnalysisTable


def rows_in(text: str, name: str) -> list[dict]:
    content = json.loads(re.sub(r"<[^>]+>", "", text, count=1).removesuffix("</script>"))
    columns = content["tables"][name]
    n = len(next(iter(columns.values()))[1])
    return [{key: v[0][v[1][k]] for key, v in columns.items()} for k in range(n)]


def test_every_digit_of_every_row():
    rows = pd.DataFrame({"method": ["a", "b", "a"], "mean": [0.1 + 0.2, float("nan"), 2.0]})
    text = row_data.script([AnalysisTable("t", "", rows)], None, "results/report.html")
    back = rows_in(text, "t")
    assert [row["method"] for row in back] == ["a", "b", "a"]
    assert back[0]["mean"] == 0.1 + 0.2
    assert back[1]["mean"] is None


def test_no_name_ends_the_script_and_no_address_is_in_it():
    rows = pd.DataFrame({"method": ["</script>", "https://x"]})
    text = row_data.script([AnalysisTable("t", "", rows)], None, "report.html")
    assert text.count("</script>") == 1
    assert "://" not in text
    assert [row["method"] for row in rows_in(text, "t")] == ["</script>", "https://x"]
