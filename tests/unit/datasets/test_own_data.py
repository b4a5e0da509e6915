"""A person's own scans: the manifest checked first, pairs told in the thin scan's frame."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from support import dicom_maker as maker
from thinslice import plugins
from thinslice.datasets import own_data
from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Grid, Volume

HEAD = "case,patient,split,thin"
THIN = Grid(12, 1.0, 1.0, (5, 7), (0.7, 0.9), origin_mm=(-12.5, 8.25, 700.5))
THICK = THIN.with_slices(n=2, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)


def volume(grid=THIN, seed=0):
    hu = maker.scan_hu(*grid.zyx, seed=seed)
    return Volume(hu, grid)


def folder(tmp_path, text, **scans):
    for name, scan in scans.items():
        write_nifti(scan, tmp_path / f"{name}.nii.gz")
    (tmp_path / "manifest.csv").write_text(text)
    return own_data.build(str(tmp_path))


def used(dataset):
    dataset.fetch(Path("unused"))
    return list(dataset.cases(Path("unused")))


def refusal(dataset):
    with pytest.raises(Refused) as caught:
        used(dataset)
    line = str(caught.value)
    assert "\n" not in line
    return line


def pair(tmp_path, thin, thick):
    text = f"{HEAD},thick\na,p,test,thin.nii.gz,thick.nii.gz\n"
    return folder(tmp_path, text, thin=volume(thin), thick=volume(thick, seed=1))


def test_cases_come_in_the_manifests_order_with_their_story(tmp_path):
    text = (
        f"{HEAD},thin_thickness_mm,modality\nb,p1,test,y.nii.gz,1.5,\na,p2,train,x.nii.gz,,CT\n"
        "d-1,p1,test,series,,\n"
    )
    dataset = folder(tmp_path, text, x=volume(), y=volume(seed=3))
    maker.series(tmp_path / "series", maker.scan_hu(), maker.positions_of(6, 2.0))
    cases = list(dataset.cases(Path("unused")))
    assert [(c.name, c.patient, c.split) for c in cases] == [
        ("b", "p1", "test"),
        ("a", "p2", "train"),
        ("d-1", "p1", "test"),
    ]
    assert [c.thin.grid.thickness_mm for c in cases] == pytest.approx([1.5, 1.0, 5.0])
    assert all(c.thick is None for c in cases)
    np.testing.assert_array_equal(cases[1].thin.voxels, volume().voxels)
    assert cases[2].source["thin"]["path"] == "series"
    assert cases[2].source["thin"]["kernel"] == "B30f"
    assert json.loads(json.dumps(cases[2].source)) == cases[2].source


def test_files_are_the_manifest_and_every_file_read(tmp_path):
    dataset = folder(tmp_path, f"{HEAD}\na,p,test,x.nii.gz\nb,q,train,s\n", x=volume())
    maker.series(tmp_path / "s", maker.scan_hu(3), maker.positions_of(3, 2.0))
    (tmp_path / "other.txt").write_text("of no concern")
    files = dataset.files(Path("unused"))
    assert [p.relative_to(tmp_path).as_posix() for p in files] == [
        "manifest.csv",
        "s/000.dcm",
        "s/001.dcm",
        "s/002.dcm",
        "x.nii.gz",
    ]


def test_it_is_a_plug_in_of_acquired_scans(tmp_path):
    card = {"name": "mine", "module": "own_data", "settings": {"root": str(tmp_path)}}
    assert plugins.build("datasets", card).simulated is False
    assert "nothing" in refusal(plugins.build("datasets", card))
    with pytest.raises(ValueError, match=r"expected \[low, high\]"):
        own_data.build(str(tmp_path), unit_window=[1.0])


@pytest.mark.parametrize("start_mm", [2.0, 0.0, -1.0, 3.37])
@pytest.mark.parametrize("oblique", [False, True])
def test_a_pair_shares_the_thin_frame(tmp_path, start_mm, oblique):
    turn = Rotation.from_euler("xyz", (7, -11, 16), degrees=True).as_matrix()
    axes = np.array(THIN.direction) @ (turn.T if oblique else np.eye(3))
    thin = replace(THIN, direction=tuple(map(tuple, axes.tolist())))
    thick = thin.with_slices(n=2, increment_mm=5.0, thickness_mm=5.0, start_mm=start_mm)
    (case,) = pair(tmp_path, thin, thick).cases(Path("unused"))
    a, b = case.thin.grid, case.thick.grid
    assert b.start_mm == pytest.approx(start_mm, abs=1e-3)
    assert (a.origin_mm, a.direction, a.pixel_mm) == (b.origin_mm, b.direction, b.pixel_mm)
    assert b.same_place(thick, 1e-3)
    np.testing.assert_array_equal(case.thick.voxels, volume(thick, seed=1).voxels)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"origin_mm": (-12.5, 8.35, 700.5)}, "pixels 0.143 off at the first corner"),
        ({"pixel_mm": (0.71, 0.9)}, "found 5 x 7 pixels of 0.71 x 0.9 mm; expected 5 x 7"),
        ({"shape": (6, 7)}, "found 6 x 7 pixels"),
        (
            {"thickness_mm": 0.95, "increment_mm": 0.95},
            "found 0.95 mm slices beside thin ones of 1 mm",
        ),
        ({"start_mm": 90.0}, "found slices from 90 to 95 mm; expected some within"),
    ],
)
def test_a_pair_that_is_not_one_is_refused(tmp_path, change, said):
    assert said in refusal(pair(tmp_path, THIN, replace(THICK, **change)))


def test_a_turned_thick_scan_is_refused(tmp_path):
    turn = Rotation.from_euler("z", 1, degrees=True).as_matrix()
    axes = tuple(map(tuple, (np.array(THIN.direction) @ turn.T).tolist()))
    line = refusal(pair(tmp_path, THIN, replace(THICK, direction=axes)))
    assert "0 off at the first corner" in line
    assert "within 0.01 pixel" in line


def test_a_hundredth_of_a_pixel_is_the_same_place(tmp_path):
    near = replace(THICK, origin_mm=(-12.5 + 0.0065, 8.25, 700.5))
    (case,) = pair(tmp_path, THIN, near).cases(Path("unused"))
    assert case.thick.grid.origin_mm == case.thin.grid.origin_mm


def test_lossy_thin_is_refused_lossy_thick_is_flagged(tmp_path):
    def lossy(k, data):
        data.LossyImageCompression = "01"

    hu = maker.scan_hu()
    maker.series(tmp_path / "lossy", hu, maker.positions_of(6, 2.0), change=lossy)
    start = maker.positions_of(6, 1.0)
    maker.series(tmp_path / "fine", hu, start, thickness_mm=1.0)
    alone = folder(tmp_path, f"{HEAD}\na,p,test,lossy\n")
    assert "found lossy compression" in refusal(alone)
    paired = folder(tmp_path, f"{HEAD},thick\na,p,test,fine,lossy\n")
    (case,) = paired.cases(Path("unused"))
    assert case.source["thick"]["lossy"] is True


def test_unit_window_is_declared_for_the_dataset(tmp_path):
    grid = volume().grid
    unit = Volume(((volume().voxels + 1024) / 3072).astype(np.float32), grid, "MR")
    dataset = folder(tmp_path, f"{HEAD}\na,p,test,x.nii.gz\n", x=unit)
    assert "declare unit_window" in refusal(dataset)
    (case,) = own_data.build(str(tmp_path), unit_window=[-1024, 2048]).cases(Path("unused"))
    np.testing.assert_allclose(case.thin.voxels, volume().voxels, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case,patient,split,thin,kernel\n", "an unknown column 'kernel'"),
        ("case,patient,split\n", "no column 'thin'"),
        ("case;patient;split;thin\n", "semicolons between the columns"),
        (f"{HEAD},thin\n", "the column 'thin' twice"),
        (f"{HEAD}\n", "0 cases, none of split test"),
        (f"{HEAD}\na,p,train,x.nii.gz\n", "1 cases, none of split test"),
        (f"{HEAD}\na,p,tset,x.nii.gz\n", "line 2: found split 'tset'"),
        (f"{HEAD}\na,p,test,absent.nii.gz\n", "no file or folder"),
        (f"{HEAD}\nA b,p,test,x.nii.gz\n", "case 'A b'"),
        (f"{HEAD}\na,,test,x.nii.gz\n", "no patient"),
        (f"{HEAD}\na,p,test\n", "more or fewer cells"),
        (f"{HEAD}\na,p,test,x.nii.gz,7\n", "more or fewer cells"),
        (f"{HEAD}\na,p,test,x.nii.gz\na,q,test,y.nii.gz\n", "cases given twice: a"),
        (f"{HEAD}\na,p,test,x.nii.gz\nb,q,train,x.nii.gz\n", "scans used twice"),
        (f"{HEAD}\na,p,test,x.nii.gz\nb,p,train,y.nii.gz\n", "p in test and train"),
        (f"{HEAD},modality\na,p,test,x.nii.gz,PET\n", "modality 'PET'"),
        (f"{HEAD},thin_thickness_mm\na,p,test,x.nii.gz,thin\n", "thin_thickness_mm 'thin'"),
        (f"{HEAD},thin_thickness_mm\na,p,test,x.nii.gz,-1\n", "thin_thickness_mm '-1'"),
    ],
)
def test_a_wrong_manifest_is_refused_before_any_scan_is_read(tmp_path, text, said):
    for name in ("x", "y"):
        (tmp_path / f"{name}.nii.gz").write_text("never read")
    line = refusal(folder(tmp_path, text))
    assert said in line
    assert line.startswith(str(tmp_path / "manifest.csv"))


def test_a_spreadsheets_byte_order_mark_is_no_column(tmp_path):
    dataset = folder(tmp_path, "\ufeff" + f"{HEAD}\r\na,p,test,x.nii.gz\r\n", x=volume())
    assert [c.name for c in dataset.cases(Path("unused"))] == ["a"]


def series_of_type(folder, kind):
    def change(k, data):
        data.ImageType = kind

    maker.series(folder, maker.scan_hu(), maker.positions_of(6, 2.0), change=change)


@pytest.mark.parametrize("kind", ["restored NIfTI", "restored DICOM", "reformatted DICOM"])
def test_a_derived_scan_is_refused_as_the_reference_unless_accepted(tmp_path, kind):
    derivation = Derivation("computed", "thinslice 1 mm every 1 mm, linear", "linear")
    name = "thin.nii.gz" if "NIfTI" in kind else "thin"
    if "restored" in kind:
        files.write(volume(), tmp_path / name, derivation=derivation)
    else:
        series_of_type(tmp_path / name, ["DERIVED", "SECONDARY", "REFORMATTED"])
    (tmp_path / "manifest.csv").write_text(f"{HEAD}\na,p,test,{name}\n")
    line = refusal(own_data.build(str(tmp_path)))
    assert "found a scan computed from another one (" in line
    assert "accept_derived: true" in line
    (case,) = used(own_data.build(str(tmp_path), accept_derived=True))
    assert any("computed from another one" in note for note in case.source["thin"]["warnings"])


@pytest.mark.parametrize("kind", [["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "PRIMARY", "MIX"]])
def test_an_acquired_scan_or_a_mixture_of_energies_is_taken(tmp_path, kind):
    series_of_type(tmp_path / "thin", kind)
    (tmp_path / "manifest.csv").write_text(f"{HEAD}\na,p,test,thin\n")
    (case,) = used(own_data.build(str(tmp_path)))
    assert case.source["thin"]["derived"] is None


def test_a_copy_of_a_scan_under_another_patient_is_refused(tmp_path):
    text = f"{HEAD}\na,p,train,x.nii.gz\nb,q,test,y.nii.gz\nc,q,test,z.nii.gz\n"
    scans = {"x": volume(), "y": volume(), "z": volume(seed=1)}
    line = refusal(folder(tmp_path, text, **scans))
    assert line.startswith("case b: ")
    assert "found the same voxels as in case a of patient p" in line
    same_patient = text.replace("b,q,test", "b,p,train")
    assert len(used(folder(tmp_path, same_patient))) == 3


def test_scans_that_are_read_apart_are_compared_all_the_same(tmp_path):
    """What jobs of several processes do: read by case, then compare digests."""
    text = f"{HEAD}\na,p,train,x.nii.gz\nb,q,test,y.nii.gz\nc,q,test,z.nii.gz\n"
    dataset = folder(tmp_path, text, x=volume(), y=volume(), z=volume(seed=1))
    apart = {name: read() for name, read in dataset.readers(tmp_path).items()}
    digests = {name: case.thin.digest() for name, case in apart.items()}
    with pytest.raises(Refused, match=r"^case b: .* the same voxels as in case a of patient p"):
        dataset.compare(digests)
    dataset.compare({**digests, "b": "another"})
    assert list(apart) == ["a", "b", "c"]
