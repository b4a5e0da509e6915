"""Sides of the patient and scale bars in pictures."""

import pytest

from thinslice.report.pictures._planes import bar_mm, letters
from thinslice.volume import Grid

AXIAL = Grid(4, 1.0, 1.0, (8, 8), (1.0, 1.0))


@pytest.mark.parametrize(
    ("plane", "sides"), [("axial", "RL"), ("coronal", "RL"), ("sagittal", "AP")]
)
def test_the_patient_s_right_is_on_the_left(plane, sides):
    assert "".join(letters(AXIAL, plane)) == sides


def test_a_turned_frame_says_what_lies_where():
    flipped = Grid(4, 1.0, 1.0, (8, 8), (1.0, 1.0), direction=((0, 0, 1), (0, -1, 0), (-1, 0, 0)))
    assert letters(flipped, "axial") == ("L", "R")
    assert letters(flipped, "sagittal") == ("P", "A")
    sagittal = Grid(4, 1.0, 1.0, (8, 8), (1.0, 1.0), direction=((1, 0, 0), (0, 0, -1), (0, 1, 0)))
    assert letters(sagittal, "axial") == ("A", "P")
    assert letters(sagittal, "sagittal") == ("H", "F")


@pytest.mark.parametrize(("width", "length"), [(350, 100), (299, 50), (90, 20), (2.5, 0.5)])
def test_bars_have_round_lengths(width, length):
    assert bar_mm(width) == pytest.approx(length)
