"""Measure protocol v1's image metrics against scikit-image: CPU seconds, and their difference.

Both score one synthetic pair, in one process, by the same definitions: RMSE, MAE and
PSNR inside the body, and SSIM (Gaussian, valid only) of three planes and in 3-D, averaged over the
body, in the lung and soft-tissue range. scikit-image gets float64 planes counted from the range's
lower end; its windows reach over the image's edge, so its maps are cropped.

    OMP_NUM_THREADS=1 python benchmarks/scoring_speed.py [--slices 150] [--side 256] [--every 4]

``--every 4`` runs scikit-image on every 4th plane and in 3-D on the middle 64 rows only; its time
is scaled up. Ours is timed whole, and compared where both ran. ``--every 1`` runs both whole.
"""

import argparse

import numpy as np
from measuring import Seconds, cpu_seconds, reached, table
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from thinslice.columns import metric_name
from thinslice.interfaces import Score
from thinslice.metrics.ssim import PLANES, RADIUS
from thinslice.metrics.ssim_views import CUBE, ssim_views
from thinslice.protocols._scored_region import CT, ScoredRegion
from thinslice.protocols.v1 import differences, similarities, threads_of_job
from thinslice.volume import Window


def pair(slices: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Restored, thin and body [Z, Y, X]: an elliptic cylinder with lungs, noise of two kinds."""
    rng = np.random.default_rng(0)
    y, x = (np.mgrid[:side, :side] + 0.5) / side - 0.5
    body = np.hypot(y / 0.35, x / 0.45) < 1
    lungs = np.hypot(y / 0.2, (np.abs(x) - 0.2) / 0.14) < 1
    flat = np.where(lungs, -850.0, np.where(body, 40.0, -1000.0)).astype(np.float32)
    thin, restored = (np.empty((slices, side, side), np.float32) for _ in range(2))
    for k in range(slices):
        thin[k] = flat + rng.normal(0, 25, flat.shape)
        restored[k] = thin[k] + rng.normal(0, 15, flat.shape)
    return restored, thin, np.broadcast_to(body, thin.shape).copy()


def reference_map(r: np.ndarray, t: np.ndarray, window: Window) -> np.ndarray:
    """scikit-image's SSIM map of a plane or volume, valid inside the border."""
    r, t = (v.astype(np.float64).clip(window.low, window.high) - window.low for v in (r, t))
    return structural_similarity(
        r,
        t,
        data_range=window.high - window.low,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )[1]


def reference_planes(r, t, body, window, axis, every) -> tuple[float, Seconds]:
    """scikit-image's mean over the body, and its seconds for all planes."""
    inner = (slice(RADIUS, -RADIUS),) * 2

    def mean() -> float:
        total, n = 0.0, 0
        for k in range(0, r.shape[axis], every):
            planes = (np.take(v, k, axis) for v in (r, t))
            inside = np.take(body, k, axis)[inner]
            total += reference_map(*planes, window)[inner][inside].sum()
            n += np.count_nonzero(inside)
        return total / n

    seconds, value = cpu_seconds(mean)
    return value, seconds.times(r.shape[axis] / len(range(0, r.shape[axis], every)))


def reference_volume(r, t, body, window, rows: int) -> tuple[float, Seconds]:
    """scikit-image's 3-D mean over the middle ``rows``, and its seconds for all rows."""
    y = _middle(r, rows)
    inner = (slice(RADIUS, -RADIUS),) * 3

    def mean() -> float:
        return float(reference_map(r[:, y], t[:, y], window)[inner][body[:, y][inner]].mean())

    seconds, value = cpu_seconds(mean)
    return value, seconds.times(r.shape[1] / (y.stop - y.start))


def _middle(r: np.ndarray, rows: int) -> slice:
    first = max(0, (r.shape[1] - rows) // 2)
    return slice(first, min(r.shape[1], first + rows))


def reference_differences(r, t, body) -> tuple[dict[str, float], Seconds]:
    """RMSE, MAE and PSNR of the body's voxels by scikit-image and numpy, float64; and seconds."""
    seconds, scores = cpu_seconds(lambda: _differences(r, t, body))
    return scores, seconds


def _differences(r, t, body) -> dict[str, float]:
    a, b = (v[body].astype(np.float64) for v in (t, r))
    scores = {
        "rmse_hu": float(np.sqrt(mean_squared_error(a, b))),
        "mae_hu": float(np.abs(a - b).mean()),
    }
    for name, window in CT.psnr.items():
        clipped = [v.clip(window.low, window.high) for v in (a, b)]
        width = window.high - window.low
        scores[f"psnr_db {name}"] = float(peak_signal_noise_ratio(*clipped, data_range=width))
    return scores


def main() -> None:
    """Measure both, ours before and after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--every", type=int, default=4)
    args = parser.parse_args()
    r, t, body = pair(args.slices, args.side)
    whole, phase = slice(0, args.slices), np.zeros(args.slices, int)
    region = ScoredRegion(CT, r, t, body, phase, whole, body, r, t, t, None)
    threads = threads_of_job()

    def scores() -> list[Score]:
        return [*differences(region), *similarities(region, threads)]

    first, numbers = cpu_seconds(scores)
    ours = {metric_name(score._asdict()): score.value for score in numbers}
    theirs, their_s = reference_differences(r, t, body)
    errors = {name: abs(ours[name] - value) for name, value in theirs.items()}
    rows = args.side if args.every == 1 else 64
    for name, window in CT.ssim.items():
        for plane, axis in PLANES.items():
            value, seconds = reference_planes(r, t, body, window, axis, args.every)
            subset = np.zeros_like(body)
            every = tuple(slice(None, None, args.every if k == axis else 1) for k in range(3))
            subset[every] = body[every]
            our_value = ssim_views(r, t, {plane: subset}, window, threads)[plane][0]
            errors[f"ssim {plane} {name}"] = abs(our_value - value)
            their_s = their_s.plus(seconds)
        value, seconds = reference_volume(r, t, body, window, rows)
        y = _middle(r, rows)
        cut_r, cut_t, cut_body = (np.ascontiguousarray(v[:, y]) for v in (r, t, body))
        our_value = ssim_views(cut_r, cut_t, {CUBE: cut_body}, window, threads)[CUBE][0]
        errors[f"ssim 3d {name}"] = abs(our_value - value)
        their_s = their_s.plus(seconds)
    second, _ = cpu_seconds(scores)
    our_s = Seconds((first.user + second.user) / 2, (first.system + second.system) / 2)
    print(f"{r.shape} voxels, {threads} threads, every {args.every}th plane by scikit-image")
    print(f"largest difference of a score: {max(errors.values()):.1e}")
    print(table({"protocol v1": our_s, "scikit-image": their_s}, 1, "s"))
    reached("v1 scoring against scikit-image", their_s.ratio(our_s))


if __name__ == "__main__":
    main()
