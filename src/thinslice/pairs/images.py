"""What the images of two scans in one frame say: measurements, and the reasons that follow."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from thinslice.metrics.noise import noise
from thinslice.pairs.certificate import Measured, Reason
from thinslice.pairs.detail import detail
from thinslice.pairs.in_plane import Shift, shift_of
from thinslice.pairs.prediction import Block, Predicted, predict

MOST_SHIFT_PX, MOST_MAGNIFIED = 0.25, 0.003
OFFSET, OFFSET_MM = 0.25, 0.1  # of a thin increment, and at least
ONE_ANATOMY = 0.5  # of what varies along z explained
OWN_NOISE_HU = 0.45  # of the residual: less is rounding
INDEPENDENT, SHARED, SURELY_SHARED = 0.2, 0.35, 0.5  # correlation of noise
WIDTH = (0.6, 1.6)  # FWHM over the stated thickness
GAIN, BIAS_HU = 0.03, 8.0
EDGES = 0.9  # gain on fine edges, or its inverse
SMOOTH_PX = 3.0  # sigma of the blur before HU are compared: kernels do not count
RESIDUAL_HU, OF_NOISE = 10.0, 2.0


class Found(NamedTuple):
    """Measurements, and the reasons against the pair."""

    measured: Measured | None
    reasons: list[Reason]


def compare(blocks: Sequence[Block], kernel: str) -> Found:
    """Measure blocks of slices in one frame.

    kernel   by the headers: "same", "different" or "unknown"
    """
    try:
        found = predict(blocks)
    except ValueError as error:
        return Found(None, [Reason("flat", str(error))])
    if not found.varies.any():
        return Found(None, [Reason("flat", "no thin column varies along z")])
    measured = _measured(blocks, found)
    thick = blocks[0].thick.grid
    shift = shift_of(found.predicted, found.acquired)
    for reason in (_moved(shift), _other(measured)):
        if reason is not None:
            return Found(measured, [reason])
    if _residual_scale(found) < OWN_NOISE_HU:
        return Found(measured, [_simulated(found)])
    judged = [
        _offset(measured, blocks[0].thin.grid.increment_mm),
        _noise(measured),
        _width(measured, thick.thickness_mm),
        _scale(measured),
        _kernel(measured, kernel),
    ]
    reasons = [reason for reason in judged if reason is not None]
    other = [reason for reason in reasons if reason.verdict == "rejected"]  # the rest follows
    return Found(measured, other or reasons or _unexplained(measured))


def _measured(blocks: Sequence[Block], found: Predicted) -> Measured:
    left = (found.acquired - found.predicted)[found.varies].astype(float)
    middle = blocks[len(blocks) // 2]
    pixel_mm = float(np.mean(middle.thick.grid.pixel_mm))
    shared, edge = detail(found.predicted, found.acquired, found.valid, pixel_mm)
    smooth = _smooth(found)
    return Measured(
        slices=len(found.acquired),
        rmse_hu=float(np.sqrt((left**2).mean())),
        **smooth._asdict(),
        taps=tuple(round(float(w), 5) for w in found.taps.weights),
        taps_spacing_mm=found.taps.spacing_mm,
        fwhm_mm=found.taps.fwhm_mm,
        z_offset_mm=found.taps.offset_mm,
        noise_thin_hu=noise(middle.thin),
        noise_thick_hu=noise(middle.thick),
        shared_noise=shared,
        edge_gain=edge,
    )


class _Smooth(NamedTuple):
    """What blurred slices say, whatever the kernels."""

    gain: float
    bias_hu: float
    explained: float


def _smooth(found: Predicted) -> _Smooth:
    """Slope of acquired on predicted HU, mean difference, share of what varies along z."""
    sigma = (0, SMOOTH_PX, SMOOTH_PX)
    blurred = [ndimage.gaussian_filter(v, sigma) for v in (found.predicted, found.acquired)]
    along_z = [(v - v.mean(axis=0))[found.varies].astype(float) for v in blurred]
    seen, acquired = (v[found.varies].astype(float) for v in blurred)
    gain = np.cov(seen, acquired)[0, 1] / max(seen.var(ddof=1), 1e-12)
    alike = along_z[0] @ along_z[1] / max(np.prod([np.linalg.norm(v) for v in along_z]), 1e-12)
    bias_hu = (acquired - seen).mean()
    return _Smooth(float(gain), float(bias_hu), float(max(alike, 0.0) ** 2))


def _residual_scale(found: Predicted) -> float:
    """Standard deviation of the residual, by its median: clipped and metal voxels do not count."""
    left = np.abs(found.acquired[found.varies] - found.predicted[found.varies])
    return 1.4826 * float(np.median(left))


def _moved(shift: Shift | None) -> Reason | None:
    if shift is None:
        return None
    far = max(abs(shift.y_px), abs(shift.x_px)) > MOST_SHIFT_PX
    if not far and abs(shift.magnified - 1) <= MOST_MAGNIFIED:
        return None
    text = f"shifted by {shift.y_px:.3g} (y) and {shift.x_px:.3g} (x) pixels"
    return Reason("in_plane", f"thick images {text}, magnified {shift.magnified:.4g} times")


def _other(m: Measured) -> Reason | None:
    if m.explained >= ONE_ANATOMY or m.rmse_hu <= _most_hu(m):
        return None
    text = f"no slice profile makes the thick slices of the thin ones: {m.rmse_hu:.3g} HU (RMSE)"
    return Reason("anatomy", f"{text}, {100 * max(m.explained, 0):.0f} % of what varies along z")


def _simulated(found: Predicted) -> Reason:
    scale = _residual_scale(found)
    text = f"thick slices are weighted means of thin ones to {scale:.2g} HU, as by rounding alone"
    return Reason("simulated", f"{text} (FWHM {found.taps.fwhm_mm:.3g} mm)")


def _offset(m: Measured, increment_mm: float) -> Reason | None:
    most_mm = max(OFFSET * increment_mm, OFFSET_MM)
    if abs(m.z_offset_mm) <= most_mm:
        return None
    text = f"thick slices lie {m.z_offset_mm:+.3g} mm from where their headers say"
    return Reason("z_offset", f"{text}; at most {most_mm:.3g} mm expected")


def _noise(m: Measured) -> Reason | None:
    if m.shared_noise is None or m.shared_noise >= SHARED:
        return None
    text = f"noise of thin and thick slices correlates by {m.shared_noise:.2g}"
    if m.shared_noise < INDEPENDENT:
        return Reason("acquisition", f"{text}: it is independent, as of two acquisitions")
    return Reason("noise", f"{text}; expected {SHARED:g} or more of one acquisition")


def _width(m: Measured, thickness_mm: float) -> Reason | None:
    if WIDTH[0] <= m.fwhm_mm / thickness_mm <= WIDTH[1]:
        return None
    text = f"thick slices measure {m.fwhm_mm:.3g} mm (FWHM), {thickness_mm:g} mm by the header"
    return Reason("profile", text)


def _scale(m: Measured) -> Reason | None:
    if abs(m.gain - 1) <= GAIN and abs(m.bias_hu) <= BIAS_HU:
        return None
    text = f"thick HU are {m.gain:.3f} times the thin ones, {m.bias_hu:+.4g} HU on average"
    return Reason("hu_scale", text)


def _kernel(m: Measured, kernel: str) -> Reason | None:
    gain = m.edge_gain
    if kernel == "different" or gain is None or EDGES <= gain <= 1 / EDGES:
        return None  # the headers' own reason is enough
    text = f"fine edges of the thick slices are {gain:.2f} times those made of the thin ones"
    return Reason("kernel", f"{text}, kernel {kernel} by the headers")


def _unexplained(m: Measured) -> list[Reason]:
    most_hu = _most_hu(m)
    if m.rmse_hu <= most_hu:
        return []
    text = f"held-out thick slices differ by {m.rmse_hu:.3g} HU (RMSE) from what the taps make"
    return [Reason("residual", f"{text}; at most {most_hu:.3g} HU expected")]


def _most_hu(m: Measured) -> float:
    return max(RESIDUAL_HU, OF_NOISE * (m.noise_thick_hu or 0.0))
