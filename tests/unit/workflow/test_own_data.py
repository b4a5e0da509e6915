"""What the workflow learns from a manifest before any scan is opened."""

import pytest

from thinslice.errors import Refused
from thinslice.workflow import own_data

CARD = {"module": "own_data", "settings": {}}


def config(root):
    return {"root": str(root), "datasets": {"own": CARD}, "grid": {"datasets": ["own"]}}


def write(root, *rows):
    """A manifest, and the scans that it names unless they are there."""
    (root / "manifest.csv").write_text("\n".join(["case,patient,split,thin,thick", *rows]) + "\n")
    for row in rows:
        for name in row.split(",")[3:]:
            if name.strip() and not (root / name.strip()).exists():
                (root / name.strip()).write_text("never read")


def test_it_counts_cases_and_pairs_by_split(tmp_path):
    write(tmp_path, "a,p1,train,a.nii.gz,", "b,p2,train,b.nii.gz,B", "c,p3,test,c.nii.gz,C")
    card = own_data.with_own_data(config(tmp_path))["datasets"]["own"]
    assert card["cases"] == {"train": 2, "val": 0, "test": 1}
    assert card["acquired_cases"] == {"train": 1, "val": 0, "test": 1}
    assert card["acquired"] is True
    assert card["settings"]["root"] == str(tmp_path)


def test_without_a_thick_series_nothing_is_acquired(tmp_path):
    write(tmp_path, "a,p1,test,a.nii.gz,")
    assert not own_data.with_own_data(config(tmp_path))["datasets"]["own"]["acquired"]


def test_every_file_it_names_is_an_input(tmp_path):
    write(tmp_path, "a,p1,test,a.nii.gz,A")
    card = own_data.with_own_data(config(tmp_path))["datasets"]["own"]
    names = {path.removeprefix(f"{tmp_path}/") for path in own_data.files(card)}
    assert names == {"manifest.csv", "a.nii.gz", "A"}


def test_a_series_counts_by_its_files_and_spaces_around_cells_do_not(tmp_path):
    (tmp_path / "A").mkdir()
    for name in ("2.dcm", "1.dcm", ".DS_Store"):
        (tmp_path / "A" / name).write_bytes(b"slice")
    write(tmp_path, "a,p1, test,a.nii.gz, A ")
    card = own_data.with_own_data(config(tmp_path))["datasets"]["own"]
    names = [path.removeprefix(f"{tmp_path}/") for path in own_data.files(card)]
    assert names == ["manifest.csv", "a.nii.gz", "A/1.dcm", "A/2.dcm"]
    assert card["acquired_cases"]["test"] == 1


def test_a_home_folder_may_be_written_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "a,p1,test,a.nii.gz,")
    card = own_data.with_own_data(config("~"))["datasets"]["own"]
    assert own_data.files(card)[0] == str(tmp_path / "manifest.csv")


def test_no_root_no_manifest_and_a_wrong_split_are_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match="--config root=DIR"):
        own_data.with_own_data({**config(tmp_path), "root": None})
    with pytest.raises(Refused, match=r"manifest\.csv: found nothing"):
        own_data.with_own_data(config(tmp_path))
    write(tmp_path, "a,p1,training,a.nii.gz,", "b,p2,test,b.nii.gz,")
    with pytest.raises(ValueError, match=r"manifest\.csv, line 2: found split 'training'"):
        own_data.with_own_data(config(tmp_path))
    write(tmp_path, "a,p1,train,a.nii.gz,")
    with pytest.raises(ValueError, match="none of split test"):
        own_data.with_own_data(config(tmp_path))
    (tmp_path / "manifest.csv").write_text("case,patient,split,Thin\na,p1,test,a.nii.gz\n")
    with pytest.raises(
        ValueError, match=r"no column 'thin', an unknown column 'Thin' \(did you mean 'thin'\?"
    ):
        own_data.with_own_data(config(tmp_path))


def test_other_datasets_are_left_alone():
    phantom = {
        "datasets": {"phantom": {"settings": {"seed": 1}}},
        "grid": {"datasets": ["phantom"]},
    }
    assert own_data.with_own_data(phantom) == phantom
    assert own_data.files(phantom["datasets"]["phantom"]) == []
