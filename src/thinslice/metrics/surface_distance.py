"""Agreement of the surfaces of two masks: normalised surface distance (NSD), or surface Dice.

Source: Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and
neck anatomy", 2018. Differs: a surface is the mask's own voxels that touch a voxel outside it by a
face, each counted once, as MONAI has it by default; they weigh elements of surface by their area.
"""

import math

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, find_objects


def surface_dice(
    mask: np.ndarray, truth: np.ndarray, spacing_mm: tuple[float, ...], tolerance_mm: float
) -> float:
    """Share of both surfaces that lies within a tolerance of the other one.

    mask, truth    boolean [Z, Y, X]
    spacing_mm     of the voxels, in the order of the axes

    nan where both masks are empty, 0 where one is. Voxels at the array's edge touch the outside.
    """
    both = find_objects((mask | truth).astype(np.uint8))
    if not both:
        return math.nan
    if not (mask.any() and truth.any()):
        return 0.0
    surfaces = [_surface(each[both[0]]) for each in (mask, truth)]
    near, count = 0, 0
    for surface, other in (surfaces, surfaces[::-1]):
        distance = np.asarray(distance_transform_edt(~other, sampling=spacing_mm))[surface]
        near += int(np.count_nonzero(distance <= tolerance_mm + 1e-9))
        count += distance.size
    return near / count


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~binary_erosion(mask)
