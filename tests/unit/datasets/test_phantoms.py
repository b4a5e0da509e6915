"""Phantoms of known truth: pairs of one study and kernel, and the spheres known of them."""

import pytest
from pydicom import dcmread

from support import small_archive
from thinslice.datasets import phantom_fda, qiba_liver
from thinslice.errors import Refused, SetAside
from thinslice.metrics.known_solids import Sphere, spheres_of

NC = ["CC BY-NC 3.0"]
NODULES = "layout,x_mm,y_mm,z_mm,diameter_mm,hu\nlayout,1,2,30,8,\nother,0,0,0,5,100\n"


def test_a_licence_for_non_commercial_use_must_be_named():
    with pytest.raises(Refused, match=r"licences: \[CC BY-NC 3.0\]"):
        phantom_fda.build()
    assert len(phantom_fda.build(licences=NC).pairs) == 41
    assert len(qiba_liver.build().pairs) == 48


def test_thin_and_thick_are_of_one_layout_study_and_kernel():
    for pairs in (phantom_fda.build(licences=NC).pairs, qiba_liver.build().pairs):
        for thin, thick in pairs:
            same = ("layout", "study", "kernel", "licence")
            assert [thin[key] for key in same] == [thick[key] for key in same]
            assert float(thick["thickness_mm"]) >= 1.5 * float(thin["thickness_mm"])
        assert len({thick["case"] for _, thick in pairs}) == len(pairs)


def test_settings_choose_layouts_and_kernels():
    pairs = phantom_fda.build(licences=NC, layouts=["NoduleLayout_3"], kernels=["B40f"]).pairs
    assert {thick["thickness_mm"] for _, thick in pairs} == {"1.5", "3"}
    with pytest.raises(Refused, match="found kernels: B41f; expected some of"):
        phantom_fda.build(licences=NC, kernels=["B41f"])


@pytest.fixture
def settings(tmp_path):
    made = small_archive.archive(tmp_path / "series", ("layout",))
    made.write_raw(tmp_path / "raw")
    manifest = small_archive.phantom_manifest(made, tmp_path / "phantom.csv")
    (tmp_path / "nodules.csv").write_text(NODULES)
    return {"manifest": manifest, "licences": NC, "nodules": str(tmp_path / "nodules.csv")}


def test_a_case_states_the_spheres_of_its_layout(settings, tmp_path):
    data = phantom_fda.build(**settings)
    (case,) = data.cases(tmp_path / "raw")
    assert spheres_of(case.source) == [Sphere(1, 2, 30, 8)]
    assert (case.patient, case.split, case.thick.grid.n) == ("layout", "test", 11)
    assert case.source["stratum"] == {"maker": "philips", "ratio": "1/5", "kernel": "same"}
    assert tmp_path / "nodules.csv" in data.files(tmp_path / "raw")


def test_a_list_of_nodules_with_what_is_no_number_is_refused_with_its_line(settings, tmp_path):
    (tmp_path / "nodules.csv").write_text(NODULES.replace("30", "thirty"))
    with pytest.raises(Refused, match="line 2: found ValueError"):
        phantom_fda.build(**settings).readers(tmp_path / "raw")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("layout,1", "Layout,1", "found nodules of Layout, other; expected some of layout"),
        (",8,", ",0,", "line 2: found ValueError: no sphere"),
        (",30,", ",nan,", "line 2: found ValueError: no sphere"),
    ],
)
def test_nodules_of_which_nothing_can_be_measured_are_refused(
    settings, tmp_path, before, after, words
):
    (tmp_path / "nodules.csv").write_text(NODULES.replace(before, after))
    with pytest.raises(Refused, match=words):
        phantom_fda.build(**settings)


def test_a_list_of_nodules_that_is_not_there_is_refused(settings):
    with pytest.raises(Refused, match="nothing there; expected the list of nodules"):
        phantom_fda.build(**{**settings, "nodules": "none.csv"})


def test_a_series_that_cannot_be_read_sets_its_pair_aside(settings, tmp_path):
    file = sorted((tmp_path / "raw/layout-thick").glob("*.dcm"))[5]
    data = dcmread(file)
    data.ImagePositionPatient = [0, 0, 999]
    data.save_as(file)
    read = phantom_fda.build(**settings).readers(tmp_path / "raw")["layout-thick"]
    with pytest.raises(SetAside, match=r"^series: "):
        read()


def test_every_row_has_a_licence_and_one_series():
    for data in (phantom_fda.build(licences=NC), qiba_liver.build()):
        rows = [row for pair in data.pairs for row in pair]
        assert all(row["licence"] and row["uuid"] and int(row["bytes"]) for row in rows)
