"""The page: whole by itself, and every sentence names its protocol and its patients."""

import re

import pytest

from support.evidence import demo
from thinslice import plugins
from thinslice.analyses._evidence import read_table
from thinslice.interfaces import Evidence
from thinslice.report import findings, page, style
from thinslice.report.html.figures import Picture
from thinslice.report.style import draw_nothing
from thinslice.report.tables.typeset import AnalysisTable, analysis_table

ANALYSES = ("benchmark", "patients", "domain_gap", "efficiency", "slice_pairs")
EVIDENCE = demo()


def table_of(name: str, evidence: Evidence) -> AnalysisTable:
    return analysis_table({"name": name}, plugins.build("analyses", {"name": name})(evidence))


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> list[AnalysisTable]:
    """Analyses as they come back from CSV."""
    folder, out = tmp_path_factory.mktemp("tables"), []
    for table in (table_of(name, EVIDENCE) for name in ANALYSES):
        table.rows.to_csv(folder / f"{table.name}.csv", index=False)
        out.append(table._replace(rows=read_table(folder / f"{table.name}.csv")))
    return out


def test_the_page_is_whole_by_itself_and_labelled(tables, tmp_path):
    png = style_png(tmp_path / "bars.png")
    pictures = [Picture("bars", png, "Bars with cases.", "patients", files=["figures/bars.png"])]
    text = page.html(tables, pictures, EVIDENCE.skipped)
    assert text == page.html(tables, pictures, EVIDENCE.skipped)
    assert "data:image/png;base64," in text
    assert "<figcaption>Bars with cases. " in text
    assert "://" not in text  # nothing is fetched
    assert not re.search(r'(?:src|href)="(?!data:|#|figures/|tables/|evidence/|logs/)', text)
    assert text.index("Which method restores best?") < text.index("Figures")
    assert '<p class="sim">' in text
    assert "SAINT needs an integer factor" in text
    assert "thinslice audit results/tables/benchmark.csv --row N" in text
    for table in tables:
        assert f"{len(table.rows)} rows of {table.name}.csv" in text
        assert len(table.rows)


def test_the_page_names_the_winner_and_the_cost_of_simulated_training(tables):
    text = without_tags(page.html(tables))
    assert "On phantom, acquired thick (sim), tvsrn has the best RMSE: 47.3 [" in text
    assert "the best method without training, cubic, has 62.3 [" in text
    assert "edsr fitted on simulated ones changes by +9.7 HU (phantom/average_5mm)" in text
    assert "+ is worse; n = 4: too few for a test)" in text


def test_what_the_page_says_names_its_protocol_and_its_patients(tables):
    said = findings.sentences(tables)
    assert all("protocol v1" in sentence and "n = 4" in sentence for sentence in said)
    alone = [table_of("benchmark", demo(1))]
    winner = findings.sentences(alone)[0]
    assert winner.endswith("(protocol v1, n = 1); one patient ranks nothing.")


def test_the_page_escapes_names_and_survives_having_nothing(tables):
    rows = tables[0].rows.replace({"method": {"tvsrn": "<script>x"}})
    text = page.html([tables[0]._replace(rows=rows)])
    assert "<script>x" not in text
    assert "&lt;script&gt;x" in text
    assert "Nothing was scored" in page.html([tables[0]._replace(rows=rows.iloc[:0])])


def without_tags(text: str) -> str:
    """The words of a page as they are read."""
    return re.sub(r"<[^>]+>", "", text)


def style_png(path):
    with style.figure(1, 1) as drawn:
        drawn.subplots()
        return style.save(drawn, path.with_suffix(""))[0]


def test_a_table_without_rows_gives_a_figure_that_says_so(tmp_path):
    written = draw_nothing(tmp_path / "pairs", "pairs: no rows in slice_pairs.csv")
    assert [path.name for path in written] == ["pairs.png", "pairs.pdf", "pairs.svg"]
    assert all(path.stat().st_size > 500 for path in written)
