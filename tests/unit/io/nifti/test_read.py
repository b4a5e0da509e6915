"""NIfTI in any of the 48 axis orders, oblique or not: exact values at exact places."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from support.nifti_maker import ORDERS, TURNS, reordered, saved, scan_ras
from thinslice.errors import Refused
from thinslice.io.nifti.read import read_nifti
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import AXIAL, Grid, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def fiducials(voxels, to_lps):
    """{value: LPS mm} of every voxel."""
    index = np.indices(voxels.shape).reshape(3, -1)
    places = to_lps @ np.vstack([index, np.ones(index.shape[1])])
    return dict(zip(np.asarray(voxels, float).ravel().tolist(), places[:3].T))


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_every_voxel_keeps_its_place(tmp_path, order, flips, turn):
    values, affine = scan_ras(TURNS[turn])
    wanted = fiducials(values, RAS_TO_LPS @ affine)
    path = saved(tmp_path / "s.nii", *reordered(values, affine, order, flips))
    volume = read_nifti(path).volume
    got = fiducials(volume.voxels, volume.grid.affine())
    assert got.keys() == wanted.keys()
    assert max(np.abs(got[v] - wanted[v]).max() for v in wanted) < 1e-3
    assert volume.grid.zyx == (6, 5, 4)
    np.testing.assert_allclose(volume.grid.direction, AXIAL, atol=0.45)  # one nearest order


@pytest.mark.parametrize("turn", TURNS)
def test_simpleitk_sees_the_same_places(tmp_path, turn):
    path = saved(tmp_path / "s.nii.gz", *scan_ras(TURNS[turn]))
    volume, theirs = read_nifti(path).volume, SimpleITK.ReadImage(str(path))
    got = fiducials(volume.voxels, volume.grid.affine())
    for (k, j, i), hu in np.ndenumerate(SimpleITK.GetArrayFromImage(theirs)):
        assert np.abs(got[float(hu)] - theirs.TransformIndexToPhysicalPoint((i, j, k))).max() < 1e-3


def test_the_coarsest_axis_is_through_plane_else_the_one_to_the_head(tmp_path):
    values, _ = scan_ras()
    for spacing, sides in (((3.0, 1.0, 1.0), "L"), ((1.0, 3.0, 1.0), "P"), ((1, 1, 1.1), "H")):
        _, affine = scan_ras(spacing=np.array(spacing))
        grid = read_nifti(saved(tmp_path / "s.nii", values, affine)).volume.grid
        axis = int(np.abs(grid.direction[0]).argmax())
        assert "LPH"[axis] == sides
        assert grid.direction[0][axis] == 1.0
        assert grid.increment_mm == pytest.approx(spacing[axis])


def test_scaling_is_honoured(tmp_path):
    values, affine = scan_ras()
    stored = (values.astype(int) + 1024).astype(np.uint16)
    path = saved(tmp_path / "s.nii", stored, affine)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([1, -1024], "<f4").tobytes()
    path.write_bytes(content)
    np.testing.assert_array_equal(
        read_nifti(path).volume.voxels, values.transpose(2, 1, 0)[:, ::-1, ::-1]
    )
    content[112:120] = np.array([0.25, -1024], "<f4").tobytes()
    path.write_bytes(content)
    assert read_nifti(path).volume.voxels.max() == stored.max() / 4 - 1024


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("turn", TURNS)
def test_write_then_read_is_the_same_volume(tmp_path, turn, suffix):
    values, affine = scan_ras(TURNS[turn])
    volume = read_nifti(saved(tmp_path / "a.nii", values, affine), thickness_mm=5.0).volume
    write_nifti(volume, tmp_path / f"b{suffix}")
    again = read_nifti(tmp_path / f"b{suffix}", thickness_mm=5.0).volume
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    assert again.grid.same_place(volume.grid, 1e-3)
    assert SimpleITK.ReadImage(str(tmp_path / f"b{suffix}")).GetPixelID() == SimpleITK.sitkInt16
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_written_bytes_depend_on_the_volume_alone(tmp_path):
    volume = read_nifti(saved(tmp_path / "a.nii", *scan_ras())).volume
    for name in ("b.nii.gz", "c.nii.gz"):
        write_nifti(volume, tmp_path / name)
    assert (tmp_path / "b.nii.gz").read_bytes() == (tmp_path / "c.nii.gz").read_bytes()
    assert (tmp_path / "b.nii.gz").read_bytes()[4:8] == bytes(4)  # no time of writing


def test_a_refused_write_leaves_nothing(tmp_path):
    grid = Grid(2, 1, 1, (2, 2), (1, 1))
    volume = Volume(np.full((2, 2, 2), 4e4, np.float32), grid)
    with pytest.raises(ValueError, match="do not fit 16 bits"):
        write_nifti(volume, tmp_path / "a.nii", dtype="int16")
    with pytest.raises(ValueError, match="a name ending in"):
        write_nifti(volume, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_mr_keeps_its_own_units(tmp_path):
    values, affine = scan_ras()
    unit = ((values - values.min()) / np.ptp(values)).astype(np.float32)
    volume = read_nifti(saved(tmp_path / "a.nii", unit, affine), modality="MR").volume
    write_nifti(volume, tmp_path / "b.nii")
    again = read_nifti(tmp_path / "b.nii", modality="MR").volume
    np.testing.assert_array_equal(again.voxels, volume.voxels)
    assert again.modality == "MR"


def test_thickness_is_the_increment_unless_declared(tmp_path):
    path = saved(tmp_path / "a.nii", *scan_ras())
    assumed, declared = read_nifti(path), read_nifti(path, thickness_mm=4.0)
    assert assumed.source["thickness_from"] == "increment"
    assert assumed.volume.grid.overlap_mm == 0.0
    assert declared.source["thickness_from"] == "declared"
    assert declared.volume.grid.overlap_mm == pytest.approx(1.5, abs=1e-6)


@pytest.mark.parametrize("thick_mm", [2.5, 5.0, 1 / 3])
def test_the_thickness_that_was_written_is_read_again(tmp_path, thick_mm):
    grid = Grid(4, 2.5 if thick_mm > 1 else 1 / 3, thick_mm, (3, 2), (0.7, 0.7))
    hu = np.random.default_rng(0).integers(-1000, 900, grid.zyx).astype(np.float32)
    path = write_nifti(Volume(hu, grid), tmp_path / "a.nii", derived=True)
    again, declared = read_nifti(path), read_nifti(path, thickness_mm=4.0)
    assert again.source["thickness_from"] == "file"
    assert again.source["thickness_mm"] == pytest.approx(thick_mm, rel=1e-5)
    assert again.volume.grid.thickness_mm == again.source["thickness_mm"]
    assert declared.source["thickness_from"] == "declared"
    assert declared.volume.grid.thickness_mm == 4.0


@pytest.mark.parametrize("text", [b"slice thickness 0 mm", b"slice thickness 5 mm?", b"5 mm", b""])
def test_words_of_others_are_no_thickness(tmp_path, text):
    image = nib.load(saved(tmp_path / "a.nii", *scan_ras()))
    image.header["descrip"] = text
    nib.save(image, tmp_path / "b.nii")
    assert read_nifti(tmp_path / "b.nii").source["thickness_from"] == "increment"


def test_slices_that_others_averaged_since_are_as_thick_as_far_apart(tmp_path):
    grid = Grid(40, 1.0, 1.0, (3, 2), (0.7, 0.7))
    hu = np.random.default_rng(0).integers(-1000, 900, grid.zyx).astype(np.float32)
    thin = nib.load(write_nifti(Volume(hu, grid), tmp_path / "thin.nii", derived=True))
    means = np.asarray(thin.dataobj).reshape(2, 3, 8, 5).mean(-1).astype(np.int16)
    affine = thin.affine @ np.diag([1.0, 1.0, 5.0, 1.0])
    nib.save(nib.Nifti1Image(means, affine, thin.header), tmp_path / "thick.nii")
    again = read_nifti(tmp_path / "thick.nii")
    assert again.source["thickness_from"] == "increment"
    assert again.volume.grid.thickness_mm == pytest.approx(5.0)


def test_unit_floats_need_their_window(tmp_path):
    values, affine = scan_ras()
    unit = ((values + 1024.0) / 3072).astype(np.float32)
    path = saved(tmp_path / "a.nii", unit, affine)
    with pytest.raises(Refused, match=r"which are not HU; expected HU or a declared unit_window"):
        read_nifti(path)
    found = read_nifti(path, unit_window=(-1024, 2048))
    hu = read_nifti(saved(tmp_path / "hu.nii", values, affine)).volume
    np.testing.assert_allclose(found.volume.voxels, hu.voxels, atol=1e-3)
    assert found.source["unit_window"] == [-1024, 2048]
    with pytest.raises(Refused, match=r"found values -1000 to -881; expected \[0, 1\]"):
        read_nifti(tmp_path / "hu.nii", unit_window=(-1024, 2048))


def test_odd_values_are_said(tmp_path):
    values, affine = scan_ras()
    bright = read_nifti(saved(tmp_path / "a.nii", (values + 1000).astype(np.uint8), affine))
    assert "no voxel is as dark as air" in bright.source["warnings"][0]
    values[0, 0, 0] = -3024
    padded = read_nifti(saved(tmp_path / "b.nii", values, affine))
    assert "down to -3024" in padded.source["warnings"][0]


def test_sform_and_qform_that_disagree_are_said(tmp_path):
    values, affine = scan_ras()
    image = nib.Nifti1Image(values, affine)
    moved = affine.copy()
    moved[0, 3] += 3
    image.set_sform(affine, 1)
    image.set_qform(moved, 1)
    nib.save(image, tmp_path / "a.nii")
    found = read_nifti(tmp_path / "a.nii")
    assert "3 mm apart" in found.source["warnings"][0]
    assert found.volume.grid.origin_mm[2] == -710.75


def test_gzip_and_nifti2_are_read_alike(tmp_path):
    values, affine = scan_ras()
    plain = read_nifti(saved(tmp_path / "a.nii", values, affine)).volume
    nib.save(nib.Nifti2Image(values, affine), tmp_path / "b.nii")
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    for name in ("b.nii", "c.nii.gz"):
        other = read_nifti(tmp_path / name).volume
        np.testing.assert_array_equal(other.voxels, plain.voxels)
        assert other.grid.same_place(plain.grid, 1e-3)


def test_values_that_whole_numbers_would_destroy_are_written_as_floats(tmp_path):
    """HU / 1000 as an array, which no reader refused."""
    values = np.linspace(-1.024, 0.647, 8, dtype=np.float32).reshape(2, 2, 2)
    out = write_nifti(Volume(values, Grid(2, 1, 1, (2, 2), (1, 1))), tmp_path / "a.nii")
    stored = nib.load(out)
    assert stored.get_data_dtype() == np.float32
    assert sorted(stored.get_fdata().ravel()) == pytest.approx(values.ravel())
