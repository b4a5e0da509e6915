"""DICOM series: exact values at exact places, by positions alone; all else refused by name."""

import numpy as np
import pytest
import SimpleITK
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, MRImageStorage, RLELossless
from scipy.spatial.transform import Rotation

from support import dicom_maker as maker
from thinslice.errors import Refused
from thinslice.io.dicom.kinds import is_lossy
from thinslice.io.dicom.read import read_dicom
from thinslice.io.nifti.read import read_nifti

HU = maker.scan_hu()


def fiducials(volume):
    """{HU: LPS mm} of every voxel; values are all different."""
    index = np.indices(volume.voxels.shape).reshape(3, -1)
    places = volume.grid.affine() @ np.vstack([index, np.ones(index.shape[1])])
    return dict(zip(volume.voxels.ravel().tolist(), places[:3].T))


def planes():
    turned = Rotation.from_euler("xyz", (12, -8, 25), degrees=True).as_matrix()
    return {
        "axial": maker.AXIAL,
        "prone": ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
        "feet-first": ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
        "oblique": (turned[:, 0], turned[:, 1]),
    }


@pytest.mark.parametrize("name", planes())
@pytest.mark.parametrize("increment_mm", [2.5, -1.59998])
def test_every_voxel_keeps_its_place(tmp_path, name, increment_mm):
    plane = planes()[name]
    positions = maker.positions_of(len(HU), increment_mm, plane)
    found = read_dicom(maker.series(tmp_path / "s", HU, positions, plane=plane))
    places = fiducials(found.volume)
    assert len(places) == HU.size
    for (k, j, i), hu in np.ndenumerate(HU):
        expected = positions[k] + np.array(plane[0]) * 0.9 * i + np.array(plane[1]) * 0.7 * j
        assert np.abs(places[float(hu)] - expected).max() < 1e-6
    grid = found.volume.grid
    assert grid.increment_mm == pytest.approx(abs(increment_mm), abs=1e-8)
    assert grid.thickness_mm == 5.0
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in np.array(grid.direction))


def test_z_runs_to_the_head_y_to_the_back_x_to_the_left(tmp_path):
    plane = planes()["prone"]
    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, -2.0, plane), plane=plane)
    grid = read_dicom(folder).volume.grid
    np.testing.assert_allclose(grid.direction, [[0, 0, 1], [0, 1, 0], [1, 0, 0]], atol=1e-12)
    assert grid.pixel_mm == (0.7, 0.9)


def test_same_as_simpleitk_and_as_nifti(tmp_path):
    plane = planes()["oblique"]
    positions = maker.positions_of(6, 2.0, plane)
    folder = maker.series(tmp_path / "s", HU, positions, plane=plane)
    ours = read_dicom(folder).volume
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    places = fiducials(ours)
    for (k, j, i), hu in np.ndenumerate(SimpleITK.GetArrayFromImage(theirs)):
        place = theirs.TransformIndexToPhysicalPoint((i, j, k))
        assert np.abs(places[float(hu)] - place).max() < 1e-3
    SimpleITK.WriteImage(theirs, str(tmp_path / "s.nii.gz"))
    again = read_nifti(tmp_path / "s.nii.gz", thickness_mm=5.0).volume
    np.testing.assert_array_equal(again.voxels, ours.voxels)
    assert again.grid.same_place(ours.grid, 1e-3)


def test_overlap_and_source(tmp_path):
    found = read_dicom(maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0)))
    assert found.volume.grid.overlap_mm == pytest.approx(3.0)
    assert len(found.files) == 6
    assert (found.source["maker"], found.source["kernel"]) == ("ACME", "B30f")
    assert found.source["thickness_from"] == "file"
    assert found.source["lossy"] is False


def test_rescale_is_each_slices_own(tmp_path):
    def rescale(k, data):
        data.RescaleSlope, data.RescaleIntercept = 1 + k / 4, -1024 - 10 * k

    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0), change=rescale)
    factor = np.arange(6.0)[:, None, None]
    expected = (HU + 1024) * (1 + factor / 4) - 1024 - 10 * factor
    np.testing.assert_array_equal(read_dicom(folder).volume.voxels, expected)


