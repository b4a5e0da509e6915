"""What the tests of the restore command share."""

import pytest

from support.patient import SCAN, patient
from thinslice.io.nifti.write import write_nifti
from thinslice.restoration import output


@pytest.fixture
def no_picture(monkeypatch):
    """Drawing takes most of a second."""
    drawn = lambda thick, restored, out, **how: out.write_bytes(b"a picture")  # noqa: E731
    monkeypatch.setattr(output.preview, "draw", drawn)


@pytest.fixture
def nifti(tmp_path):
    """A scan of 5 mm slices; NIfTI does not say how thick they are."""
    return write_nifti(patient(SCAN, 12.0), tmp_path / "thick.nii.gz")
