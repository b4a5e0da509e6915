"""A paper's tables as people read them: the sheet, Markdown, LaTeX, the terminal, the page."""

from dataclasses import replace

import pandas as pd
import pytest

from support.evidence import demo
from support.printed_paper import SETTINGS, SKIPPED, STAND_INS
from thinslice.analyses import published
from thinslice.interfaces import Evidence
from thinslice.report import page, terminal
from thinslice.report.tables import typeset
from thinslice.report.tables.published import sheets as published_sheets
from thinslice.report.tables.typeset import AnalysisTable


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return replace(demo(), skipped=SKIPPED)


@pytest.fixture(scope="module")
def table(evidence) -> pd.DataFrame:
    return published.build(**SETTINGS)(evidence)


@pytest.fixture(scope="module")
def stood_in(evidence) -> pd.DataFrame:
    return published.build(**SETTINGS, stand_ins=STAND_INS)(evidence)


def from_csv(table: pd.DataFrame, folder) -> pd.DataFrame:
    table.to_csv(folder / "t.csv", index=False)
    return pd.read_csv(folder / "t.csv")


def as_table(rows: pd.DataFrame) -> AnalysisTable:
    return AnalysisTable("published", "published", rows)


def test_the_sheet_has_the_paper_s_rows_and_columns_with_ours_beside(stood_in, tmp_path):
    first, second = typeset.sheets(as_table(from_csv(stood_in, tmp_path)))
    assert [row[0].text for row in first.rows] == ["Bicubic", "EDSR", "SAINT", "TVSRN"]
    assert first.head[1:3] == ["PSNR", "ours (n = 4, sim)"]
    assert first.head[-1] == "GPU"  # nothing of ours: no column for it
    assert {len(row) for row in first.rows} == {len(first.head)}
    printed = [row[1].text for row in first.rows]
    assert printed == ["–", "36.812 ± 1.700*", "37.90", "38.61"]
    assert first.rows[2][2].text == "–"
    assert "(-" in first.rows[3][2].text or "(+" in first.rows[3][2].text
    assert "Someone et al. 2022, Table 1: chests" in first.caption
    notes = "\n".join(first.notes)
    assert "No number of ours, SAINT: not among the methods yet." in notes
    assert "No number of ours, EDSR, TVSRN (GPU): memory of a graphics card" in notes
    assert "textbook: cubic" in notes
    assert second.rows[0][2].text.endswith("†a")
    assert any(note.startswith("†a: ") and "phantom for hospital" in note for note in second.notes)


def test_every_kind_of_stand_in_has_a_mark_of_its_own(evidence, tmp_path):
    """Else a row of another metric could be read as one of another patient's scans."""
    instead = {**STAND_INS, "metrics": {"ms_ssim": "ssim"}}
    rows = published.build(**SETTINGS, stand_ins=instead)(evidence)
    table = as_table(from_csv(rows, tmp_path))
    second = typeset.sheets(table)[1]
    says = ": not the paper's cell, and not to be compared: "
    mark_of = {note.split(says)[1]: note.split(says)[0] for note in second.notes if says in note}
    assert len({*mark_of.values()}) == len(mark_of) > 1
    marked = {
        (cell.row, "†" + cell.text.partition("†")[2])
        for line in second.rows
        for cell in line
        if "†" in cell.text
    }
    ours = rows[(rows["table"] == "table_2") & (rows["stand_in"] != "") & rows["mean"].notna()]
    assert marked == {(k + 1, mark_of[f"{words}."]) for k, words in ours["stand_in"].items()}
    assert all(mark in typeset.markdown(table) for mark in mark_of.values())
    assert r"\dag{}b" in typeset.latex(table)


def test_more_stand_ins_than_letters_have_a_mark_each(table):
    measured = table[table["mean"].notna()]
    rows = pd.concat([measured] * (27 // len(measured) + 1), ignore_index=True)
    rows = rows.assign(
        table="table_1",
        printed_row=[f"line {k}" for k in range(len(rows))],
        stand_in=[f"new {k} for old" for k in range(len(rows))],
        row=range(1, len(rows) + 1),
    )
    (sheet,) = published_sheets(rows)
    marks = {"†" + c.text.partition("†")[2] for line in sheet.rows for c in line if "†" in c.text}
    assert len(marks) == len(rows) > 26
    assert {"†a", "†z", "†aa"} <= marks


def test_every_cell_of_the_sheet_leads_to_its_row_of_the_csv(table, tmp_path):
    rows = from_csv(table, tmp_path)
    for sheet in typeset.sheets(as_table(rows)):
        for line in sheet.rows:
            for cell in line[1:]:
                if cell.row is not None:
                    assert rows.iloc[cell.row - 1]["printed_row"] == line[0].text


def test_markdown_and_latex_hold_every_number(stood_in, tmp_path):
    table = as_table(from_csv(stood_in, tmp_path))
    text, tex = typeset.markdown(table), typeset.latex(table)
    for words in ("35.1", "36.812 ± 1.700", "38.61", "1.73 M", "80.0 "):
        assert words in text
        assert words.replace("±", r"$\pm$") in tex
    assert r"\dag{}" in tex
    assert "†" not in tex


def test_in_a_terminal_ours_is_never_parted_from_the_paper_s_number(stood_in, tmp_path):
    text = terminal.paper_tables(from_csv(stood_in, tmp_path))
    assert max(len(line) for line in text.splitlines()) <= terminal.WIDTH
    heads = [line for line in text.splitlines() if "ours (n = 4" in line]
    assert len(heads) >= 2  # cut at least once
    assert not any(head.strip().startswith("ours") for head in heads)
    for words in ("36.812 ± 1.700*", "1.73 M", "not among the methods yet"):
        assert words in text


def test_the_page_opens_the_paper_s_tables_and_says_sim(stood_in, tmp_path):
    text = page.html([as_table(from_csv(stood_in, tmp_path))])
    assert "A paper&#x27;s tables beside ours<a" in text
    assert "<details open><summary>" in text
    assert '<p class="sim">' in text
    assert 'title="published.csv, row 1"' in text


def test_ours_has_its_mark_and_where_the_paper_prints_one_its_spread(evidence, tmp_path):
    tables = {**SETTINGS["tables"]}
    about = {**tables["table_1"]["about"], "test": "paired_t", "against": "tvsrn"}
    tables["table_1"] = {**tables["table_1"], "about": about}
    rows = from_csv(published.build(tables=tables)(evidence), tmp_path)
    sheet = typeset.sheets(as_table(rows))[0]
    edsr, tvsrn = sheet.rows[1][2].text, sheet.rows[3][2].text
    assert "] ± " in edsr
    assert "* (" in edsr
    assert "±" not in tvsrn
    assert "*" not in tvsrn
    assert any(
        note.startswith("* of ours: significantly worse than tvsrn (") for note in sheet.notes
    )
