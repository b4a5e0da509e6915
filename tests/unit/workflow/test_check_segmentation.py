"""A segmentation that would do nothing is refused while planning, and settings that it has not."""

import pytest

from thinslice.workflow.check_segmentation import check_segmentation
from thinslice.workflow.checks import check_names

GRID = {"datasets": ["phantom"], "degradations": ["box5"], "methods": ["linear", "cubic"]}


def config(**section):
    return {"grid": GRID, "segmentation": {"datasets": ["phantom"], **section}}


def test_what_the_grid_restores_passes_and_so_does_no_segmentation():
    check_segmentation({"grid": GRID})
    check_segmentation({"grid": GRID, "segmentation": None})
    check_segmentation(config(methods=["cubic"], settings={"steps": 9, "side": [8, 16, 16]}))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"datasets": ["phantom", "kits23"]}, "datasets: found 'kits23', which is not in grid.da"),
        ({"methods": ["nearest"]}, "'nearest', which is not in grid.methods; expected some of lin"),
        ({"methods": ["cubik"]}, "methods: found 'cubik', which is not in grid.methods"),
        ({"methods": ["cubik"]}, "did you mean 'cubic'?"),
        ({"settings": {"stepz": 9}}, "settings: no setting 'stepz'; did you mean 'steps'?"),
        ({"settings": {"lr": "1e-3"}}, "settings: lr: found the text '1e-3'"),
    ],
)
def test_what_would_do_nothing_is_refused_by_name(section, words):
    with pytest.raises(ValueError, match="config: segmentation: ") as refused:
        check_segmentation(config(**section))
    assert words in str(refused.value)


def test_names_outside_the_grid_are_left_to_this_check():
    """That they are no data set at all would say nothing of where they were written."""
    there = {"datasets": {"phantom": {}}, "degradations": {"box5": {}}, "figures": {}}
    listed = config(datasets=["kits23"], methods=["lanczos9"])
    check_names({**listed, **there, "methods": {"linear": {}, "cubic": {}}})
    with pytest.raises(ValueError, match="segmentation: datasets: found 'kits23'"):
        check_segmentation(listed)
