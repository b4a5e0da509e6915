"""The card at the top of the page."""

import pytest

from thinslice.report.html import run


@pytest.mark.parametrize(
    ("seconds", "words"), [(42, "42 s"), (540, "9 min"), (13620, "3 h 47 min"), (89.6, "90 s")]
)
def test_durations_in_words(seconds, words):
    assert run.duration(seconds) == words


def test_dates_of_a_run_over_midnight():
    day, next_day = "2026-11-30T08:06:46+00:00", "2026-12-01T00:10:00+00:00"
    assert run.when(day, day) == "2026-11-30, 08:06 to 08:06 UTC"
    assert run.when(day, next_day) == "2026-11-30, 08:06 to 2026-12-01, 00:10 UTC"
    assert run.when("", "") == ""


def test_without_a_run_the_card_still_says_how_to_verify():
    assert "thinslice audit results/report.html" in run.card(None, "results/report.html")
