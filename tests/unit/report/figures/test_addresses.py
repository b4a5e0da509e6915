"""Every figure's SVG, beside its PNG and PDF, names the rows of the table that its marks are of."""

import re

import pytest

from support.figures import example
from thinslice import plugins
from thinslice.analyses._evidence import read_table

KINDS = plugins.names("figures")


@pytest.mark.parametrize("kind", KINDS)
def test_marks_are_named_after_rows_of_the_table(kind, tmp_path):
    card = {"name": "mine", "kind": kind, "settings": example(kind).settings}
    example(kind).table().to_csv(tmp_path / "table.csv", index=False)
    table = read_table(tmp_path / "table.csv")
    plugins.build("figures", card)(table, tmp_path / "a")
    text = (tmp_path / "a.svg").read_text()
    rows = {int(row) for row in re.findall(r'<g id="row-(\d+)(?:-\d+)?">', text)}
    assert rows
    assert rows <= {*range(1, len(table) + 1)}
