"""A second contrast of a phantom: the same anatomy in other grey values, as MR has of a patient.

Grey values rise and fall with HU, so that tissues of like HU differ and others look alike: none of
the two contrasts follows from the other's slices alone. Nothing of MR is modelled.
"""

import numpy as np

from thinslice.volume import Volume

PEAKS = ((-850.0, 120.0, 300.0), (-90.0, 60.0, 900.0), (45.0, 50.0, 600.0), (400.0, 300.0, 200.0))
NOISE = 10.0  # sd


def second_contrast(thin: Volume, rng: np.random.Generator) -> Volume:
    """Other grey values of a thin scan's voxels, which have no noise, with noise of their own."""
    grey = rng.normal(0.0, NOISE, thin.voxels.shape)
    for hu, width_hu, height in PEAKS:
        grey += height * np.exp(-(((thin.voxels - hu) / width_hu) ** 2))
    return Volume(grey.astype(np.float32), thin.grid, "MR")
