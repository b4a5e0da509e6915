"""MSD, KiTS23 and IXI as ACVTT uses them: the published lists, fetched, selected and prepared."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support import published_sets as sets
from support.golden_weights import fixture
from thinslice.datasets import _splits, ixi, kits23, msd
from thinslice.datasets._splits import cases_of, drawn
from thinslice.errors import Refused
from thinslice.io.nifti.read import read_nifti

META, ARRAYS = fixture("acvtt", "preparation")
LISTS = {
    "msd": (msd.MANIFEST_SHA256, {"train": 100, "val": 40, "test": 100}),
    "kits23": (kits23.MANIFEST_SHA256, {"train": 80, "val": 15, "test": 50}),
}


def refusal(action):
    with pytest.raises(Refused) as caught:
        action()
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_the_published_ones_with_validation_out_of_training(name):
    sha256, counts = LISTS[name]
    rows = cases_of(name, sha256)
    assert Counter(row.split for row in rows) == counts
    assert len({row.case for row in rows}) == len({row.patient for row in rows}) == len(rows)
    published = [row.case for row in rows if row.published_split == "train"]
    assert {row.case for row in rows if row.split == "test"}.isdisjoint(published)
    val = {row.case for row in rows if row.split == "val"}
    assert val == set(drawn(name, published, counts["val"]))


def test_the_decathlon_s_list_has_the_published_exceptions():
    rows = {row.case: row for row in cases_of("msd", msd.MANIFEST_SHA256)}
    assert [case for case, row in rows.items() if row.first_slices] == ["colon_212"]
    assert "liver_187" not in rows
    counts = Counter((row.task, row.published_split) for row in rows.values())
    assert (counts["Task03_Liver", "train"], counts["Task03_Liver", "test"]) == (75, 57)
    assert counts["Task08_HepaticVessel", "train"] == 54
    assert counts["Task07_Pancreas", "test"] == 3


def test_another_list_is_refused(tmp_path, monkeypatch):
    text = (_splits.MANIFESTS / "kits23.csv").read_text()
    (tmp_path / "kits23.csv").write_text(text.replace(",test,test", ",train,test", 1))
    monkeypatch.setattr(_splits, "MANIFESTS", tmp_path)
    assert "install the package again" in refusal(kits23.build)
    assert "msd.csv" in refusal(msd.build)


def test_a_draw_does_not_hang_on_the_order_or_on_the_others():
    names = [f"case_{n:05d}" for n in range(50)]
    first = drawn("kits23", names, 10)
    assert drawn("kits23", reversed(names), 10) == first
    assert drawn("kits23", [n for n in names if n not in first[:3]], 7) == first[3:]
    assert drawn("msd", names, 10) != first


@pytest.mark.parametrize("call", META["calls"], ids=lambda call: f"{call['spacing_z']}mm")
def test_a_kits_file_becomes_the_authors_volume_the_right_way_up(tmp_path, call):
    dataset = kits23.build(
        folder=str(tmp_path), limit=1, trim_factor=call["scale_factor"], thickness_mm=1.25
    )
    file_zyx = ARRAYS[f"volume_{call['i']}"]
    path = tmp_path / dataset.rows[0].case / "imaging.nii.gz"
    sets.write_kits(path, file_zyx, call["spacing_z"])
    thin = next(dataset.cases(tmp_path)).thin
    theirs = ARRAYS[f"kits_hr_{call['i']}"]
    unit = (thin.voxels.clip(-1024, 3071) + 1024) / 4095
    assert np.abs(unit[::-1] - theirs).max() < 5e-4  # the file runs to the feet, ours to the head
    assert thin.grid.direction == ((0, 0, 1), (0, 1, 0), (1, 0, 0))
    assert thin.grid.pixel_mm == pytest.approx((0.7, 0.8))
    assert thin.grid.thickness_mm == 1.25


@pytest.mark.parametrize("call", META["calls"], ids=lambda call: f"{call['spacing_z']}mm")
def test_a_decathlon_file_becomes_the_authors_volume(tmp_path, call):
    dataset = msd.build(folder=str(tmp_path), limit=1, trim_factor=call["scale_factor"])
    row = dataset.rows[0]
    file_zyx = ARRAYS[f"volume_{call['i']}"]
    path = tmp_path / row.task / "imagesTs" / f"{row.case}.nii.gz"
    sets.write_msd(path, file_zyx, call["spacing_z"])
    thin = next(dataset.cases(tmp_path)).thin
    theirs = ARRAYS[f"msd_hr_{call['i']}"][:, ::-1, ::-1]  # the file runs to front and right
    assert np.abs((thin.voxels.clip(-1024, 3071) + 1024) / 4095 - theirs).max() < 5e-4
    assert thin.grid.pixel_mm == pytest.approx((0.7, 0.8))


@pytest.mark.parametrize("write", [sets.write_kits, sets.write_msd])
def test_every_voxel_kept_is_where_the_file_has_it(tmp_path, write):
    dataset = kits23.build(folder=str(tmp_path), limit=1)
    path = tmp_path / dataset.rows[0].case / "imaging.nii.gz"
    write(path, sets.body_zyx(3, n=13))
    thin = next(dataset.cases(tmp_path)).thin
    whole = read_nifti(path).volume
    assert thin.grid.shape < whole.grid.shape
    to_whole = np.linalg.inv(whole.grid.affine()) @ thin.grid.affine()
    index = np.stack(np.meshgrid(*map(np.arange, thin.grid.zyx), indexing="ij"), -1)
    there = index @ to_whole[:3, :3].T + to_whole[:3, 3]
    np.testing.assert_allclose(there, np.rint(there), atol=1e-4)
    z, y, x = np.moveaxis(np.rint(there).astype(int), -1, 0)
    np.testing.assert_array_equal(thin.voxels, whole.voxels[z, y, x])


def test_kits_comes_case_by_case_from_a_mirror(tmp_path):
    dataset = kits23.build(limit=1)
    cases = [row.case for row in dataset.rows]
    sets.kits_folder(tmp_path / "mirror", cases)
    dataset.fetch(tmp_path / "raw", str(tmp_path / "mirror"))
    files = dataset.files(tmp_path / "raw")
    assert files == [tmp_path / "raw" / case / "imaging.nii.gz" for case in cases]
    found = list(dataset.cases(tmp_path / "raw"))
    assert [case.name for case in found] == cases
    assert [case.split for case in found] == ["train", "val", "test"]
    assert found[1].source["published_split"] == "train"
    assert found[1].source["thin"]["thickness_from"] == "increment"
    assert kits23.remote("case_00012").url.endswith("/master_00012.nii.gz")


def test_the_decathlon_comes_out_of_its_archives(tmp_path, monkeypatch):
    dataset = msd.build(limit=1, tasks=["Task10_Colon", "Task08_HepaticVessel"])
    tasks = {row.case: row.task for row in dataset.rows}
    for task in set(tasks.values()):
        folder = tmp_path / task
        sets.msd_folder(folder, {case: t for case, t in tasks.items() if t == task})
        sets.write_msd(folder / task / "labelsTr" / "other.nii.gz", sets.body_zyx(0))
        md5 = sets.archived(folder, tmp_path / "mirror" / f"{task}.tar", dot=True)
        monkeypatch.setitem(msd.MD5, task, md5)
    raw = tmp_path / "raw"
    dataset.fetch(raw, str(tmp_path / "mirror"))
    assert {p for p in raw.rglob("*.nii.gz")} == set(dataset.files(raw))
    assert Counter(c.split for c in dataset.cases(raw)) == {"train": 1, "val": 1, "test": 1}


def test_an_archive_with_other_bytes_is_refused(tmp_path):
    dataset = msd.build(tasks=["Task09_Spleen"])
    sets.archived(tmp_path / "nothing", tmp_path / "mirror" / "Task09_Spleen.tar")
    remote = replace(msd.remote("Task09_Spleen"), url="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(msd, "remote", lambda task: remote)
        line = refusal(lambda: dataset.fetch(tmp_path / "raw", str(tmp_path / "mirror")))
    assert "410d4a301da4e5b2f6f86ec3ddba524e" in line


def test_colon_212_counts_to_365_in_the_file_s_order(tmp_path):
    path = tmp_path / "Task10_Colon/imagesTr/colon_212.nii.gz"
    sets.write_msd(path, sets.body_zyx(0, n=380))
    dataset = msd.build(folder=str(tmp_path), tasks=["Task10_Colon"], trim_factor=None)
    row = next(row for row in dataset.rows if row.case == "colon_212")
    dataset.rows = [row]
    (case,) = dataset.cases(tmp_path)
    whole = read_nifti(path).volume
    assert case.thin.grid.n == 365
    assert case.thin.grid.start_mm == whole.grid.start_mm
    assert case.source["thin"]["zyx"][0] == 380


def test_a_listed_scan_with_thick_slices_is_refused(tmp_path):
    dataset = kits23.build(folder=str(tmp_path), limit=1)
    path = tmp_path / dataset.rows[0].case / "imaging.nii.gz"
    sets.write_kits(path, sets.body_zyx(0), 2.0)
    line = refusal(lambda: list(dataset.cases(tmp_path)))
    assert line.startswith(f"{path}: found slices every 2 mm; expected 1.5 mm or less")


def test_slices_that_are_not_axial_are_refused(tmp_path):
    dataset = kits23.build(folder=str(tmp_path), limit=1)
    path = tmp_path / dataset.rows[0].case / "imaging.nii.gz"
    ras = np.array([[0.5, 0, 0, 0], [0, 0, 1.2, 0], [0, 0.5, 0, 0], [0, 0, 0, 1]])
    sets.write_scan(path, sets.body_zyx(0).transpose(2, 1, 0), ras)
    assert "slices that are not axial" in refusal(lambda: list(dataset.cases(tmp_path)))


def test_a_missing_scan_is_named(tmp_path):
    kits = kits23.build(folder=str(tmp_path))
    line = refusal(lambda: kits.fetch(tmp_path / "raw"))
    assert line.startswith(str(tmp_path / "case_00000/imaging.nii.gz"))
    decathlon = msd.build(folder=str(tmp_path), tasks=["Task09_Spleen"])
    line = refusal(lambda: decathlon.fetch(tmp_path / "raw"))
    assert "found spleen_12.nii.gz in 0 of imagesTr and imagesTs" in line


def test_a_scan_in_both_folders_is_refused(tmp_path):
    for part in msd.PARTS:
        sets.write_msd(tmp_path / f"Task09_Spleen/{part}/spleen_12.nii.gz", sets.body_zyx(0))
    dataset = msd.build(folder=str(tmp_path), tasks=["Task09_Spleen"])
    assert "in 2 of" in refusal(lambda: dataset.files(tmp_path))


def test_ixi_is_hammersmith_s_185_subjects_split_by_their_names(tmp_path):
    for number in range(185):
        (tmp_path / f"IXI{number + 12:03d}-HH-{number + 1211}-T2.nii.gz").touch()
    rows = ixi.build()._rows(ixi.build()._scans(tmp_path))
    assert Counter(row.split for row in rows) == {"train": 135, "val": 15, "test": 35}
    assert [row.case for row in rows] == sorted(row.case for row in rows)
    again = ixi.build(limit=2, folder=str(tmp_path))
    few = again._rows(again._scans(Path("unused")))
    assert Counter(row.split for row in few) == {"train": 2, "val": 2, "test": 2}
    assert set(few) < set(rows)


def test_ixi_comes_out_of_its_archive_untouched_but_trimmed(tmp_path, monkeypatch):
    sets.ixi_folder(tmp_path / "files", 5)
    md5 = sets.archived(tmp_path / "files", tmp_path / "mirror" / "IXI-T2.tar")
    monkeypatch.setattr(ixi, "ARCHIVE", replace(ixi.ARCHIVE, md5=md5))
    dataset, raw = ixi.build(subjects=5, test=2, val=1), tmp_path / "raw"
    dataset.fetch(raw, str(tmp_path / "mirror"))
    cases = list(dataset.cases(raw))
    assert [case.patient for case in cases] == [f"IXI{n:03d}" for n in range(12, 17)]
    assert Counter(case.split for case in cases) == {"train": 2, "val": 1, "test": 2}
    whole = read_nifti(dataset.files(raw)[0], modality="MR").volume
    assert cases[0].thin.modality == "MR"
    assert cases[0].thin.grid.increment_mm == 1.25
    np.testing.assert_array_equal(cases[0].thin.voxels, whole.voxels[:11])
    assert json.loads(json.dumps(cases[0].source)) == cases[0].source


def test_another_number_of_subjects_is_refused(tmp_path):
    sets.ixi_folder(tmp_path, 4)
    line = refusal(lambda: ixi.build(folder=str(tmp_path)).fetch(tmp_path))
    assert "found 4 subjects" in line
    assert "expected 185" in line
    sets.write_ixi(tmp_path / "IXI012-HH-9999-T2.nii.gz", sets.body_zyx(0))
    line = refusal(
        lambda: ixi.build(folder=str(tmp_path), subjects=5, test=1, val=1).files(tmp_path)
    )
    assert "second scan" in line


@pytest.mark.parametrize(
    ("build", "settings", "said"),
    [
        (msd.build, {"tasks": ["Task06_Lung"]}, "Task06_Lung"),
        (msd.build, {"tasks": []}, "tasks are of"),
        (kits23.build, {"limit": 0}, "limit counts cases"),
        (ixi.build, {"subjects": 50}, "every split needs a subject"),
    ],
)
def test_settings_that_make_no_sense_are_refused(build, settings, said):
    with pytest.raises(ValueError, match=said):
        build(**settings)
