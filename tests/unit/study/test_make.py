"""What a study is refused for, before anybody has looked at a pair."""

import re
from dataclasses import replace

import numpy as np
import pytest

from support import studies
from thinslice.errors import Refused
from thinslice.study import make
from thinslice.study.sources import Source, open_source, parse


def refusal(plan: make.Plan) -> str:
    with pytest.raises(Refused) as caught:
        make.make(plan)
    return str(caught.value)


def test_words_that_name_a_method_are_refused():
    titles = ("SharpNet or not", "sharpnet_small")
    for more in (*({"title": title} for title in titles), {"question": "is smoothing worse?"}):
        assert "annotators must not read it" in refusal(studies.plan(**more))


@pytest.mark.parametrize("groups", [(), ("",), ("other", " "), ("other", "other")])
def test_groups_are_named_each_once(groups):
    assert "name one or more, each once" in refusal(studies.plan(groups=groups))


def test_letters_that_stand_for_methods_are_not_taken_for_parts_of_words():
    plan = studies.plan(n=2)
    sources = [each._replace(name=name) for each, name in zip(plan.sources, "AB")]
    plan = plan._replace(sources=sources)
    assert make.make(plan).key["methods"].keys() == {"A", "B"}
    assert "names the method 'A'" in refusal(plan._replace(question="Is A better?", title=""))


def test_one_method_or_two_of_one_name_are_refused():
    assert "two or more" in refusal(studies.plan(methods=1))
    plan = studies.plan()
    assert "called 'sharpnet'" in refusal(plan._replace(sources=[plan.sources[0]] * 2))


def test_more_pairs_than_planes_are_refused_with_how_many_are_possible():
    plan = studies.plan(n=400)
    only = [each._replace(cases={"case0": each.cases["case0"]}) for each in plan.sources]
    plan = plan._replace(sources=only)
    words = refusal(plan)
    assert "ask for fewer --pairs" in words
    (most,) = map(int, re.findall(r"at most --pairs (\d+) is possible", words))
    assert len(make.make(plan._replace(n=most)).key["pairs"]) == most
    refusal(plan._replace(n=most + 1))


def test_two_methods_of_one_scan_are_refused_as_such():
    plan = studies.plan()
    same = [plan.sources[0], studies.source("copy", 1)]
    assert "copy and sharpnet are the same scan" in refusal(plan._replace(sources=same))


def test_a_reference_that_a_method_restored_is_refused():
    plan = studies.plan()
    copy = studies.source(studies.THIN, 2)
    assert "has the voxels of smoothing everywhere" in refusal(plan._replace(reference=copy))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"origin_mm": (5.0, 0.0, 0.0)}, "lie elsewhere"),
        ({"increment_mm": 2.0}, "lie elsewhere"),
    ],
)
def test_scans_of_other_grids_are_refused(change, word):
    plan = studies.plan()
    moved = studies.scan(0, 2, replace(studies.GRID, **change))
    other = Source("moved", plan.sources[0].path, {f"case{k}": lambda: moved for k in range(3)})
    assert word in refusal(plan._replace(sources=[plan.sources[0], other]))


def test_ct_beside_mr_is_refused():
    plan = studies.plan()
    scan = replace(studies.scan(0), modality="MR")
    other = Source("mr", plan.sources[0].path, {f"case{k}": lambda: scan for k in range(3)})
    assert "mr is MR, sharpnet is CT" in refusal(plan._replace(sources=[plan.sources[0], other]))


def test_mr_is_shown_in_one_window_of_the_pair():
    plan = studies.plan(n=4)
    mr = [replace(studies.scan(0, blur), modality="MR") for blur in (1, 2)]
    cases = [{"case0": lambda v=volume: v} for volume in mr]
    sources = [each._replace(cases=some) for each, some in zip(plan.sources, cases)]
    study = make.make(plan._replace(sources=sources, reference=None))
    assert '"first":"all","window":[' in study.page.html
    assert make.WITHOUT in study.page.html


def test_a_folder_of_scans_a_scan_and_a_store_are_sources(tmp_path):
    from thinslice.store import write_scan

    paths = studies.folders(tmp_path)
    assert list(open_source("m", paths["thin"]).cases) == ["case0", "case1"]
    write_scan(tmp_path / "one.zarr", studies.scan(0))
    single = [open_source("m", p) for p in (tmp_path / "one.zarr", paths["thin"] / "case0.nii.gz")]
    assert [list(source.cases) for source in single] == [["scan"], ["scan"]]
    first, second = (source.cases["scan"]().read() for source in single)
    assert np.array_equal(first, second)


def test_sources_without_a_common_case_are_refused(tmp_path):
    paths = studies.folders(tmp_path)
    (paths[studies.BLURRED] / "case1.nii.gz").unlink()
    (paths[studies.BLURRED] / "case0.nii.gz").rename(paths[studies.BLURRED] / "x.nii.gz")
    sources = [open_source(name, path) for name, path in paths.items()]
    assert "give scans of one case the same name" in refusal(make.Plan(sources, None, 1))


@pytest.mark.parametrize("text", ["linear", "=path", "linear="])
def test_a_source_without_name_or_path_is_refused(text):
    with pytest.raises(ValueError, match="NAME=PATH"):
        parse(text)
