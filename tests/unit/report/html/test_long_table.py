"""Long tables hold every row of the CSV, with its number; a silent table says why."""

import pytest

from support.evidence import demo
from thinslice import plugins
from thinslice.report.html import tables
from thinslice.report.html.glossary import Glossary
from thinslice.report.html.long_table import FORMS, LongTable, long_table, says_nothing
from thinslice.report.tables.typeset import AnalysisTable, analysis_table

EVIDENCE = demo()


def table_of(name: str) -> AnalysisTable:
    return analysis_table({"name": name}, plugins.build("analyses", {"name": name})(EVIDENCE))


def form_of(table: AnalysisTable) -> LongTable:
    form = long_table(table)
    assert form is not None
    return form


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_row_of_the_csv_is_there_once_by_its_number(name):
    table = table_of(name)
    rows = [entry.row for row in form_of(table).rows for entry in row if entry.row]
    assert sorted(rows) == list(range(1, len(table.rows) + 1))


@pytest.mark.parametrize("name", sorted(FORMS))
def test_simulated_numbers_are_labelled_once_for_all_or_row_by_row(name):
    table = table_of(name)
    assert form_of(table).caption.endswith("(sim).")
    mixed = table.rows.assign(sim=["sim", *[""] * (len(table.rows) - 1)])
    form = form_of(table._replace(rows=mixed))
    assert "(sim)" not in form.caption
    at = [column.title for column in form.columns].index("sim")
    assert [row[at].text for row in form.rows if row[at].text] == ["sim"]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_ids_of_rows_are_those_that_numbers_link_to(name):
    text = tables.long(form_of(table_of(name)), name, Glossary({}))
    for k in range(1, len(table_of(name).rows) + 1):
        assert text.count(f'id="{name}-{k}"') == 1
        assert f'href="#{name}-{k}"' in text


def test_tests_over_few_patients_are_not_shown_and_it_is_said_why():
    table = table_of("significance")
    words = says_nothing(table)
    assert "n = 4 patients" in words
    assert "below 0.0625" in words
    assert "tables/significance.csv" in words
    assert says_nothing(table._replace(rows=table.rows.assign(n=6))) == ""
    assert says_nothing(table_of("benchmark")) == ""
    titles = [column.title for column in form_of(table_of("domain_gap")).columns]
    assert "p (Holm)" not in titles


def test_short_tables_have_no_long_form():
    assert long_table(table_of("slice_pairs")) is None
    benchmark = table_of("benchmark")
    assert long_table(benchmark._replace(rows=benchmark.rows.iloc[:0])) is None
