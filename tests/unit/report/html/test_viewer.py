"""The viewer's section and the pictures at the top of the page."""

import re

from support.evidence import demo
from thinslice import plugins
from thinslice.report.html import viewer
from thinslice.report.tables.typeset import analysis_table

CARD = {"name": "benchmark"}
TABLE = analysis_table(CARD, plugins.build("analyses", CARD)(demo()))


def slices(*names: str, **more):
    volumes = [{"name": name, "small": f"data:{name}"} for name in names]
    case = {
        "case": "p0", "thick_mm": [5, 5], "window": "lung", "modality": "CT", "averaged": 1,
        "slices_of": [1, 9, 9], "lossless": True, "loss": 0.0, "volumes": volumes,
    }  # fmt: skip
    about = {"dataset": "phantom", "degradation": "acquired", "sim": "sim"}
    return {**about, "cases": [{**case, **more}]}


def test_the_best_method_stands_between_thick_and_truth():
    pictures, words = viewer.overview([slices("thin", "thick", "cubic", "tvsrn")], [TABLE])
    assert re.findall(r'src="data:(\w+)"', pictures) == ["thick", "tvsrn", "thin"]
    assert "(sim)" in words
    assert "5 mm every 5 mm" in words


def test_without_a_truth_or_a_score_something_restored_is_shown():
    pictures, _ = viewer.overview([slices("thick", "linear")], [])
    assert re.findall(r'src="data:(\w+)"', pictures) == ["thick", "linear"]


def test_what_was_left_out_of_the_pictures_is_said():
    more = {"averaged": 4, "slices_of": [20, 179, 300], "lossless": False, "loss": 7.5}
    (section,) = viewer.viewer([slices("thick", "linear", **more)], [])
    text = " ".join(section.body)
    assert "averaged 4 x 4" in text
    assert "Slices 20 to 179 of 300" in text
    assert "with loss, 7.5 HU on average" in text


def test_without_slices_there_is_no_viewer():
    empty = {"dataset": "x", "degradation": "y", "sim": "", "cases": []}
    assert viewer.viewer([empty], []) == []
    assert viewer.overview([], []) == []
