"""What a derived series says of itself: true to its source, silent on what it does not know.

Also read by others than us: SimpleITK, and dcm2niix and dciodvfy where they are installed.
"""

import os
import shutil
import struct
import subprocess
import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import MRImageStorage

from support import dicom_maker as maker
from support.derived_series import SAID, restored, told, written
from support.paths import REAL_SCANS
from thinslice.io import files
from thinslice.io.dicom.read import read_dicom
from thinslice.io.dicom.write import write_dicom
from thinslice.io.nifti.read import RAS_TO_LPS

REAL = [
    pytest.param("ldct_l291_3mm_at_2mm_140slices", marks=pytest.mark.slow),
    "phantom_pair_5mm_UB_z8-12",
    "lungfcp_overlap_2mm_at_1mm",
    "ricord_jpeglossless70_1.25mm_NC",
]


def test_study_patient_and_scanner_are_the_sources(tmp_path):
    found, images = written(tmp_path)
    source = pydicom.dcmread(found.files[0])
    for data in images:
        for keyword in (
            "PatientName PatientID PatientBirthDate StudyInstanceUID FrameOfReferenceUID StudyDate "
            "AccessionNumber KVP ConvolutionKernel Manufacturer InstitutionName WindowCenter "
            "WindowWidth RescaleSlope RescaleIntercept Modality SOPClassUID"
        ).split():
            assert data[keyword].value == source[keyword].value, keyword


def test_nothing_else_is_the_sources(tmp_path):
    """Neither private tags, also those inside sequences, nor what was true of one slice alone."""
    _, images = written(tmp_path)
    for data in images:
        assert not [e for e in data.iterall() if e.tag.is_private]
        assert b"secret" not in Path(data.filename).read_bytes()
        assert data.AcquisitionNumber is None
        for keyword in (
            "XRayTubeCurrent ContentTime SmallestImagePixelValue PixelPaddingValue ImageComments "
            "OperatorsName"
        ).split():
            assert keyword not in data, keyword


