"""A segmentation that would do nothing is refused while planning, and settings that it has not."""

import pytest

from thinslice.workflow.check_segmentation import check_segmentation

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
        ({"datasets": ["phantom", "kits23"]}, "datasets: found 'kits23', which the grid does not"),
        ({"methods": ["lanczos3"]}, "methods: found 'lanczos3', which the grid does not"),
        ({"settings": {"stepz": 9}}, "settings: no setting 'stepz'; did you mean 'steps'?"),
        ({"settings": {"lr": "1e-3"}}, "settings: lr: found the text '1e-3'"),
    ],
)
def test_what_would_do_nothing_is_refused_by_name(section, words):
    with pytest.raises(ValueError, match="config: segmentation: ") as refused:
        check_segmentation(config(**section))
    assert words in str(refused.value)
