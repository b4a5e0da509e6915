"""dciodvfy (Debian: dicom3tools) finds no error in any kind of series that is written."""

import shutil
import subprocess

import numpy as np
import pytest
from pydicom.uid import EnhancedCTImageStorage, MRImageStorage

from support import dicom_maker as maker
from support.derived_series import SAID, restored, told
from support.inputs import TABLES
from support.nifti_maker import saved, scan_ras
from thinslice.io import files
from thinslice.io.dicom.write import write_dicom

pytestmark = pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy is not installed")
READ = {
    f"{kind}: {name}": case
    for kind, module in TABLES.items()
    for name, case in module.CASES.items()
    if kind.startswith("DICOM") and case.right and not name.startswith("bits ")
}


def errors(folder):
    """What it calls an error in the first, a middle and the last image."""
    images = sorted(folder.iterdir())
    lines = set()
    for image in (images[0], images[len(images) // 2], images[-1]):
        done = subprocess.run(["dciodvfy", str(image)], capture_output=True, text=True)
        lines |= {line for line in done.stderr.splitlines() if line.startswith("Error")}
    return lines


def mr(k, data):
    told(k, data)
    data.Modality, data.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M", "NORM"]
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
    data.ScanningSequence, data.SequenceVariant, data.EchoTime = "SE", "SK", 90
    del data.RescaleSlope, data.RescaleIntercept, data.ConvolutionKernel, data.KVP
    del data.PixelPaddingValue


def mr_of_fractions(k, data):
    mr(k, data)
    data.RescaleSlope, data.RescaleIntercept = 0.123456, 1.5


def lossy(k, data):
    told(k, data)
    data.LossyImageCompression, data.LossyImageCompressionRatio = "01", 8 + k
    data.LossyImageCompressionMethod = "ISO_15444_1"


def of_two_character_sets(k, data):
    told(k, data)
    data.SpecificCharacterSet = ("ISO_IR 192", "GB18030")[k % 2]
    data.PatientName = "\u738b^\u5c0f\u4e1c"


def silent(k, data):
    """As little as can be read."""
    del data.Manufacturer, data.ConvolutionKernel, data.SliceThickness, data.SeriesNumber


def nearly_16_bits(k, data):
    told(k, data)
    del data.PixelPaddingValue
    data.BitsStored, data.PixelRepresentation = 16, 0
    data.PixelData = (np.frombuffer(data.PixelData, "<u2") + 40000).astype("<u2").tobytes()
    data.RescaleIntercept = -41024


KINDS = {
    "CT": told,
    "MR": mr,
    "MR of fractions": mr_of_fractions,
    "lossy": lossy,
    "two character sets": of_two_character_sets,
    "as little as can be": silent,
    "values of 16 bits": nearly_16_bits,
}


@pytest.mark.parametrize("kind", KINDS)
def test_derived_series(tmp_path, kind):
    folder = maker.series(
        tmp_path / "in", maker.scan_hu(4, 8, 9), maker.positions_of(4, 2.5), change=KINDS[kind]
    )
    found = files.read(folder)
    thin = restored(found)
    write_dicom(thin, tmp_path / "out", source=found.files, derivation=SAID)
    assert errors(tmp_path / "out") == set()


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_series_of_nobody(tmp_path, modality):
    found = files.read(saved(tmp_path / "n.nii.gz", *scan_ras()), modality=modality)
    files.write(found.volume, tmp_path / "out", source=found)
    assert errors(tmp_path / "out") == set()


def test_one_of_an_enhanced_object(tmp_path):
    data = maker.enhanced(tmp_path / "e.dcm", maker.scan_hu(), maker.positions_of(6, 2.0))
    assert data.SOPClassUID == EnhancedCTImageStorage
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    found = files.read(tmp_path / "e.dcm")
    files.write(found.volume, tmp_path / "out", source=found)
    assert errors(tmp_path / "out") == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_whatever_is_read(tmp_path, monkeypatch, name):
    case = READ[name]
    found = files.read(case.make(tmp_path, monkeypatch), **(case.say or {}))
    files.write(found.volume, tmp_path / "out", source=found)
    assert errors(tmp_path / "out") == set()
