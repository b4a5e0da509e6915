"""RPLHR-CT: pairs by name, thick slice i on thin slice 5 i, [0, 1] told from HU, or refused."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from support.file_server import Files, serving
from support.scan_folders import chest_zyx, rplhr_folder, write_rplhr
from thinslice.datasets import rplhr_ct
from thinslice.download import zenodo
from thinslice.errors import Refused


def refusal(raw: Path, **counts: int) -> str:
    with pytest.raises(Refused) as refused:
        list(rplhr_ct.build(counts).cases(raw))
    return str(refused.value)


def test_thick_slice_i_lies_on_thin_slice_5i(tmp_path):
    counts = rplhr_folder(tmp_path)
    cases = list(rplhr_ct.build(counts).cases(tmp_path))
    assert [case.split for case in cases] == ["train", "train", "val", "test", "test"]
    for number, case in enumerate(cases):
        thin, thick = case.thin.grid, case.thick.grid
        np.testing.assert_array_equal(thick.centres_mm(), thin.centres_mm()[::5])
        np.testing.assert_array_equal(case.thick.voxels, case.thin.voxels[::5])
        np.testing.assert_allclose(case.thin.voxels, chest_zyx(11, number), atol=1e-3)
        assert (thin.thickness_mm, thick.thickness_mm) == (1.0, 5.0)
        assert (thick.origin_mm, thick.direction) == (thin.origin_mm, thin.direction)
        assert case.source["thick_start_by_header_mm"] == 0.0
        assert case.name == case.patient == f"ct{number:08d}"


def test_hu_and_unit_values_are_told_apart_and_said(tmp_path):
    counts = rplhr_folder(tmp_path / "unit")
    rplhr_folder(tmp_path / "hu", unit=False)
    one, other = (next(rplhr_ct.build(counts).cases(tmp_path / kind)) for kind in ("unit", "hu"))
    np.testing.assert_allclose(one.thin.voxels, other.thin.voxels, atol=1e-3)
    assert one.source["thin"]["unit_window"] == [-1024.0, 2048.0]
    assert "mapped to HU" in str(one.source["thin"]["warnings"])
    assert other.source["thin"]["unit_window"] is None


def test_the_folders_may_lie_anywhere_below(tmp_path):
    counts = rplhr_folder(tmp_path / "some/where")
    (tmp_path / "some/where/train/1mm/._CT00000000.nii.gz").write_bytes(b"of a Mac")
    dataset = rplhr_ct.build(counts)
    assert len(dataset.files(tmp_path)) == 10
    dataset.fetch(tmp_path)  # all is there: nothing is asked for


def test_a_scan_without_its_other_half_is_named(tmp_path):
    counts = rplhr_folder(tmp_path)
    (tmp_path / "train/5mm/CT00000001.nii.gz").unlink()
    line = refusal(tmp_path, **counts)
    assert "CT00000001 (1mm)" in line
    assert "train" in line
    with pytest.raises(Refused, match="CT00000001"):  # and nothing is downloaded over it
        rplhr_ct.build(counts).fetch(tmp_path)


def test_an_unpacking_that_was_stopped_is_gone_on_with(tmp_path):
    counts = rplhr_folder(tmp_path / "made")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    content = zipped(tmp_path / "made", mirror / "x.zip")
    answer = record("http://127.0.0.1:1/x.zip", "x.zip", content)
    (mirror / f"zenodo-{rplhr_ct.RECORD}.json").write_bytes(answer)
    dataset = rplhr_ct.build(counts)
    dataset.fetch(tmp_path / "raw", str(mirror))
    whole = dataset.files(tmp_path / "raw")
    whole[3].unlink()
    dataset.fetch(tmp_path / "raw")  # no mirror: archive and list are there
    assert dataset.files(tmp_path / "raw") == whole
    (tmp_path / "raw/x.zip").unlink()  # to save room
    dataset.fetch(tmp_path / "raw")


def test_a_missing_case_is_counted(tmp_path):
    counts = rplhr_folder(tmp_path)
    for folder in ("1mm", "5mm"):
        (tmp_path / "val" / folder / "CT00000002.nii.gz").unlink()
    assert "found 0 cases in val/1mm; expected 1" in refusal(tmp_path, **counts)
    assert "expected 100" in refusal(tmp_path, **rplhr_ct.CASES)


def test_a_case_in_two_places_is_refused(tmp_path):
    counts = rplhr_folder(tmp_path / "one")
    rplhr_folder(tmp_path / "two")
    assert "twice" in refusal(tmp_path, **counts)


def test_a_wrong_ratio_of_slices_is_refused_with_both_numbers(tmp_path):
    counts = rplhr_folder(tmp_path)
    path = tmp_path / "train/5mm/CT00000000.nii.gz"
    write_rplhr(path, chest_zyx(4), 5.0, unit=True)
    line = refusal(tmp_path, **counts)
    assert "11 thin slices to 4 thick ones" in line
    assert "16" in line


def test_increments_of_another_ratio_are_refused(tmp_path):
    counts = rplhr_folder(tmp_path)
    write_rplhr(tmp_path / "train/5mm/CT00000000.nii.gz", chest_zyx(3), 4.0, unit=True)
    assert "increments of 1 and 4 mm" in refusal(tmp_path, **counts)


def test_another_patients_pixels_are_refused(tmp_path):
    counts = rplhr_folder(tmp_path)
    path = tmp_path / "train/5mm/CT00000000.nii.gz"
    write_rplhr(path, chest_zyx(3)[:, :-1], 5.0, unit=True)
    assert "pixels" in refusal(tmp_path, **counts)


def zipped(folder: Path, archive: Path) -> bytes:
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(folder.rglob("*.nii.gz")):
            made.write(path, f"RPLHR-CT/{path.relative_to(folder)}")
    return archive.read_bytes()


def record(url: str, name: str, content: bytes) -> bytes:
    """As Zenodo answers."""
    md5 = f"md5:{hashlib.md5(content).hexdigest()}"
    file = {"key": name, "size": len(content), "checksum": md5, "links": {"self": url}}
    return json.dumps({"id": 1, "files": [file]}).encode()


def test_what_zenodo_lists_is_fetched_checked_and_unpacked(tmp_path, monkeypatch):
    counts = rplhr_folder(tmp_path / "made")
    content = zipped(tmp_path / "made", tmp_path / "x.zip")
    with serving(Files({"data.zip": content})) as files:
        files.content[f"api/{rplhr_ct.RECORD}"] = record(f"{files.url}/data.zip", "x.zip", content)
        monkeypatch.setattr(zenodo, "API", f"{files.url}/api")
        dataset = rplhr_ct.build(counts)
        dataset.fetch(tmp_path / "raw")
        dataset.fetch(tmp_path / "raw")
        assert [path for path, _ in files.asked] == [f"/api/{rplhr_ct.RECORD}", "/data.zip"]
    assert len(list(dataset.cases(tmp_path / "raw"))) == 5


def test_what_zenodo_lists_is_held_to_its_checksum(tmp_path, monkeypatch):
    counts = rplhr_folder(tmp_path / "made")
    content = zipped(tmp_path / "made", tmp_path / "x.zip")
    with serving(Files({"data.zip": content[:-1] + b"!"})) as files:
        files.content[f"api/{rplhr_ct.RECORD}"] = record(f"{files.url}/data.zip", "x.zip", content)
        monkeypatch.setattr(zenodo, "API", f"{files.url}/api")
        with pytest.raises(Refused, match=hashlib.md5(content).hexdigest()):
            rplhr_ct.build(counts).fetch(tmp_path / "raw")


def test_a_mirror_holds_the_list_too(tmp_path):
    counts = rplhr_folder(tmp_path / "made")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    content = zipped(tmp_path / "made", mirror / "x.zip")
    name = f"zenodo-{rplhr_ct.RECORD}.json"
    (mirror / name).write_bytes(record("http://127.0.0.1:1/x.zip", "x.zip", content))
    dataset = rplhr_ct.build(counts)
    dataset.fetch(tmp_path / "raw", str(mirror))
    assert len(dataset.files(tmp_path / "raw")) == 2 * sum(counts.values())  # thick and thin


def test_an_answer_without_files_is_refused(tmp_path, monkeypatch):
    with serving(Files({f"api/{rplhr_ct.RECORD}": b'{"message": "busy"}'})) as files:
        monkeypatch.setattr(zenodo, "API", f"{files.url}/api")
        with pytest.raises(Refused, match="no list of files"):
            rplhr_ct.build().fetch(tmp_path)
