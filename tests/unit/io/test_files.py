"""Scans written and read again: every voxel at its place, every HU as it was, or nothing at all."""

import itertools
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from support import dicom_maker as maker
from support.nifti_maker import ORDERS, TURNS, reordered, saved, scan_ras
from support.oriented_series import ORIENTATIONS, PLACES_MM, SLICES, source
from support.paths import REAL_SCANS, ROOT
from support.quick import slow_but
from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.dicom.read import read_dicom, slices_of
from thinslice.io.dicom.write import write_dicom
from thinslice.io.nifti.read import read_nifti
from thinslice.io.nifti.write import write_nifti
from thinslice.store import open_scan, verify
from thinslice.volume import Grid, Volume

SAID = Derivation("Nothing was done.", "identity", "identity")


def fiducials(volume, n=20):
    """{value: LPS mm} of some voxels; values are all different."""
    index = np.random.default_rng(0).permutation(np.indices(volume.grid.zyx).reshape(3, -1).T)[:n]
    places = np.c_[index, np.ones(len(index))] @ volume.grid.affine().T
    return {float(volume.voxels[tuple(at)]): place[:3] for at, place in zip(index, places)}


def moved_mm(volume, again):
    """The longest way of a fiducial; every value must be found again, and no other."""
    there = fiducials(again, again.voxels.size)
    assert sorted(there) == sorted(fiducials(volume, volume.voxels.size))
    return max(np.linalg.norm(there[hu] - place) for hu, place in fiducials(volume).items())


QUICK = list(zip(ORIENTATIONS, itertools.cycle(TURNS)))  # each plane once, turns in turn


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("laid", slow_but(QUICK, itertools.product(ORIENTATIONS, TURNS)), ids=str)
def test_what_is_read_written_and_read_is_the_same_scan(tmp_path, laid):
    orientation, turn = laid
    for (k, slices), phase in itertools.product(enumerate(SLICES), (0.0, 0.37)):
        found = source(tmp_path / f"in{k}{phase}", orientation, turn, slices, phase)
        for name in ("out", "out.nii.gz", "out.zarr")[: 3 if (k, phase) == (4, 0.37) else 2]:
            files.write(found.volume, tmp_path / f"{k}{phase}{name}", source=found)
            again = files.read(tmp_path / f"{k}{phase}{name}", thickness_mm=slices[0]).volume
            assert moved_mm(found.volume, again) <= PLACES_MM
            if name != "out.nii.gz":  # NIfTI does not say which axis runs through the plane
                np.testing.assert_array_equal(again.voxels, found.volume.voxels)
                assert again.grid.same_place(found.volume.grid, 1e-6)
                assert again.grid.thickness_mm == slices[0]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_thinner_slices_lie_where_their_grid_says(tmp_path, orientation, turn):
    thick = source(tmp_path / "in", orientation, turn, (5, 2.5))
    grid = thick.volume.grid.with_slices(n=13, increment_mm=0.97, thickness_mm=1.0, start_mm=0.31)
    voxels = maker.scan_hu(13, *grid.shape)
    thin = Volume(voxels, grid)
    files.write(thin, tmp_path / "out", source=thick)
    again = read_dicom(tmp_path / "out").volume
    assert moved_mm(thin, again) <= 1e-6
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "out")))
    theirs = reader.Execute()
    wanted = fiducials(thin, voxels.size)
    for (k, j, i), hu in np.ndenumerate(SimpleITK.GetArrayFromImage(theirs)):
        place = theirs.TransformIndexToPhysicalPoint((i, j, k))
        assert np.linalg.norm(wanted[float(hu)] - place) < PLACES_MM


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_series_is_laid_out_like_its_source(tmp_path, orientation):
    """File by file the same image in the same order, so a viewer scrolls both alike."""
    rows, columns, onward = ORIENTATIONS[orientation]
    hu = maker.scan_hu(4, 5, 7)
    positions = maker.positions_of(4, onward * 2.0, (rows, columns))

    def numbered(k, data):
        data.InstanceNumber = k + 1

    folder = maker.series(tmp_path / "in", hu, positions, plane=(rows, columns), change=numbered)
    found = read_dicom(folder)
    for k, path in enumerate(
        write_dicom(found.volume, tmp_path / "out", source=found.files, derivation=SAID)
    ):
        image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))[0]
        np.testing.assert_array_equal(image, hu[k])


@pytest.mark.parametrize(("order", "flips"), ORDERS[::5])
@pytest.mark.parametrize("turn", TURNS)
def test_a_nifti_keeps_the_axes_of_its_source(tmp_path, order, flips, turn):
    """A mask drawn on the source lies on what is made of it, array on array."""
    values, affine = reordered(*scan_ras(TURNS[turn]), order, flips)
    found = read_nifti(saved(tmp_path / "in.nii", values, affine))
    files.write(found.volume, tmp_path / "out.nii", source=found)
    image = nib.Nifti1Image.from_filename(tmp_path / "out.nii")
    np.testing.assert_array_equal(image.dataobj, values)
    np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    np.testing.assert_allclose(image.header.get_qform(), image.header.get_sform(), atol=1e-3)
    assert (image.header["sform_code"], image.header["qform_code"]) == (1, 1)
    assert image.header.get_dim_info()[2] == order.index(2)


def test_fractions_of_hu_stay_where_floats_are_asked_for(tmp_path):
    values, affine = scan_ras()
    volume = read_nifti(saved(tmp_path / "in.nii", values, affine)).volume
    fine = volume.with_voxels(volume.voxels + 0.375)
    write_nifti(fine, tmp_path / "f.nii.gz", dtype="float32")
    np.testing.assert_array_equal(read_nifti(tmp_path / "f.nii.gz").volume.voxels, fine.voxels)


