"""Whether thick slices lie along z where their headers say, over the whole scan and both ways.

Each slice is shrunk to small means, so that a scan of any length fits; shifts of less than a
thick slice are left to the slice profile, which measures them better.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from thinslice.pairs.certificate import Reason
from thinslice.volume import Grid

SIDE = 32  # means along y and x
CLIP_HU = (-1000.0, 1000.0)  # padding and metal do not vote
FARTHEST_MM = 60.0
BETTER = 0.5  # of the difference as stated: what another place must reach to be believed
FEWEST, MOST = 3, 0.5  # slices that are compared, and the share of those that could be
STILL_HU = 2.0  # thin slices that differ less from each other tell no place
FAR_HU, TIMES = 15.0, 5.0  # a slice this far off, and this many times farther than the median


class _Match(NamedTuple):
    rms_hu: float
    lag_mm: float
    each_hu: np.ndarray  # [K] of every thick slice, NaN outside of the thin scan


def small(images: Iterable[np.ndarray]) -> np.ndarray:
    """Means [Z, S, S] of slices [Y, X] over blocks of pixels."""
    return np.stack([_blocks(np.clip(image, *CLIP_HU)) for image in images])


def reasons(thin_ZSS: np.ndarray, thick_ZSS: np.ndarray, thin: Grid, thick: Grid) -> list[Reason]:
    """Of the small slices of two scans on grids of one frame; none where z holds no contrast."""
    sigma = max(thick.thickness_mm / 2.355 / thin.increment_mm, 1e-3)
    seen = ndimage.gaussian_filter1d(thin_ZSS.astype(float), sigma, axis=0, mode="nearest")
    if seen.std(axis=0).max() < STILL_HU:
        return []
    as_stated = _at(seen, thick_ZSS, thin, thick, 0.0)
    if np.isinf(as_stated.rms_hu):
        return []  # too few slices in common; the grids say so
    forward, backward = (_best(seen, way, thin, thick) for way in (thick_ZSS, thick_ZSS[::-1]))
    if backward.rms_hu < BETTER * min(as_stated.rms_hu, forward.rms_hu):
        text = f"differ by {as_stated.rms_hu:.3g} HU as stated and by {backward.rms_hu:.3g} HU"
        return [Reason("order", f"thick slices {text} when turned round")]
    far = abs(forward.lag_mm) >= 0.75 * thick.increment_mm
    if far and forward.rms_hu < BETTER * as_stated.rms_hu:
        text = (
            f"thick slices lie {forward.lag_mm:+.4g} mm from where their headers say: there they "
            f"differ by {forward.rms_hu:.3g} HU, as stated by {as_stated.rms_hu:.3g} HU"
        )
        return [Reason("z_offset", text)]
    return _odd(as_stated.each_hu)


def _odd(each_hu: np.ndarray) -> list[Reason]:
    """Slices whose content is not what lies around them in the thin scan."""
    usual = np.nanmedian(each_hu)
    odd = np.flatnonzero(each_hu > max(FAR_HU, TIMES * usual))
    if not odd.size or odd.size > 0.25 * len(each_hu):
        return []
    worst = ", ".join(f"{k} ({each_hu[k]:.3g} HU)" for k in odd[:5])
    text = f"{odd.size} thick slices, counted from 0: {worst}; the others differ by {usual:.3g} HU"
    return [Reason("odd_slices", text)]


def _best(seen: np.ndarray, thick_ZSS: np.ndarray, thin: Grid, thick: Grid) -> _Match:
    step = thin.increment_mm
    reach = int(min(FARTHEST_MM, thick.n * thick.increment_mm / 2) / step)
    matches = [_at(seen, thick_ZSS, thin, thick, k * step) for k in range(-reach, reach + 1)]
    return min(matches, key=lambda match: match.rms_hu)


def _at(seen: np.ndarray, thick_ZSS: np.ndarray, thin: Grid, thick: Grid, lag_mm: float) -> _Match:
    """Difference of the thick slices to the thin ones that lie ``lag_mm`` beside them."""
    at = (thick.centres_mm() + lag_mm - thin.start_mm) / thin.increment_mm
    inside = (at >= 0) & (at <= thin.n - 1)
    each = np.full(len(at), np.nan)
    fitting = min(thick.n, (thin.n - 1) * thin.increment_mm / thick.increment_mm)
    if inside.sum() < max(FEWEST, MOST * fitting):
        return _Match(np.inf, lag_mm, each)
    low = np.minimum(at[inside].astype(int), thin.n - 2)
    share = (at[inside] - low)[:, None, None]
    between = (1 - share) * seen[low] + share * seen[low + 1]
    each[inside] = np.sqrt(((thick_ZSS[inside] - between) ** 2).mean(axis=(1, 2)))
    return _Match(float(np.sqrt((each[inside] ** 2).mean())), lag_mm, each)


def _blocks(image_YX: np.ndarray) -> np.ndarray:
    edges = [np.linspace(0, n, min(SIDE, n) + 1).astype(int)[:-1] for n in image_YX.shape]
    sums = np.add.reduceat(np.add.reduceat(image_YX.astype(float), edges[0], 0), edges[1], 1)
    counts = [np.diff([*e, n]) for e, n in zip(edges, image_YX.shape)]
    return (sums / np.outer(*counts)).astype(np.float32)
