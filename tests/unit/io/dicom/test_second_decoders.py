"""Every shared DICOM series and file: HU and places as pydicom and dcm2niix have them.

dcm2niix is Debian's package of that name. What was compressed with loss is compared with pydicom
alone: dcm2niix decodes the JPEG of 8 bits otherwise, by up to 40 grey values.
"""

import shutil

import numpy as np
import pytest

from support import second_decoders as others
from support.paths import REAL_SCANS
from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.dicom.headers import slices_of
from thinslice.io.dicom.pixels import fill

pytestmark = pytest.mark.skipif(
    not REAL_SCANS.is_dir(), reason="no real scans beside the repository"
)
ROUNDED_MM = 1e-4  # NIfTI's affine is float32
SERIES = [
    pytest.param("ldct_l291_3mm_at_2mm_140slices", marks=pytest.mark.slow),
    "lungfcp_overlap_2mm_at_1mm",
    "phantom_pair_1mm_UB_iDose2_z40-64",
    "phantom_pair_5mm_UB_z8-12",
    "ricord_jpeglossless70_1.25mm_NC",
]
SINGLE = ["ct_all_transfer_syntaxes", "enhanced_multiframe_misc", "philips_tilt16_2.5mm"]


@pytest.mark.parametrize("archive", SERIES)
def test_a_series(tmp_path, archive):
    (folder,) = others.unpacked(archive, tmp_path / "in")
    scan = files.read(folder)
    assert others.largest_error_to_pydicom(scan.volume, scan.files) in (0.0, None)
    if shutil.which("dcm2niix"):
        theirs = others.errors_to_dcm2niix(scan.volume, folder, tmp_path / "out")
        assert theirs is not None
        assert theirs[0] == 0
        assert theirs[1] < ROUNDED_MM


@pytest.mark.parametrize("archive", SINGLE)
def test_each_file(tmp_path, archive):
    """Every image that we decode, where another decodes it too."""
    compared = 0
    for k, file in enumerate(each_file(archive, tmp_path / "in")):
        ours = hu_of(file)
        if ours is None:
            continue
        lossy = slices_of(file)[0].lossy
        decoded = others.by_pydicom(file)
        if decoded is not None:
            np.testing.assert_array_equal(ours, list(decoded.values()))
        if shutil.which("dcm2niix") and len(ours) == 1 and not lossy:
            (tmp_path / str(k)).mkdir()
            theirs = others.image_by_dcm2niix(file, tmp_path / str(k))
            if theirs is not None:
                np.testing.assert_array_equal(ours[0], theirs, err_msg=file.name)
                compared += 1
        compared += decoded is not None
    assert compared >= 5


def each_file(archive, into):
    folders = others.unpacked(archive, into)
    return sorted(path for folder in folders for path in folder.iterdir() if path.is_file())


def hu_of(file):
    """HU [frame, row, column] of the slices in a file; None if they are refused or none."""
    try:
        slices = [image for image in slices_of(file) if image.kind == "slice"]
        if not slices:
            return None
        out = np.empty((len(slices), *slices[0].shape), np.float32)
        fill(out, slices)
    except Refused:
        return None
    return out
