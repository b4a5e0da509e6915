"""Law of reading: a scan is read correctly, or refused in one line that names it and why.

The reference are pydicom and nibabel, which read the same bytes.
"""

import re
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pydicom
import pytest

from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.scan import LoadedScan

MOST_S, MOST_BYTES = 5.0, 1 << 30
ROUNDED_MM = 0.07  # headers may be rounded to a tenth of a millimetre
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


class Case(NamedTuple):
    """One input and the expected outcome."""

    make: Callable[[Path, pytest.MonkeyPatch], Path]
    refused: str | None = None  # pattern of the refusal; None: it need not be refused
    right: Callable[[Path, LoadedScan], None] | None = None  # None: it must not be read
    say: dict | None = None  # arguments of ``read``
    noted: str | None = None  # pattern of a warning of what is read


def holds(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the input of a case and assert the law."""
    path = case.make(folder, monkeypatch)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        found = files.read(path, **(case.say or {}))
    except Refused as refusal:
        message = str(refusal)
        assert case.refused is not None, f"refused: {message}"
        assert message.isprintable()
        message.encode("utf-8")
        assert "; expected " in message
        assert ": found " in message
        assert _plain(path.name) in message, message
        assert re.search(case.refused, message), message
    else:
        assert case.right is not None, f"read: {found.source}"
        case.right(path, found)
        if case.noted is not None:
            assert any(re.search(case.noted, note) for note in found.source["warnings"])
    assert time.process_time() - began < MOST_S
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < MOST_BYTES


def _plain(name: str) -> str:
    """A name as a refusal prints it."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else " " for c in text)


def as_pydicom(path: Path, found: LoadedScan) -> None:
    """Assert that every pixel of every file has its value at the position by its own header."""
    voxels, to_index = found.volume.voxels, np.linalg.inv(found.volume.grid.affine())
    folder = path if path.is_dir() else path.parent
    headers = [pydicom.dcmread(file) for file in (found.files if folder == path else [path])]
    assert len(headers) == found.volume.grid.n
    for data in headers:
        hu = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
        across = np.array(data.ImageOrientationPatient, float).reshape(2, 3)
        rows_mm, columns_mm = (float(v) for v in data.PixelSpacing)
        j, i = np.indices(hu.shape).reshape(2, -1)
        mm = np.array(data.ImagePositionPatient, float)[:, None]
        mm = mm + across[0][:, None] * columns_mm * i + across[1][:, None] * rows_mm * j
        index = (to_index @ np.vstack([mm, np.ones(mm.shape[1])]))[:3]
        spacing_mm = np.linalg.norm(found.volume.grid.affine()[:3, :3], axis=0)
        assert (np.abs(index - index.round()).max(axis=1) * spacing_mm).max() < ROUNDED_MM
        ours = voxels[tuple(index.round().astype(int))]
        np.testing.assert_allclose(ours, hu.ravel().astype(np.float32))


def as_nibabel(path: Path, found: LoadedScan) -> None:
    """Assert that every voxel has nibabel's value at nibabel's position."""
    image = nib.load(path)
    at_places(found, np.asanyarray(image.dataobj).reshape(image.shape[:3]), image.affine)


def at_places(found: LoadedScan, values: np.ndarray, affine: np.ndarray) -> None:
    """Assert that every voxel has its value where ``affine``, from index to RAS mm, puts it."""
    index = np.indices(values.shape).reshape(3, -1)
    mm = RAS_TO_LPS @ affine @ np.vstack([index, np.ones(index.shape[1])])
    ours = (np.linalg.inv(found.volume.grid.affine()) @ mm)[:3]
    assert np.abs(ours - ours.round()).max() < 1e-2
    got = found.volume.voxels[tuple(ours.round().astype(int))]
    np.testing.assert_allclose(got, values.ravel().astype(np.float32), rtol=1e-6)
