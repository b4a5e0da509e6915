"""Every sentence names the rows of the CSV that its numbers are from."""

import re

from support.evidence import DEGRADATIONS, demo
from thinslice.analyses import benchmark, domain_gap
from thinslice.report import findings, page
from thinslice.report.tables import wording
from thinslice.report.tables.typeset import AnalysisTable

TABLES = [
    AnalysisTable("benchmark", "benchmark", benchmark.build(cells="all")(demo())),
    AnalysisTable("gap", "domain_gap", domain_gap.build()(demo())),
]


def test_the_rows_of_a_sentence_hold_the_numbers_that_it_says():
    for found in findings.findings(TABLES):
        table = next(each.rows for each in TABLES if each.name == found.table)
        column = "mean" if found.table == "benchmark" else "drop"
        assert found.rows
        for k in found.rows:
            row = table.iloc[k - 1]
            printed = wording.number(row[column], row["unit"])
            assert printed in found.sentence, (found, printed)
        first = r"(?:best RMSE: |has )(-?[\d.]+) \["
        numbers = re.findall(first, found.sentence)
        assert len(numbers) in (0, len(found.rows))


def test_there_is_a_sentence_for_every_kind_of_slices_and_every_trained_method():
    names = [found.table for found in findings.findings(TABLES)]
    assert names.count("benchmark") == len(DEGRADATIONS)
    assert names.count("gap") >= 2


def test_the_page_links_each_sentence_to_its_rows():
    text = page.html(TABLES)
    for found in findings.findings(TABLES):
        for row in found.rows:
            assert f'title="{found.table}.csv, row {row}">row {row}</a>' in text
