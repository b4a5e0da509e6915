"""Stand-ins that could stand in for nothing are refused while planning, one a line."""

import copy

import pytest

from support.cards import configs
from support.printed_paper import SETTINGS
from thinslice.workflow.check_stand_ins import check_stand_ins, mentioned

CONFIGS = configs()


def config(**stand_ins):
    changed = copy.deepcopy(CONFIGS["config.yaml"])
    changed["analyses"]["published"] = {"settings": {**SETTINGS, "stand_ins": stand_ins}}
    return changed


@pytest.mark.parametrize("file", CONFIGS)
def test_every_config_of_ours_passes(file):
    check_stand_ins(CONFIGS[file])


def test_what_the_tables_mention_may_have_a_stand_in_of_the_grid():
    check_stand_ins(config(datasets={"hospital": "phantom"}, degradations={"sparse_5mm": "box5"}))
    check_stand_ins(config(methods={"tvsrn_full": "linear", "edsr": "cubic", "tvsrn": "nearest"}))
    check_stand_ins(config(metrics={"rmse_hu": "ssim", "psnr_db": "rmse_hu", "wall_s": "slice_s"}))
    assert "tvsrn" in set(mentioned({"about": {"view": "srn"}, "method": "tv{view}"}, "method"))


@pytest.mark.parametrize(
    ("kind", "others", "words"),
    [
        ("datasets", {"hospitl": "phantom"}, "mentions 'hospitl'; did you mean 'hospital'?"),
        ("datasets", {"hospital": "phantm"}, "'phantm' is not in grid.datasets; did you mean"),
        ("degradations", {"sparse": "box5"}, "no table mentions 'sparse'"),
        ("degradations", {"acquired": "box6"}, "acquired: 'box6' is not in grid.degradations; did"),
        ("methods", {"edsrr": "cubic"}, "no table mentions 'edsrr'; did you mean 'edsr'?"),
        ("methods", {"edsr": "keys"}, "edsr: 'keys' is not in grid.methods"),
        ("metrics", {"rmsehu": "ssim"}, "no table mentions 'rmsehu'; did you mean 'rmse_hu'?"),
        ("metrics", {"rmse_hu": "rmsse_hu"}, "gives 'rmsse_hu'; did you mean 'rmse_hu'?"),
        ("metrics", {"wall_s": "rmse_hu"}, "wall_s: 'rmse_hu' is no cost of a run; expected some"),
        ("metrics", {"rmse_hu": "wall_s"}, "rmse_hu: no protocol gives 'wall_s'"),
        ("dataset", {"hospital": "phantom"}, "no kind 'dataset'; did you mean 'datasets'?"),
    ],
)
def test_a_stand_in_for_nothing_or_by_nothing_is_refused_by_name(kind, others, words):
    with pytest.raises(ValueError, match=f"analyses published: stand_ins: .*{kind}") as refused:
        check_stand_ins(config(**{kind: others}))
    assert words in str(refused.value)


def test_all_are_refused_together():
    wrong = config(datasets={"typo": "phantom"}, metrics={"rmse_hu": "rmsse_hu", "typo": "ssim"})
    with pytest.raises(ValueError, match="typo") as refused:
        check_stand_ins(wrong)
    assert len(str(refused.value).splitlines()) == 3


def test_a_protocol_that_does_not_say_its_metrics_gives_any():
    elsewhere = config(metrics={"rmse_hu": "solids_hu"})
    elsewhere["analyses"]["published"]["settings"]["tables"] = {
        "t": {"about": {"protocol": "truth", "metric": "rmse_hu"}, "columns": [], "rows": []}
    }
    check_stand_ins(elsewhere)
    segmented = config(metrics={"rmse_hu": "dice_heart"})
    segmented["segmentation"] = {"datasets": ["phantom"]}
    check_stand_ins(segmented)
