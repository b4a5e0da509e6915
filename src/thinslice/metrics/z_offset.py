"""Is the restored volume in the right place? Its offset along z, estimated below a voxel.

A quarter of a slice costs more decibels than most methods differ by, so the offset stands beside
the scores. It is read off the cross-spectrum of thin and restored along z: a shift turns the
phase of frequency f by -2 pi f shift, while blur and noise that are even in z leave it alone.
Columns are tapered by a Hann window; frequencies above the thick volume's Nyquist limit, where
a method had to guess, do not vote.
"""

import numpy as np

STRIDE = 4  # every 4th column in y and x: one number needs no more
HIGHEST = 0.25  # cycles per slice; the phase of a shift below two slices cannot wrap


def z_offset_slices(
    restored: np.ndarray,
    thin: np.ndarray,
    mask: np.ndarray,
    factor: float = 1.0,
    measured: np.ndarray | None = None,
) -> float:
    """Slices by which ``restored`` lies towards larger z than ``thin``; NaN if z holds no contrast.

    Volumes and the boolean mask are [Z, Y, X]; columns that touch the mask are used,
    if all of their voxels are ``measured``. ``factor`` is thick increment over thin increment.
    """
    columns = np.asarray(mask.any(axis=0))
    if measured is not None:
        columns &= np.asarray(measured.all(axis=0))
    stride = STRIDE if np.count_nonzero(columns) > 64 * STRIDE**2 else 1
    picked = columns[::stride, ::stride]
    spectra = [_spectrum(v[:, ::stride, ::stride][:, picked]) for v in (restored, thin)]
    cross = (spectra[0] * spectra[1].conj()).sum(axis=1)
    f = np.fft.rfftfreq(len(thin))
    voting = slice(1, max(3, int(np.searchsorted(f, min(HIGHEST, 0.5 / factor), side="right"))))
    weight = np.abs(cross[voting]) * f[voting] ** 2
    if not weight.sum() > 0:
        return float("nan")
    turn = -np.angle(cross[voting]) / (2 * np.pi * f[voting])
    return float((weight * turn).sum() / weight.sum())


def _spectrum(columns: np.ndarray) -> np.ndarray:
    """Spectra [F, C] of columns [Z, C] without their means, tapered at both ends."""
    centred = columns - columns.mean(axis=0, dtype=np.float64)
    taper = np.sin(np.pi * (np.arange(len(columns)) + 0.5) / len(columns)) ** 2
    return np.fft.rfft(centred * taper[:, None], axis=0)