REAL = ("nifti_awkward/*SPL*", "nifti_awkward/*uint16*", "nifti_awkward/*oblique*", "thick/*")


@pytest.mark.skipif(not REAL_SCANS.is_dir(), reason="no real scans beside the repository")
@pytest.mark.parametrize("pattern", REAL)
def test_a_real_nifti_comes_back_axis_by_axis_also_by_way_of_dicom(tmp_path, pattern):
    (path,) = REAL_SCANS.glob(f"{pattern}.nii.gz")
    found = files.read(path)
    files.write(found.volume, tmp_path / "out.nii.gz", source=found)
    ours, theirs = (nib.Nifti1Image.from_filename(p) for p in (tmp_path / "out.nii.gz", path))
    np.testing.assert_array_equal(ours.dataobj, theirs.dataobj)
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
    files.write(found.volume, tmp_path / "series", source=found)
    again = files.read(tmp_path / "series").volume
    np.testing.assert_array_equal(again.voxels, found.volume.voxels)
    assert again.grid.same_place(found.volume.grid, 1e-6)


def test_the_same_scan_is_the_same_bytes_and_another_is_another_series(tmp_path):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    other = found.volume.with_voxels(found.volume.voxels + 1)
    for name, volume in (("a", found.volume), ("b", found.volume), ("c", other)):
        for ending in ("", ".nii.gz"):
            files.write(volume, tmp_path / f"{name}{ending}", source=found)
    for one, two in zip(sorted((tmp_path / "a").iterdir()), sorted((tmp_path / "b").iterdir())):
        assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    series = {slices_of(tmp_path / name / "0001.dcm")[0].series for name in "abc"}
    assert len(series) == 2


def test_a_store_of_one_scan_is_an_image_at_its_root(tmp_path):
    import zarr

    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    files.write(found.volume, tmp_path / "out.zarr", source=found)
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    level = root.attrs["ome"]["multiscales"][0]["datasets"][0]
    np.testing.assert_array_equal(root[level["path"]][:], found.volume.voxels)
    assert level["coordinateTransformations"][0]["scale"] == [2.5, 0.7, 0.9]
    assert open_scan(tmp_path / "out.zarr").grid == found.volume.grid
    assert verify(tmp_path / "out.zarr") == []


def test_hu_that_do_not_fit_with_the_sources_intercept_fit_without(tmp_path):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    voxels = found.volume.voxels.copy()
    voxels.flat[:2] = -32768, 32767
    files.write(found.volume.with_voxels(voxels), tmp_path / "out", source=found)
    np.testing.assert_array_equal(read_dicom(tmp_path / "out").volume.voxels, voxels)
    for bad, names in ((np.nan, ("no", "no.nii", "no.zarr")), (4e4, ("no.zarr",))):
        voxels.flat[0] = bad
        for name in names:
            with pytest.raises(ValueError, match=r"finite|fit"):
                files.write(found.volume.with_voxels(voxels), tmp_path / name, source=found)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_hu_beyond_16_bits_are_written_whole_or_refused_before_any_work(tmp_path):
    found = source(tmp_path / "in", "supine+", "square", (5, 2.5))
    voxels = found.volume.voxels.copy()
    voxels.flat[:2] = -2056, 51247
    beyond = found._replace(volume=found.volume.with_voxels(voxels))
    for name in ("out", "out.nii.gz", "out.nii"):
        files.refuse_unfit(tmp_path / name, beyond)
        files.write(beyond.volume, tmp_path / name, source=found)
        again = files.read(tmp_path / name).volume
        assert moved_mm(beyond.volume, again) <= PLACES_MM
    assert nib.load(tmp_path / "out.nii").get_data_dtype() == np.float32
    with pytest.raises(Refused, match=r"HU -2056 to 51247 in .*in; expected -32768 to 32767"):
        files.refuse_unfit(tmp_path / "out.zarr", beyond)
    voxels.flat[0] = -20000
    wider = beyond._replace(volume=found.volume.with_voxels(voxels))
    with pytest.raises(Refused, match=r"a span of 65535.*name OUT .nii.gz"):
        files.refuse_unfit(tmp_path / "wide", wider)
    files.write(wider.volume, tmp_path / "wide", source=found)  # what a network made of it
    steps_of = (51247 + 20000) / 65535
    again = files.read(tmp_path / "wide").volume
    np.testing.assert_allclose(again.voxels, voxels, atol=steps_of * 0.51)


@pytest.mark.parametrize(("low", "high"), [(0, 4000), (0, 1), (-3, 1e6)])
def test_mr_comes_back_within_half_a_step(tmp_path, low, high):
    grid = Grid(4, 2.0, 3.0, (5, 6), (0.7, 0.9))
    values = np.linspace(low, high, np.prod(grid.zyx)).astype(np.float32).reshape(grid.zyx)
    volume = Volume(values, grid, "MR")
    files.write(volume, tmp_path / "out")
    again = read_dicom(tmp_path / "out").volume
    assert again.modality == "MR"
    assert np.abs(again.voxels - values).max() <= (high - low) / 65535 * 0.51
    files.write(volume.with_voxels(np.rint(values * 7 % 100)), tmp_path / "whole")
    again = read_dicom(tmp_path / "whole").volume
    np.testing.assert_array_equal(again.voxels, np.rint(values * 7 % 100))


def test_reading_and_writing_load_no_torch():
    code = "import sys, thinslice.io.files; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src").returncode == 0
