"""Sample thin slices from a score model of axial slices, step by step over the whole scan.

Start: the coarse scan plus noise of the first level, one and the same noise for every slice, so
that nothing flickers along z and tiles fit together. At each level the model removes the noise,
slice by slice; what it gives is ``joined`` (made to agree with what was measured, and from slice to
slice), and of the noise as much is put back as the next level has (Song et al. 2021, DDIM without
new noise). The last level's answer is the sample.

Shape suffixes: Z Y X.
"""

from collections.abc import Callable, Sequence

import numpy as np

from thinslice.inference import planes
from thinslice.interfaces import Run
from thinslice.nets.refined_slices import AtLevel, RefinedSlices

Joined = Callable[[np.ndarray], np.ndarray]  # float32 [Z, Y, X] of all slices; may be overwritten


def sampled(
    net: RefinedSlices,
    coarse_ZYX: np.ndarray,
    start_ZYX: np.ndarray,
    phase_Z: np.ndarray,
    levels: Sequence[float],
    joined: Joined,
    tiles: planes.PlaneTiles,
    rng: np.random.Generator,
    *,
    run: Run | None = None,
    reserved: int = 0,
) -> np.ndarray:
    """One sample, float32 [Z, Y, X], of what the coarse scan may show.

    start_ZYX  the interpolated scan, which the model sees beside the coarse one
    phase_Z    how far each slice lies from one thick slice to the next
    levels     falling noise levels, at least one; see ``nets.noise_levels``
    reserved   bytes of volumes that the caller will make, which tiles must leave room for
    """
    scale = float(net.denoiser.scale)
    noise_YX = rng.standard_normal(coarse_ZYX.shape[1:], np.float32)
    noisy_ZYX = coarse_ZYX + np.float32(levels[0] * scale) * noise_YX
    clean_ZYX = noisy_ZYX
    phase_ZYX = np.broadcast_to(phase_Z.astype(np.float32)[:, None, None], coarse_ZYX.shape)
    for level, after in zip(levels, [*levels[1:], 0.0]):
        clean_ZYX = joined(
            planes.view(
                AtLevel(net, level),
                [noisy_ZYX, coarse_ZYX, start_ZYX, phase_ZYX],
                tiles,
                planes.AXIAL,
                run=run,
                reserved=reserved,
            )
        )
        if after:
            noisy_ZYX -= clean_ZYX
            noisy_ZYX *= np.float32(after / level)
            noisy_ZYX += clean_ZYX
    return clean_ZYX
