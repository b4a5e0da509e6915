"""Bars and shades of cells say what the numbers say."""

import math

import pytest

from thinslice.report.html.cells import Entry, Place, cell, column_places, places


def row(number: int, mean: float, low: float, high: float, better: str = "lower", **more):
    return {"row": number, "mean": mean, "low": low, "high": high, "better": better, **more}


def test_errors_are_bars_from_zero_and_the_least_is_darkest():
    at = places([row(1, 10.0, 9.0, 12.0), row(2, 20.0, 18.0, 24.0)])
    assert at[1].from_zero
    assert at[1].mean / at[2].mean == pytest.approx(0.5)
    assert (at[1].shade, at[2].shade) == (1.0, 0.0)


def test_scores_that_should_be_high_are_dots_on_a_scale_that_does_not_start_at_zero():
    at = places([row(1, 0.9, 0.88, 0.91, "higher"), row(2, 0.95, 0.94, 0.96, "higher")])
    assert not at[1].from_zero
    assert 0 < at[1].low < at[1].mean < at[1].high < at[2].high <= 1
    assert (at[1].shade, at[2].shade) == (0.0, 1.0)


def test_a_number_that_is_none_or_infinite_has_no_bar_and_moves_no_other():
    alone = places([row(1, 10.0, 9.0, 11.0)])
    beside = places([row(1, 10.0, 9.0, 11.0), row(2, math.nan, math.nan, math.nan),
                     row(3, math.inf, math.nan, math.nan)])  # fmt: skip
    assert set(beside) == {1}
    assert beside[1] == alone[1]
    assert places([row(2, math.nan, math.nan, math.nan)]) == {}


def test_no_column_of_the_main_sheet_is_scaled_by_another():
    rows = [row(1, 1.0, 1.0, 1.0, dataset="a", degradation="x"),
            row(2, 100.0, 90.0, 110.0, dataset="a", degradation="y")]  # fmt: skip
    at = column_places(rows)
    assert at[1].mean == pytest.approx(1 / 1.02)


def test_a_number_links_to_its_row_and_is_escaped():
    text = cell(Entry("<1>", 1.0, 7, place=Place(0.5, math.nan, math.nan, True, 1.0)), "t", False)
    assert 'href="#t-7" data-table="t" data-row="7" title="t.csv, row 7">&lt;1&gt;</a>' in text
    assert "--l" not in text
    assert cell(Entry("word"), "t", True) == '<td class="word">word</td>'