def test_the_series_is_new_and_says_what_it_is_made_of(tmp_path):
    found, images = written(tmp_path)
    sources = {pydicom.dcmread(path).SOPInstanceUID for path in found.files}
    assert len({data.SOPInstanceUID for data in images}) == len(images) == 8
    assert not sources & {data.SOPInstanceUID for data in images}
    assert {data.SeriesInstanceUID for data in images} == {images[0].SeriesInstanceUID}
    assert images[0].SeriesInstanceUID != maker.SERIES
    assert images[0].SeriesNumber == 1003
    for data in images:
        assert list(data.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        named = {item.ReferencedSOPInstanceUID for item in data.SourceImageSequence}
        assert named <= sources
        assert data.DerivationDescription.startswith("Restored by ?/x Restored by")
        assert len(data.DerivationDescription) <= 1024
        assert len(data.SeriesDescription) <= 64
        assert data.ContributingEquipmentSequence[0].ManufacturerModelName == "tvsrn"
        assert all(uid.is_valid for uid in (data.SOPInstanceUID, data.SeriesInstanceUID))


def test_thickness_spacing_and_positions_agree(tmp_path):
    _, images = written(tmp_path)
    places = np.array([data.ImagePositionPatient for data in images], float)
    for k, data in enumerate(images):
        assert (data.InstanceNumber, data.SliceThickness) == (k + 1, 2.5)
        assert data.SpacingBetweenSlices == 1.25
        assert data.SliceLocation == pytest.approx(places[k, 2], abs=1e-9)
    np.testing.assert_allclose(np.linalg.norm(np.diff(places, axis=0), axis=1), 1.25, atol=1e-9)


NAMES = [
    ("ISO_IR 126", "\u0391\u03b8\u03ae\u03bd\u03b1"),
    ("ISO_IR 192", "\u738b^\u5c0f\u6771"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"),
]


@pytest.mark.parametrize(("charset", "name"), NAMES, ids=["greek", "utf-8", "japanese"])
def test_a_name_keeps_its_letters(tmp_path, charset, name):
    def named(k, data):
        data.SpecificCharacterSet, data.PatientName = charset, name

    _, images = written(tmp_path, change=named)
    assert {str(data.PatientName) for data in images} == {name}


def test_values_that_break_the_rules_do_not_stop_the_writing(tmp_path):
    """A fraction of an exposure, a word for a number, a date that is none: all seen in scans."""

    def odd(k, data):
        told(k, data)
        data.Exposure, data.TableHeight, data.KVP = 12345, "123456", "120.5000"
        data.RevolutionTime = 0.5

    whole, short = struct.pack("<Hd", 8, 0.5), struct.pack("<H6x", 6)
    broken = {b"12345 ": b"12.345", b"123456": b"low   ", b"20200101": b"2020013x", whole: short}
    positions = maker.positions_of(4, 2.5)
    folder = maker.series(tmp_path / "in", maker.scan_hu(4, 8, 9), positions, change=odd)
    for path in folder.iterdir():
        content = path.read_bytes()
        for right, wrong in broken.items():
            assert right in content
            content = content.replace(right, wrong)
        path.write_bytes(content)
    found = read_dicom(folder)
    out = write_dicom(found.volume, tmp_path / "out", source=found.files, derivation=SAID)
    data = pydicom.dcmread(out[0])
    assert (str(data.KVP), str(data.Exposure)) == ("120.5000", "12.345")
    assert (data.StudyDate, data.TableHeight) == ("2020013x", "low")
    assert "RevolutionTime" not in data


def test_a_lossy_slice_makes_the_series_lossy(tmp_path):
    def lossy(k, data):
        data.LossyImageCompression = "01" if k == 2 else "00"

    _, images = written(tmp_path, change=lossy)
    assert {data.LossyImageCompression for data in images} == {"01"}


def test_without_a_dicom_source_nobody_is_named(tmp_path):
    found, _ = written(tmp_path)
    files.write(found.volume, tmp_path / "anon")
    again = files.read(tmp_path / "anon")
    np.testing.assert_array_equal(again.volume.voxels, found.volume.voxels)
    data = pydicom.dcmread(tmp_path / "anon" / "0001.dcm")
    for keyword in "PatientName PatientID PatientBirthDate PatientSex StudyDate StudyID".split():
        assert not data[keyword].value
    assert data.StudyInstanceUID != "1.2.3.4"
    assert "SourceImageSequence" not in data


def test_mr_keeps_its_own_module(tmp_path):
    def mr(k, data):
        data.Modality, data.SOPClassUID = "MR", MRImageStorage
        data.file_meta.MediaStorageSOPClassUID = MRImageStorage
        data.ScanningSequence, data.SequenceVariant = "SE", "SK"
        data.EchoTime, data.ImageType = 90, ["ORIGINAL", "PRIMARY", "M", "NORM"]
        data.RescaleSlope, data.RescaleIntercept = 2, 0

    folder = maker.series(tmp_path / "in", maker.scan_hu(), maker.positions_of(6, 2.0), change=mr)
    found = read_dicom(folder)
    files.write(found.volume, tmp_path / "out", source=found)
    np.testing.assert_array_equal(read_dicom(tmp_path / "out").volume.voxels, found.volume.voxels)
    data = pydicom.dcmread(tmp_path / "out" / "0001.dcm")
    assert (data.EchoTime, data.ScanningSequence, data.SOPClassUID) == (90, "SE", MRImageStorage)
    assert list(data.ImageType) == ["DERIVED", "SECONDARY", "M"]


# --- others than us -------------------------------------------------------------------------


def needs(program):
    """Debian: apt install dicom3tools dcm2niix."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def errors(path):
    """What dciodvfy calls an error."""
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True)
    return {line for line in done.stderr.splitlines() if line.startswith("Error")}


def assert_dcm2niix_agrees(folder, volume, out):
    """The same integers at the same places."""
    out.mkdir()
    said = subprocess.run(
        ["dcm2niix", "-o", str(out), "-f", "s", str(folder)], capture_output=True, text=True
    )
    (path,) = out.glob("*.nii")
    warned = [line for line in said.stdout.splitlines() if "Warning" in line]
    assert not [line for line in warned if "manufacturer" not in line]  # a maker it knows not
    image = nib.Nifti1Image.from_filename(path)
    values = np.asarray(image.dataobj)
    to_index = np.linalg.inv(volume.grid.affine()) @ RAS_TO_LPS @ image.affine
    for ijk in np.random.default_rng(0).integers(0, values.shape, (200, 3)):
        index = (to_index @ (*ijk, 1))[:3]
        assert (np.abs(index - index.round()) * [volume.grid.increment_mm, 1, 1]).max() < 0.01
        assert values[tuple(ijk)] == volume.voxels[tuple(index.round().astype(int))]


@needs("dcm2niix")
@pytest.mark.parametrize("turn", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)])
def test_dcm2niix_sees_the_same_scan(tmp_path, turn):
    plane = (turn[:3], turn[3:])
    positions = maker.positions_of(5, -2.5, plane)
    folder = maker.series(tmp_path / "in", maker.scan_hu(5, 8, 9), positions, plane=plane)
    thin = restored(read_dicom(folder))
    files.write(thin, tmp_path / "out", source=read_dicom(folder))
    assert_dcm2niix_agrees(tmp_path / "out", thin, tmp_path / "theirs")


@needs("dciodvfy")
def test_dciodvfy_finds_no_error_in_a_series_of_nobody(tmp_path):
    found, _ = written(tmp_path)
    files.write(found.volume, tmp_path / "anon")
    assert errors(tmp_path / "anon" / "0001.dcm") == set()


@pytest.mark.skipif(not REAL_SCANS.is_dir(), reason="no real scans beside the repository")
@pytest.mark.parametrize("name", REAL)
def test_a_real_series_comes_back_and_nothing_got_worse(tmp_path, name):
    with tarfile.open(REAL_SCANS / "dicom" / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path / "in", filter="data")
    folder = next(Path(top) for top, _, names in os.walk(tmp_path / "in") if names)
    found = files.read(folder)
    files.write(found.volume, tmp_path / "out", source=found)
    again = files.read(tmp_path / "out").volume
    np.testing.assert_array_equal(again.voxels, found.volume.voxels)
    assert again.grid.same_place(found.volume.grid, 1e-6)
    assert again.grid.thickness_mm == found.volume.grid.thickness_mm
    if shutil.which("dciodvfy"):
        assert errors(tmp_path / "out" / "0002.dcm") <= errors(found.files[1])
    if shutil.which("dcm2niix"):
        assert_dcm2niix_agrees(tmp_path / "out", found.volume, tmp_path / "theirs")
