"""A figure's SVG becomes a part of the page: ids of its own, marks of rows, nothing fetched."""

import pytest

from thinslice.report.html import svg

FILE = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "http://www.w3.org/x.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 300 200" version="1.1">
<metadata>x</metadata><defs><clipPath id="p1"><rect/></clipPath></defs>
<g id="row-12"><use xlink:href="#m1" clip-path="url(#p1)"/></g><g id="row-12-2"></g></svg>"""


def test_ids_and_what_refers_to_them_are_renamed_together():
    text = svg.inline(FILE, "figure-bars", "patients", "Bars <of> it")
    assert text.startswith('<svg viewBox="0 0 300 200"')
    assert "://" not in text
    assert 'id="figure-bars-p1"' in text
    assert "url(#figure-bars-p1)" in text
    assert 'href="#figure-bars-m1"' in text
    assert 'aria-label="Bars &lt;of&gt; it"' in text
    assert "metadata" not in text


def test_marks_name_their_row():
    text = svg.inline(FILE, "figure-bars", "patients", "")
    assert text.count('data-table="patients" data-row="12"') == 2
    assert "<title>patients.csv, row 12</title>" in text


def test_a_file_that_is_no_drawing_is_refused_by_name():
    with pytest.raises(ValueError, match="'bars': no <svg>"):
        svg.inline("<html>", "bars", "", "")
