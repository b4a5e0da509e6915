"""In-plane reconstruction kernels, each named by the frequency where its MTF has halved.

Soft kernels halve at 0.3-0.4 /mm, medium ones at 0.45, sharp ones at 0.6-0.9. The MTF is a
Gaussian: no edge enhancement. Filtered backprojection shapes quantum noise with the square root of
the ramp on top of it, so that its power is |f| MTF(f)^2.
"""

import numpy as np
from scipy import fft

from thinslice.phantom.lattice import Plane

SOFT, MEDIUM, SHARP = 0.35, 0.45, 0.7  # 1/mm


def mtf(f_per_mm: np.ndarray, mtf50_per_mm: float) -> np.ndarray:
    """The kernel's MTF at frequencies in 1/mm; a half at ``mtf50_per_mm``."""
    return np.exp(-np.log(2) * (f_per_mm / mtf50_per_mm) ** 2)


def ramp(f_per_mm: np.ndarray) -> np.ndarray:
    """Amplitude that backprojection gives white quantum noise."""
    return np.sqrt(f_per_mm)


def filtered(cells_ZYX: np.ndarray, transfer: np.ndarray) -> np.ndarray:
    """Slices of cells after an ``rfft2`` transfer function; wraps, so the frame ends in air."""
    spectrum = np.asarray(fft.rfft2(cells_ZYX)) * transfer.astype(np.float32)
    return np.asarray(fft.irfft2(spectrum, cells_ZYX.shape[1:]))


def noise_energy(plane: Plane, mtf50_per_mm: float) -> float:
    """Variance that noise of unit density (1 mm^2) has in a pixel: the integral of its power."""
    f = plane.frequencies_per_mm()
    power = (ramp(f) * mtf(f, mtf50_per_mm) * plane.pixel_transfer()) ** 2
    mean = np.fft.irfft2(power, plane.cells)[0, 0]
    return float(mean) / float(np.prod(plane.pitch_mm))
