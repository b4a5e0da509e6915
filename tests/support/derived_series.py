"""A synthetic series with a scanner's header, and what is derived from it."""

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from support import dicom_maker as maker
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.dicom.read import read_dicom
from thinslice.io.dicom.write import write_dicom
from thinslice.volume import Volume

SAID = Derivation("Restored by \u00e9\\x \n" * 200, "restored 1 mm " * 9, "tvsrn")


def told(k, data):
    """A header as scanners write it: some of it true of the series, some of one slice alone."""
    data.PatientName, data.PatientID, data.PatientBirthDate = "Doe^Jane", "4711", "19500101"
    data.StudyInstanceUID, data.FrameOfReferenceUID = "1.2.3.4", "1.2.3.5"
    data.StudyDate, data.AccessionNumber = "20200101", "A1"
    data.KVP, data.ConvolutionKernel, data.InstitutionName = 120, "B30f", "Ward 7"
    data.WindowCenter, data.WindowWidth = [40, -600], [400, 1500]
    data.XRayTubeCurrent, data.ContentTime, data.AcquisitionNumber = 100 + k, f"1200{k:02d}", k
    data.SmallestImagePixelValue, data.PixelPaddingValue = 0, -2000
    data.ImageComments, data.OperatorsName = "look at this", "Smith"
    data.private_block(0x0029, "ACME", create=True).add_new(1, "LO", "secret")
    inside = Dataset()
    inside.CodeValue, inside.CodingSchemeDesignator, inside.CodeMeaning = "113100", "DCM", "Basic"
    inside.private_block(0x0029, "ACME", create=True).add_new(1, "LO", "secret")
    data.DeidentificationMethodCodeSequence = [inside]


def restored(found):
    """Half as thick, made of nothing but numbers."""
    grid = found.volume.grid
    thin = grid.with_slices(
        n=2 * grid.n,
        increment_mm=grid.increment_mm / 2,
        thickness_mm=grid.thickness_mm / 2,
        start_mm=grid.start_mm,
    )
    return Volume(np.repeat(found.volume.voxels, 2, axis=0), thin)


def written(tmp_path, change=told, **how):
    """A series' files and the headers of what is derived from it."""
    positions = maker.positions_of(4, 2.5)
    hu = maker.scan_hu(4, 8, 9)
    folder = maker.series(tmp_path / "in", hu, positions, change=change, **how)
    found = read_dicom(folder)
    out = write_dicom(restored(found), tmp_path / "out", source=found.files, derivation=SAID)
    return found, [pydicom.dcmread(path) for path in out]
