"""Real scans, where they lie beside the repository: read right, or refused by name."""

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from support.paths import REAL_SCANS
from thinslice.datasets import own_data
from thinslice.errors import Refused
from thinslice.io.read import read_scan

pytestmark = pytest.mark.skipif(
    not REAL_SCANS.is_dir(), reason="no real scans beside the repository"
)
NIFTI = ("thin/*", "thin2mm/*", "thick/*", "pair/*", "mr/*")
AWKWARD = ("*oblique*", "*SPL*", "*uint16*")


def unpacked(tmp_path, name):
    with tarfile.open(REAL_SCANS / "dicom" / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return next(Path(top) for top, _, names in os.walk(tmp_path) if names)


def nifti_files():
    awkward = [f"nifti_awkward/{name}" for name in AWKWARD]
    return sorted(p for pattern in (*NIFTI, *awkward) for p in REAL_SCANS.glob(f"{pattern}.nii.gz"))


@pytest.mark.parametrize("path", nifti_files(), ids=lambda p: p.name)
def test_nifti_as_simpleitk_reads_it(path):
    volume = read_scan(path, modality="MR" if path.parent.name == "mr" else None).volume
    theirs = SimpleITK.ReadImage(str(path))
    values = SimpleITK.GetArrayViewFromImage(theirs)
    to_index = np.linalg.inv(volume.grid.affine())
    for ijk in np.random.default_rng(0).integers(0, theirs.GetSize(), (50, 3)).tolist():
        place = np.array([*theirs.TransformIndexToPhysicalPoint(ijk), 1.0])
        index = (to_index @ place)[:3]
        assert np.abs(index - index.round()).max() < 2e-3
        ours = volume.voxels[tuple(index.round().astype(int))]
        assert ours == pytest.approx(values[tuple(ijk[::-1])], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "said"), [("derived_no_sform_no_qform", "no geometry"), ("nibabel_example4d", "4-D")]
)
def test_awkward_nifti_is_refused(name, said):
    with pytest.raises(Refused, match=said):
        read_scan(REAL_SCANS / "nifti_awkward" / f"{name}.nii.gz")


def test_the_same_crop_in_two_axis_orders_is_one_volume():
    folder = REAL_SCANS / "nifti_awkward"
    spl = read_scan(folder / "derived_axes_SPL_thick_first.nii.gz").volume
    lps = read_scan(folder / "derived_uint16_slope1_inter-1024.nii.gz").volume
    np.testing.assert_array_equal(spl.voxels, lps.voxels)
    assert spl.grid.same_place(lps.grid, 1e-3)


@pytest.mark.parametrize(
    ("name", "n", "increment_mm", "thickness_mm"),
    [
        pytest.param("ldct_l291_3mm_at_2mm_140slices", 140, 2.0, 3.0, marks=pytest.mark.slow),
        ("lungfcp_overlap_2mm_at_1mm", 12, 1.0, 2.0),
        ("ricord_jpeglossless70_1.25mm_NC", 12, 1.25, 1.25),
        ("phantom_pair_5mm_UB_z8-12", 5, 5.0, 5.0),
    ],
)
def test_dicom_series(tmp_path, name, n, increment_mm, thickness_mm):
    folder = unpacked(tmp_path, name)
    found = read_scan(folder)
    grid = found.volume.grid
    assert (grid.n, grid.increment_mm, grid.thickness_mm) == (n, increment_mm, thickness_mm)
    theirs = {}
    for file in found.files:
        image = SimpleITK.ReadImage(str(file))
        theirs[image.GetOrigin()[2]] = SimpleITK.GetArrayFromImage(image)[0]
    for k, z_mm in enumerate(sorted(theirs)):
        assert grid.origin_mm[2] + grid.centres_mm()[k] == pytest.approx(z_mm, abs=1e-6)
        np.testing.assert_array_equal(found.volume.as_in_file()[k], theirs[z_mm])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("philips_tilt16_2.5mm", r"gantry tilt.* 16\.50 degrees"),
        ("phantom_localizer_and_secondary", "1 localizer, 3 secondary capture among 4"),
    ],
)
def test_dicom_that_is_refused(tmp_path, name, said):
    with pytest.raises(Refused, match=said):
        read_scan(unpacked(tmp_path, name))


def test_every_transfer_syntax(tmp_path):
    """One image in 16 guises, each made a series by a copy 5 mm further on."""
    folder = unpacked(tmp_path / "all", "ct_all_transfer_syntaxes")
    plain = None
    for file in sorted(folder.glob("CTImage*")):
        series = tmp_path / file.name
        series.mkdir()
        shutil.copy(file, series / "a")
        second = pydicom.dcmread(file)
        second.ImagePositionPatient[2] = float(second.ImagePositionPatient[2]) + 5
        second.save_as(series / "b")
        found = read_scan(series)
        plain = found.volume if plain is None else plain
        apart_hu = np.abs(found.volume.as_in_file() - plain.as_in_file()).max()
        assert (apart_hu > 0) == found.source["lossy"], file.name
        assert apart_hu < 65, file.name
    assert plain is not None


def test_the_real_pair_lies_five_to_one(tmp_path):
    """Thick slice j lies on thin slice 5 j + 2, and the pair says so in millimetres."""
    for kind in ("1mm_UB_iDose2", "5mm_UB"):
        shutil.copy(REAL_SCANS / "pair" / f"phantom_head_philips_{kind}.nii.gz", tmp_path)
    (tmp_path / "manifest.csv").write_text(
        "case,patient,split,thin,thick\nhead,phantom,test,"
        "phantom_head_philips_1mm_UB_iDose2.nii.gz,phantom_head_philips_5mm_UB.nii.gz\n"
    )
    (case,) = own_data.build(str(tmp_path)).cases(Path("unused"))
    assert case.thick is not None
    on_thin = case.thick.grid.centres_mm() / case.thin.grid.increment_mm
    np.testing.assert_allclose(on_thin, 5 * np.arange(16) + 2, atol=1e-4)
    means = case.thin.voxels[: 16 * 5].reshape(16, 5, *case.thin.grid.shape).mean(axis=1)
    assert np.sqrt(np.mean((means - case.thick.voxels) ** 2)) < 25  # one phase off: far more
