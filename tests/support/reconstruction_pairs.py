"""A thin and a thick reconstruction of one made-up acquisition, as DICOM, and what may be wrong.

One body and one noise, both on a fine z axis, are seen through two slice profiles. Noise is white
along z and smooth in the slices, so that reconstructions of one acquisition share it.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset
from scipy import ndimage

from support import dicom_maker as maker
from thinslice.pairs.reconstructions import Reconstruction, reconstruction_at

SIDE, STEP_MM, LENGTH_MM = 64, 0.5, 60.0
THIN_MM, THICK_MM = 1.0, 5.0
PIXEL_MM = (1.0, 1.0)
OWN_HU = 1.0  # noise of the thick reconstruction alone
THIN_START, THICK_START = 1.5, 4.5  # of the first slices' centres, in the fine axis; mm
UIDS = {"StudyInstanceUID": "1.2.1", "FrameOfReferenceUID": "1.2.2", "PatientID": "secret^name"}
TAGS = UIDS | {
    "AcquisitionNumber": 2,
    "AcquisitionDate": "20260102",
    "AcquisitionTime": "101112.5",
    "PatientPosition": "HFS",
    "ReconstructionDiameter": 64,
    "KVP": 120,
    "CTDIvol": 7.5,
    "Exposure": 120,
}
Change = Callable[[int, FileDataset], None]


@cache
def body(seed: int = 0) -> np.ndarray:
    """Tissue with vessels and bone in air, HU [Z, Y, X] on the fine axis."""
    rng = np.random.default_rng(seed)
    n = int(LENGTH_MM / STEP_MM)
    smooth = ndimage.gaussian_filter(rng.normal(size=(n, SIDE, SIDE)), (8, 4, 4), mode="wrap")
    smooth /= smooth.std()
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    inside = (y / 26) ** 2 + (x / 28) ** 2 < 1
    hu = 40.0 + 60.0 * np.clip(smooth - 1, 0, 1) + 500.0 * np.clip(smooth - 2, 0, 1)
    hu = np.where(smooth < -1.6, -700.0, hu)
    return np.where(inside, ndimage.gaussian_filter(hu, (0.5, 0.7, 0.7)), -1000.0)


@cache
def quanta(seed: int = 0) -> np.ndarray:
    """Noise on the fine axis: white along z."""
    rng = np.random.default_rng(1000 + seed)
    noise = ndimage.gaussian_filter(rng.normal(size=body().shape), (0, 0.7, 0.7))
    return 25.0 / noise.std() * noise


def seen(latent: np.ndarray, start_mm: float, thickness_mm: float, n: int) -> np.ndarray:
    """Slices as thick as they are far apart, bells of that FWHM, not yet rounded."""
    wide = ndimage.gaussian_filter1d(latent, thickness_mm / 2.355 / STEP_MM, axis=0)
    at = ((start_mm + thickness_mm * np.arange(n)) / STEP_MM).round().astype(int)
    return wide[at]


@cache
def thin_hu(seed: int = 0, noise: int = 0) -> np.ndarray:
    n = int(LENGTH_MM / THIN_MM) - 4
    return seen(body(seed) + quanta(noise), THIN_START, THIN_MM, n)


@cache
def thick_hu(seed: int = 0, noise: int = 0, start_mm: float = THICK_START) -> np.ndarray:
    n = int(LENGTH_MM / THICK_MM) - 1
    made = seen(body(seed) + quanta(noise), start_mm, THICK_MM, n)
    return made + np.random.default_rng(7).normal(0, OWN_HU, made.shape)


def tagged(**tags: object) -> Change:
    """A change of every header: these tags over the usual ones; None takes a tag away."""

    def change(k: int, data: FileDataset) -> None:
        for name, value in (TAGS | tags).items():
            if value is not None:
                setattr(data, name, value)

    return change


def write(
    folder: Path, hu: np.ndarray, start_mm: float, thickness_mm: float, *, uid: str,
    increment_mm: float | None = None, change: Change | None = None, **how,
) -> Path:  # fmt: skip
    """A series of that UID, its first slice at ``start_mm``."""
    above = change or tagged()

    def both(k: int, data: FileDataset) -> None:
        data.SeriesInstanceUID, data.SeriesNumber = uid, int(uid.rpartition(".")[2])
        above(k, data)

    plane = how.get("plane", maker.AXIAL)
    gap_mm = increment_mm or thickness_mm
    places = maker.positions_of(len(hu), gap_mm, plane, start=(-30, -31, start_mm))
    how = {"pixel_mm": PIXEL_MM, "thickness_mm": thickness_mm, **how}
    return maker.series(folder, np.rint(hu), places, change=both, **how)


def thin_at(folder: Path, hu: np.ndarray | None = None, **how) -> Reconstruction:
    """The thin series, written and looked at."""
    hu = thin_hu() if hu is None else hu
    return reconstruction_at(write(folder, hu, THIN_START, THIN_MM, uid="1.2.3.1", **how))


def thick_at(
    folder: Path, hu: np.ndarray | None = None, start_mm: float = THICK_START, **how
) -> Reconstruction:
    """The thick series, written and looked at."""
    hu = thick_hu() if hu is None else hu
    return reconstruction_at(write(folder, hu, start_mm, THICK_MM, uid="1.2.3.2", **how))