def test_mr_is_read_with_its_own_units(tmp_path):
    def mr(k, data):
        data.Modality = "MR"
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
        del data.RescaleSlope, data.RescaleIntercept

    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0), change=mr)
    volume = read_dicom(folder).volume
    assert volume.modality == "MR"
    np.testing.assert_array_equal(volume.voxels, HU + 1024)
    with pytest.raises(Refused, match="found modality MR; expected CT"):
        read_dicom(folder, modality="CT")


def test_header_rounding_is_allowed(tmp_path):
    positions = [(0, 0, round(100 + 1.25 * k, 1)) for k in range(6)]
    grid = read_dicom(maker.series(tmp_path / "s", HU, positions)).volume.grid
    assert grid.increment_mm == pytest.approx(1.25, abs=0.02)
    wanted = [z for _, _, z in positions]
    off_mm = grid.origin_mm[2] + grid.centres_mm() - wanted
    assert np.abs(off_mm).max() <= 0.06
    assert abs(off_mm.mean()) < 1e-6  # the line runs through the middle of the rounding


def test_compressed_equals_plain(tmp_path):
    hu, places = maker.scan_hu(3, 32, 32), maker.positions_of(3, 2.0)
    rle = maker.series(tmp_path / "s", hu, places, change=lambda k, d: d.compress(RLELossless))
    np.testing.assert_array_equal(read_dicom(rle).volume.voxels, hu)


def test_one_lossy_slice_flags_the_scan(tmp_path):
    def once_lossy(k, data):
        data.LossyImageCompression = "01" if k == 4 else "00"

    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0), change=once_lossy)
    assert read_dicom(folder).source["lossy"] is True


@pytest.mark.parametrize(
    ("syntax", "lossy"), [(JPEGBaseline8Bit, True), (JPEG2000, True), (JPEG2000Lossless, False)]
)
def test_a_lossy_transfer_syntax_is_lossy_whatever_the_header_says(syntax, lossy):
    data = maker.image(np.zeros((4, 4), np.int16), (0, 0, 0))
    data.file_meta.TransferSyntaxUID = syntax
    assert is_lossy(data) is lossy


def test_enhanced_multi_frame(tmp_path):
    order = [3, 0, 5, 1, 4, 2]
    positions = [maker.positions_of(6, -2.0)[k] for k in order]
    data = maker.enhanced(tmp_path / "e.dcm", HU[order], positions)
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    volume = read_dicom(tmp_path / "e.dcm").volume
    np.testing.assert_array_equal(volume.voxels, HU[::-1])
    assert volume.grid.increment_mm == pytest.approx(2.0)
    own = data.PerFrameFunctionalGroupsSequence
    own[1].PixelValueTransformationSequence = maker.Items([maker.Dataset()])
    own[1].PixelValueTransformationSequence[0].RescaleSlope = 2
    own[1].PixelValueTransformationSequence[0].RescaleIntercept = 0
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    expected = HU[::-1].copy()
    moved = order[1]  # each frame by its own rescale
    expected[5 - moved] = (HU[moved] + 1024) * 2
    np.testing.assert_array_equal(read_dicom(tmp_path / "e.dcm").volume.voxels, expected)


def test_companions_are_passed_over(tmp_path):
    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0))
    for name in ("LICENSE", ".DS_Store", "DICOMDIR", "tags.json"):
        (folder / name).write_text("not a slice")
    assert len(read_dicom(folder).files) == 6


def test_thickness_declared_or_assumed_is_said(tmp_path):
    def silent(k, data):
        data.SliceThickness = None

    folder = maker.series(tmp_path / "s", HU, maker.positions_of(6, 2.0), change=silent)
    assumed, declared = read_dicom(folder), read_dicom(folder, thickness_mm=3.0)
    assert assumed.source["thickness_from"] == "increment"
    assert assumed.volume.grid.thickness_mm == pytest.approx(2.0)
    assert declared.source["thickness_from"] == "declared"
    assert declared.volume.grid.thickness_mm == 3.0
