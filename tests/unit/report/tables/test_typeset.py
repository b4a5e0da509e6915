"""Typeset tables: rounding, escaping, labels, and no bold where nothing stands out."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from support.evidence import demo, evidence_of, score
from thinslice.analyses import (
    benchmark,
    domain_gap,
    efficiency,
    patients,
    significance,
    slice_pairs,
)
from thinslice.columns import metric_of
from thinslice.interfaces import Evidence
from thinslice.report import terminal
from thinslice.report.tables import typeset, wording
from thinslice.report.tables.typeset import AnalysisTable

ANALYSES = {
    "benchmark": benchmark,
    "domain_gap": domain_gap,
    "efficiency": efficiency,
    "patients": patients,
    "significance": significance,
    "slice_pairs": slice_pairs,
}
EVIDENCE = demo()


def as_table(name: str, rows: pd.DataFrame) -> AnalysisTable:
    return typeset.analysis_table({"name": name}, rows)


@pytest.fixture(params=ANALYSES)
def table(request, tmp_path) -> AnalysisTable:
    """Every analysis, as it comes back from its CSV."""
    ANALYSES[request.param].build()(EVIDENCE).to_csv(tmp_path / "t.csv", index=False)
    return as_table(request.param, pd.read_csv(tmp_path / "t.csv"))


def test_every_table_says_sim_protocol_and_n_and_has_even_rows(table):
    for text in (typeset.markdown(table), typeset.latex(table)):
        assert "(sim)" in text
        assert "protocol v1" in text
        assert re.search(r"\bn\b", text)
    sizes = {(len(s.head), len(row)) for s in typeset.sheets(table) for row in s.rows}
    assert all(head == row for head, row in sizes)


def own_scans() -> Evidence:
    """Real patients: only the thick slices that were made from their thin ones are simulated."""
    mark = ["" if place == "acquired" else "sim" for place in EVIDENCE.scores["degradation"]]
    return replace(EVIDENCE, scores=EVIDENCE.scores.assign(sim=mark))


def test_sim_stands_where_it_is_true_and_nowhere_else():
    main, *_ = typeset.sheets(as_table("benchmark", benchmark.build()(own_scans())))
    gap, _ = typeset.sheets(as_table("domain_gap", domain_gap.build()(own_scans())))
    for sheet in (main, gap):
        assert "(sim)" not in sheet.caption
        numbers = sheet.head[sheet.left :]
        assert len(numbers) == 4
        assert all(("acquired" in head) != ("(sim)" in head) for head in numbers)


def test_weights_tested_elsewhere_too_are_named_and_have_one_line():
    cells = [("acquired", "linear", ""), ("bell", "linear", ""), ("bell", "edsr", "phantom/bell")]
    matched = [score("a", 5.0, degradation=d, method=m, fitted_on=f) for d, m, f in cells]
    moved = score("a", 7.0, degradation="acquired", method="edsr", fitted_on="phantom/bell")
    for rows, name in ((matched, "edsr"), ([*matched, moved], "edsr, fitted on phantom/bell")):
        table = benchmark.build(cells="all")(evidence_of(rows))
        (main, *_) = typeset.sheets(as_table("benchmark", table))
        assert sorted(row[0].text for row in main.rows) == sorted([name, "linear"])
        assert ("they are tested on" in main.caption) == (name == "edsr")


def test_a_sheet_without_rows_is_not_printed():
    untrained = EVIDENCE.scores["fitted_on"] == ""
    table = domain_gap.build()(replace(EVIDENCE, scores=EVIDENCE.scores[untrained]))
    assert [len(sheet.rows) for sheet in typeset.sheets(as_table("domain_gap", table))] == [2]


def test_every_table_of_methods_prints_their_fidelity(table):
    if "fidelity" in table.rows:
        assert "as-published" in typeset.markdown(table)
        assert "textbook" in typeset.latex(table)
    else:
        assert table.name == "slice_pairs"


def test_row_numbers_lead_back_to_the_csv(table):
    cells = [c for s in typeset.sheets(table) for row in s.rows for c in row if c.row]
    column = "value" if table.name == "patients" else "mean"
    for cell in cells:
        row = table.rows.iloc[cell.row - 1]
        assert cell.text.split(" ")[0] == wording.number(row[column], row["unit"])
    assert cells or table.name in ("significance", "efficiency")


def test_latex_is_balanced_and_leaves_no_bare_special_character(table):
    text = typeset.latex(table)
    body = re.sub(r"(^|(?<=\\\\) )%.*$", "", text, flags=re.MULTILINE)  # comments
    assert body.count("{") - body.count(r"\{") == body.count("}") - body.count(r"\}")
    assert body.count(r"\begin{longtable}") == body.count(r"\end{longtable}") > 0
    assert not re.search(r"(?<!\\)[%#_]", body)
    assert not set("↑↓±–∞") & set(body)


def test_every_printed_line_with_numbers_of_a_csv_names_its_rows(table):
    """Behind the line, where Markdown and LaTeX print nothing, and as ``audit`` takes them."""
    for sheet in typeset.sheets(table):
        for line in sheet.rows:
            rows = dict.fromkeys(str(cell.row) for cell in line if cell.row)
            where = f"{table.name}.csv --row {' '.join(rows)}"
            assert not rows or f"| <!-- {where} -->\n" in typeset.markdown(table)
            assert not rows or f"\\\\ % {where}\n" in typeset.latex(table)


@pytest.mark.parametrize(
    ("raw", "markdown", "latex"),
    [
        ("a|b", r"a\|b", "a|b"),
        ("a_b", "a_b", r"a\_b"),
        ("5%&$", "5%&$", r"5\%\&\$"),
        ("<b>*x*", r"\<b>\*x\*", r"\textless{}b\textgreater{}*x*"),
        ("a\\b{c}", r"a\\b{c}", r"a\textbackslash{}b\{c\}"),
    ],
)
def test_names_are_escaped(raw, markdown, latex):
    scores = [score("a", 10, method=raw), score("b", 12, method=raw)]
    table = benchmark.build()(evidence_of(scores))
    assert f"| {markdown} |" in typeset.markdown(as_table("benchmark", table))
    assert f"{latex} & textbook" in typeset.latex(as_table("benchmark", table))


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_bold_only_where_the_best_interval_meets_no_other(better):
    def strong(near: float) -> list[str]:
        scores = [score(f"p{k}", 10 + k, method="a", better=better) for k in range(4)]
        scores += [score(f"p{k}", near + k, method="b", better=better) for k in range(4)]
        table = benchmark.build()(evidence_of(scores))
        main = typeset.sheets(as_table("benchmark", table))[0]
        return [row[0].text for row in main.rows for cell in row if cell.strong]

    assert strong(near=11.6) == []  # the means are apart, the intervals meet
    assert strong(near=30) == (["a"] if better == "lower" else ["b"])


def test_nothing_is_bold_without_an_interval_or_a_better_way():
    one = [score("p", 10, method="a"), score("p", 99, method="b")]
    values = {"a": 10.0, "b": 99.0}
    neither = [score(p, v, method=m, better="") for p in "pq" for m, v in values.items()]
    for scores in (one, neither):
        table = benchmark.build()(evidence_of(scores))
        assert "**" not in typeset.markdown(as_table("benchmark", table))


def test_published_numbers_and_skipped_cells_are_footnoted():
    published = {"tvsrn": {"psnr_db scan": 38.609, "sd": 1.721, "source": "a paper, Fig. 3a"}}
    table = benchmark.build(published=published)(EVIDENCE)
    text = typeset.markdown(as_table("benchmark", table), EVIDENCE.skipped)
    assert "| 38.609 ± 1.721 |" in text
    assert "- Published, tvsrn: PSNR4000 (dB) ↑ 38.609 ± 1.721, a paper, Fig. 3a." in text
    assert "- Not run, phantom/sparse_5mm/saint: SAINT needs an integer factor" in text
    assert "4 patients: the interval holds the true mean about 81 % of the time" in text


def test_a_variant_looks_like_its_original_and_an_unknown_analysis_is_still_printed():
    table = domain_gap.build()(EVIDENCE)
    variant = typeset.analysis_table({"name": "gap_of_psnr", "module": "domain_gap"}, table)
    assert typeset.sheets(variant) == typeset.sheets(as_table("domain_gap", table))
    other = pd.DataFrame({"method": ["a"], "wobble": [1.23456789], "records": ["r"]})
    assert "| a | 1.235 |" in typeset.markdown(AnalysisTable("wobbles", "", other))
    assert "Nothing was scored" in typeset.markdown(as_table("benchmark", table.iloc[:0]))


def test_a_layout_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(benchmark, "LAYOUT", "benchmrak")
    with pytest.raises(LookupError, match="'benchmark': no layout 'benchmrak'"):
        as_table("benchmark", pd.DataFrame())


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("rmse_hu", "RMSE"),
        ("rmse_hu 2.5mm", "RMSE 2.5 mm from a thick slice"),
        ("psnr_db", "PSNR"),
        ("psnr_db scan", "PSNR4000"),
        ("psnr_db soft", "PSNR400"),
        ("psnr_db unit", "PSNR, unit range"),
        ("psnr_db coronal", "PSNR coronal"),
        ("ssim 3d lung", "SSIM 3-D, lung"),
        ("ssim sagittal", "SSIM sagittal"),
        ("psnr_unobserved_db", "PSNR, unobserved slices"),
        ("my_own", "my_own"),
    ],
)
def test_metrics_as_printed(name, printed):
    assert wording.metric_name(metric_of(name)) == printed


def test_terminal_table_keeps_to_100_columns_and_shows_every_number():
    table = benchmark.build()(EVIDENCE)
    many = pd.concat([table, table.assign(degradation=table["degradation"] + "_once_more")])
    for shown in (table, many):
        text = terminal.main_table(shown.reset_index(drop=True), EVIDENCE.skipped)
        assert max(map(len, text.splitlines())) <= 100
        rows = shown[shown["metric"] == "rmse_hu"]
        for mean in rows["mean"]:
            assert f"{mean:.1f}" in text
        assert "sim" in text
        assert "as-published: tvsrn" in text
        assert "47.3*[" in text  # the best, in place of bold
    assert terminal.main_table(table.iloc[:0]) == "Nothing was scored."


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (68.74, "HU", "68.7"),
        (0.0312, "HU", "0.031"),
        (38.609, "dB", "38.61"),
        (0.93641, "1", "0.9364"),
        (0.0, "HU", "0.0"),
        (np.inf, "dB", "∞"),
        (np.nan, "HU", "–"),
    ],
)
def test_numbers_are_rounded_by_their_unit(value, unit, text):
    assert wording.number(value, unit) == text


def test_differences_p_values_and_counts_as_printed():
    assert [wording.signed(d, "HU") for d in (1.26, -1.26, 0.01, np.nan)] == [
        "+1.3", "-1.3", "0.0", "–",
    ]  # fmt: skip
    assert [wording.p_value(p) for p in (0.0625, 0.00099, 1.0, np.nan)] == [
        "0.0625", "<0.001", "1", "–",
    ]  # fmt: skip
    assert [wording.count(n) for n in (0, 412_000, 1_730_000, np.nan)] == [
        "0", "412 k", "1.73 M", "–",
    ]  # fmt: skip
    assert wording.interval(10.0, np.nan, np.nan, "HU") == "10.0"
    assert wording.patients([4, 3, 4]) == "n = 3–4"
