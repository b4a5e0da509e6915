"""Footnotes say of a table's numbers what holds for them, and nothing of what is not there."""

from math import nan

from thinslice.report.tables import wording

WAY = "95 % percentile bootstrap over patients"


def test_one_patient_has_no_interval_and_no_word_of_how_it_was_found():
    alone = {"low": nan, "interval": WAY, "note": "one patient: no interval"}
    assert wording.footnotes([alone]) == ["one patient: no interval."]
    several = {"low": 1.0, "interval": WAY, "note": ""}
    assert wording.footnotes([several]) == [f"[low, high]: {WAY}."]
    assert len(wording.footnotes([alone, several])) == 2
