"""Describe the scans that weights were fitted on, and how another scan differs from them.

A network knows the slices it has seen: their thickness, increment, pixels, kernel, noise and
modality. Weights files carry this description; a scan that differs from it is restored all the
same, with a warning. Weights that learned from drawn slices state what was drawn
(``samplers.drawn_domain``), in the same form; a range that they do not state is not compared.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy.ndimage import correlate, maximum_filter

from thinslice.interfaces import Scan

NOISE_SLICES = 5  # slices of a scan in which its noise is measured
SAME_LENGTH = 0.1  # relative tolerance of a length
SAME_NOISE = 1.5  # factor of tolerance of noise
LAPLACIANS = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
# What is compared: its range, in words, and the unit of the range that was fitted on.
LENGTHS = {
    "thickness_mm": ("slices {} mm thick", " mm"),
    "increment_mm": ("slices every {} mm", " mm"),
    "increment_share": ("slices apart by {} of their thickness", ""),
    "pixel_mm": ("pixels of {} mm", " mm"),
    "thin_thickness_mm": ("thin slices of {} mm", " mm"),
    "thin_increment_mm": ("thin slices every {} mm", " mm"),
}
OF_A_SCAN = ("thickness_mm", "increment_mm", "increment_share", "pixel_mm", "noise")


def of_scan(scan: Scan, kernel: str | None = None) -> dict[str, Any]:
    """The description of one thick scan: modality, lengths in mm, noise in its unit, kernel."""
    grid = scan.grid
    return {
        "modality": scan.modality,
        "thickness_mm": grid.thickness_mm,
        "increment_mm": grid.increment_mm,
        "increment_share": grid.increment_mm / grid.thickness_mm,
        "pixel_mm": float(np.mean(grid.pixel_mm)),
        "noise": fine_noise(scan),
        "kernel": kernel,
    }


def of_scans(scans: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The description of many: ranges [low, high] of numbers, the kernels and modalities seen."""
    seen = list(scans)
    ranges = {k: [min(s[k] for s in seen), max(s[k] for s in seen)] for k in OF_A_SCAN if seen}
    words = {k: sorted({s[k] for s in seen if s[k]}) for k in ("modality", "kernel")}
    return {"n": len(seen), **ranges, **words}


def outside(fitted: Mapping[str, Any], scan: Mapping[str, Any]) -> list[str]:
    """Each way in which a scan differs from those that weights were fitted on, as a phrase.

    scan   of ``of_scan``; also "thin_thickness_mm" and "thin_increment_mm", of the slices wanted
    """
    if not fitted.get("n"):
        return ["the weights do not state which scans they were fitted on"]
    if scan["modality"] not in fitted["modality"]:
        return [f"the scan is {scan['modality']}; fitted on {', '.join(fitted['modality'])}"]
    found = []
    for key, (words, unit) in LENGTHS.items():
        if key not in fitted or key not in scan:
            continue
        low, high = fitted[key]
        if not low * (1 - SAME_LENGTH) <= scan[key] <= high * (1 + SAME_LENGTH):
            phrase = words.format(f"{scan[key]:.3g}")
            found.append(f"{phrase}; fitted on {_range(low, high)}{unit}")
    low, high = fitted["noise"]
    if scan["modality"] == "CT" and not low / SAME_NOISE <= scan["noise"] <= high * SAME_NOISE:
        found.append(f"fine noise of {scan['noise']:.3g} HU; fitted on {_range(low, high)} HU")
    if scan["kernel"] and fitted["kernel"] and scan["kernel"] not in fitted["kernel"]:
        found.append(f"kernel {scan['kernel']}; fitted on {', '.join(fitted['kernel'])}")
    return found


def fine_noise(scan: Scan) -> float:
    """Finest noise of a scan's middle slices, in its unit: the median local second difference.

    A mask of two crossed Laplacians takes away everything up to planes (Immerkaer 1996); the median
    over the brighter half of each slice, which is the patient, is not moved by edges; padding is
    left out. Noise that a soft kernel has smoothed counts for less than its standard deviation: the
    number compares scans, it does not measure them (``metrics.noise`` does). Weights files call it
    "noise".
    """
    n = scan.grid.n
    middle = np.unique(np.linspace(n // 4, max(3 * n // 4, n // 4), NOISE_SLICES).astype(int))
    values = []
    for k in middle:
        slice_YX = np.asarray(scan.read(slice(int(k), int(k) + 1))[0], float)
        rough_YX = np.abs(correlate(slice_YX, LAPLACIANS, mode="nearest"))
        padded = scan.padded(slice(int(k), int(k) + 1))
        if padded is not None:
            near_YX = maximum_filter(padded[0], size=len(LAPLACIANS))
            whole_YX = np.asarray(near_YX) == 0
            slice_YX, rough_YX = slice_YX[whole_YX], rough_YX[whole_YX]
        if slice_YX.size:
            values.append(rough_YX[slice_YX >= np.median(slice_YX)])
    if not values:
        return 0.0
    return float(np.median(np.concatenate(values)) / (0.6745 * np.sqrt((LAPLACIANS**2).sum())))


def kernel_of(source: Mapping[str, Any]) -> str | None:
    """The kernel of a case's thick series, or of the thin one it was simulated from, as stated."""
    series = source.get("thick", source.get("thin", source))
    kernel = series.get("kernel") if isinstance(series, Mapping) else None
    return kernel if kernel is None or isinstance(kernel, str) else json.dumps(kernel)


def _range(low: float, high: float) -> str:
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
