"""Test every metric on volumes whose score is known in closed form.

``thinslice metrics selftest`` runs these tests on the machine and with the packages that make the
tables. Each check names a law, the expected and the measured value.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from thinslice.metrics.body_mask import body_mask
from thinslice.metrics.consistency import consistency
from thinslice.metrics.errors import LUNG, SOFT, WIDE, mae, psnr, rmse, width
from thinslice.metrics.scored_slices import border_slices, observed, phases
from thinslice.metrics.slice_pairs import slice_pairs
from thinslice.metrics.ssim_uniform import plane_scores, volume_score
from thinslice.metrics.ssim_views import CUBE, VIEWS, ssim_views
from thinslice.metrics.z_offset import z_offset_slices
from thinslice.protocols import acvtt, georgescu, sr4zct, tvsrn
from thinslice.volume import Grid, Volume, Window

SHAPE = (24, 20, 22)
ALL = np.ones(SHAPE, bool)
THIN = Grid(n=24, increment_mm=1.0, thickness_mm=1.0, shape=SHAPE[1:], pixel_mm=(1.0, 1.0))


class Check(NamedTuple):
    """One law and its outcome."""

    name: str
    expected: float
    measured: float
    ok: bool


def run() -> list[Check]:
    """Every check, in a fixed order; the same numbers each time."""
    parts = (differences, ranges, similarity, structure, voxels, physics, flat_window, legacy)
    return [check for part in parts for check in part()]


def _check(name: str, expected: float, measured: float, tolerance: float = 1e-6) -> Check:
    same = expected == measured if math.isinf(expected) else abs(expected - measured) <= tolerance
    return Check(name, float(expected), float(measured), bool(same))


def _flat(value: float) -> np.ndarray:
    return np.full(SHAPE, value, np.float32)


def _noise(sd: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, sd, SHAPE).astype(np.float32)


def differences() -> Iterator[Check]:
    """RMSE and MAE."""
    thin, error = _flat(40), _flat(3)
    error[:, ::2] = -5
    yield _check("RMSE of half +3, half -5 HU is sqrt(17)", 17**0.5, rmse(thin + error, thin, ALL))
    yield _check("MAE of half +3, half -5 HU is 4", 4, mae(thin + error, thin, ALL))
    yield _check("RMSE of equal volumes is 0", 0, rmse(thin, thin, ALL))
    yield _check("MAE of equal volumes is 0", 0, mae(thin, thin, ALL))
    outside = np.where(error < 0, thin + 1000, thin)
    yield _check("errors outside the mask do not count", 0, rmse(outside, thin, error > 0))
    noise = _noise(20)
    sd = float(np.sqrt(np.square(noise, dtype=np.float64).mean()))
    yield _check("RMSE of noise is its root mean square", sd, rmse(thin + noise, thin, ALL), 1e-5)


def ranges() -> Iterator[Check]:
    """PSNR."""
    thin = _flat(40)
    measured = {w: psnr(thin + 20, thin, ALL, w) for w in (WIDE, LUNG, SOFT)}
    for window, value in measured.items():
        expected = 20 * math.log10(width(window) / 20)
        yield _check(f"PSNR of 20 HU in a range of {width(window):g} HU", expected, value)
    law = 20 * math.log10(4000 / 1400)
    yield _check("range law, 20 log10(4000 / 1400) dB", law, measured[WIDE] - measured[LUNG])
    yield _check("PSNR of equal volumes is infinite", math.inf, psnr(thin, thin, ALL, LUNG))
    clipped = psnr(thin + 900, thin + 800, ALL, SOFT)
    yield _check("errors beyond the range are clipped", math.inf, clipped)
    uneven = thin.copy()
    uneven[::2] += 30
    uneven[1::2] += 10
    expected = 10 * math.log10(1400**2 / 500)
    yield _check("one mean square error per volume", expected, psnr(uneven, thin, ALL, LUNG))


def similarity() -> Iterator[Check]:
    """SSIM: equal, shifted and noisy volumes."""
    smooth = _noise(50) - 700
    for name, score in _views():
        yield _check(f"SSIM of equal volumes is 1 ({name})", 1, score(smooth, smooth, LUNG))
    low, L = LUNG.low, width(LUNG)
    a, b, c1 = 40 - low, 140 - low, (0.01 * L) ** 2
    shifted = (2 * a * b + c1) / (a * a + b * b + c1)
    for name, score in _views():
        measured = score(_flat(140), _flat(40), LUNG)
        yield _check(f"SSIM of a shift is the luminance term ({name})", shifted, measured)
    axial = dict(_views())["axial"]
    scores = [axial(smooth + _noise(50)[::-1] * k, smooth, LUNG) for k in range(4)]
    yield _check("SSIM falls as noise grows", 1, bool(np.all(np.diff(scores) < 0)))


def _views() -> Iterator[tuple[str, Callable[[np.ndarray, np.ndarray, Window], float]]]:
    for view in VIEWS:
        name = "3-D" if view == CUBE else view
        yield name, lambda r, t, w, view=view: ssim_views(r, t, {view: ALL}, w)[view][0]


def structure() -> Iterator[Check]:
    """SSIM: the covariance term, on a checkerboard whose local means the window cannot see."""
    board = np.where(np.indices(SHAPE).sum(axis=0) % 2, 1, -1).astype(np.float32)
    s, c2 = 50.0, (0.03 * width(SOFT)) ** 2
    inverted = (-2 * s * s + c2) / (2 * s * s + c2)
    halved = (s * s + c2) / (1.25 * s * s + c2)
    for name, score in _views():
        measured = score(40 - s * board, 40 + s * board, SOFT)
        yield _check(
            f"SSIM of inverted contrast is the structure term ({name})", inverted, measured
        )
        measured = score(40 + s / 2 * board, 40 + s * board, SOFT)
        yield _check(f"SSIM of halved contrast ({name})", halved, measured)


def voxels() -> Iterator[Check]:
    """Which voxels count."""
    sparse = THIN.with_slices(n=6, increment_mm=4, thickness_mm=1, start_mm=0)
    thick = THIN.with_slices(n=5, increment_mm=5, thickness_mm=5, start_mm=2)
    wide = THIN.with_slices(n=5, increment_mm=3, thickness_mm=5.5, start_mm=0)
    shown = observed(THIN, sparse)
    yield _check("every 4th slice of a decimated scan was shown", 6, int(shown.sum()))
    yield _check("no slice of an averaged scan was shown", 0, int(observed(THIN, thick).sum()))
    yield _check("border slices: the thick increment", 5, border_slices(THIN, thick))
    yield _check("border slices: the thickness, rounded up", 6, border_slices(THIN, wide))
    passed = np.where(shown[:, None, None], 0, _flat(20))
    hidden = np.broadcast_to(~shown[:, None, None], SHAPE)
    gain = psnr(passed, _flat(0), ALL, WIDE) - psnr(passed, _flat(0), hidden, WIDE)
    yield _check("shown slices kept would add 10 log10(4/3) dB", 10 * math.log10(4 / 3), gain)
    for phase, count in enumerate(np.bincount(phases(THIN, thick)[:20], minlength=3)):
        yield _check(f"factor 5: slices {phase} mm from a thick one", (4, 8, 8)[phase], count)
    yield from _body()


def _body() -> Iterator[Check]:
    """The body mask, on a disk with a lung and a table."""
    y, x = np.mgrid[:64, :64]
    inside = np.hypot(y - 26, x - 32) < 20
    thin = np.full((3, 64, 64), -1000, np.float32)
    thin[:, inside] = 40
    body = body_mask(thin, (1.0, 1.0))
    area = float(inside.sum())
    yield _check("the body of a disk is the disk, within 2 %", area, body[1].sum(), 0.02 * area)
    thin[:, np.hypot(y - 26, x - 32) < 8] = -850
    thin[:, 52:54] = 100
    again = body_mask(thin, (1.0, 1.0))
    yield _check("lungs belong to the body, the table does not", body.sum(), again.sum(), 0)


def physics() -> Iterator[Check]:
    """Data consistency, offset along z, slice pairs."""
    taps = np.kron(np.eye(6), np.full(4, 0.25))
    thin = _noise(100)
    thick = (taps @ thin.reshape(24, -1)).reshape(6, *SHAPE[1:])
    measured = consistency(thin + np.float32(3), thick, csr_array(taps), ALL)
    yield _check("consistency: bias of 3 HU", 3, measured.bias, 1e-4)
    yield _check("consistency: RMSE of a bias is the bias", 3, measured.rmse, 1e-4)
    moved, still = _waves(0.3), _waves(0.0)
    offset = z_offset_slices(moved, still, np.ones(still.shape, bool))
    yield _check("offset along z of 0.3 slices", 0.3, offset, 0.02)
    sparse = Volume(thin[::4], THIN.with_slices(n=6, increment_mm=4, thickness_mm=1, start_mm=0))
    match = slice_pairs(Volume(thin, THIN), sparse)[0]
    yield _check("slice pairs: six of a decimated scan match", 6, match["n"])
    yield _check("slice pairs: and are equal", math.inf, match["psnr_db"])


def _waves(shift: float) -> np.ndarray:
    """Columns of two waves along z with phases of their own, moved by ``shift`` slices."""
    turns = np.random.default_rng(1).uniform(0, 2 * np.pi, (2, 1, 16, 16))
    z = np.arange(48)[:, None, None] - shift
    return np.cos(2 * np.pi * 0.04 * z + turns[0]) + np.cos(2 * np.pi * 0.07 * z + turns[1])


def flat_window() -> Iterator[Check]:
    """SSIM as other authors take it: a flat window of 7 and sample covariances."""
    shifted = (2 * 0.2 * 0.4 + 1e-4) / (0.2**2 + 0.4**2 + 1e-4)
    board = np.where(np.indices(SHAPE).sum(axis=0) % 2, 0.6, 0.4)
    for name, score, n in (("axial", _flat_planes, 49), ("3-D", volume_score, 343)):
        measured = score(_flat(0.4), _flat(0.2), 1.0)
        yield _check(f"flat SSIM of a shift is the luminance term ({name})", shifted, measured)
        # An odd number of +-1 has variance (n^2 - 1) / n^2, and n / (n - 1) of it as a sample.
        variance, mean = 0.1**2 * (n + 1) / n, (0.5 + 0.1 / n, 0.5 - 0.1 / n)
        structure = (-2 * variance + 9e-4) / (2 * variance + 9e-4)
        luminance = (2 * mean[0] * mean[1] + 1e-4) / (mean[0] ** 2 + mean[1] ** 2 + 1e-4)
        measured = score(1 - board, board, 1.0)
        yield _check(f"flat SSIM of inverted contrast ({name})", luminance * structure, measured)


def _flat_planes(restored: np.ndarray, thin: np.ndarray, peak: float) -> float:
    return float(plane_scores(restored, thin, peak).mean())


def legacy() -> Iterator[Check]:
    """The protocols of other authors."""
    thin = _flat(0.25)
    yield _check("tvsrn: 40 dB for equal volumes", 40, tvsrn.volume_psnr(thin, thin))
    quarter = 20 * math.log10(4)
    measured = tvsrn.volume_psnr(thin * 2, thin)
    yield _check("tvsrn: an error of 1/4 is 20 log10(4) dB", quarter, measured)
    yield _check("acvtt: equal volumes are infinite", math.inf, acvtt.volume_psnr(thin, thin))
    measured = acvtt.volume_psnr(thin * 2, thin)
    yield _check("acvtt: an error of 1/4 is 20 log10(4) dB", quarter, measured)
    grey = georgescu.to_8_bits(_flat(99.99))
    yield _check("georgescu: grey levels are truncated", 99, grey.max())
    yield _check("georgescu: 100 dB for equal slices", 100, georgescu.slice_psnr(grey[0], grey[0]))
    level, measured = 20 * math.log10(255), georgescu.slice_psnr(grey[0] + np.uint8(1), grey[0])
    yield _check("georgescu: an error of one level is 20 log10(255) dB", level, measured)
    score = sr4zct.view_scores(_flat(60), _flat(40), "coronal", 4095.0)[0]
    expected = 20 * math.log10(4095 / 20)
    yield _check("sr4zct: an error of 20 HU is 20 log10(4095 / 20) dB", expected, score.value)
