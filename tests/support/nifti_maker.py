"""Synthetic NIfTI files of whole, distinct HU along any axes."""

from itertools import permutations, product

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

SHAPE = (4, 5, 6)  # x, y, z in RAS before it is turned
SPACING = np.array([0.7, 0.9, 2.5])
ORDERS = [(o, f) for o in permutations(range(3)) for f in product((1, -1), repeat=3)]
TURNS = {
    "square": np.eye(3),
    "oblique": Rotation.from_euler("xyz", (9, -14, 21), degrees=True).as_matrix(),
}


def scan_ras(turn=TURNS["square"], spacing=SPACING, shape=SHAPE):
    """Whole, distinct HU, and the affine from index to RAS mm."""
    values = np.random.default_rng(1).permutation(int(np.prod(shape))).reshape(shape) - 1000
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * spacing, (-31.25, 12.5, -710.75)
    return values.astype(np.int16), affine


def reordered(values, affine, order, flips):
    """The same scan written along other axes, by nibabel."""
    orientation = np.array([[order.index(axis), flips[axis]] for axis in range(3)])
    image = nib.Nifti1Image(values, affine).as_reoriented(orientation)
    return np.asarray(image.dataobj), image.affine


def saved(path, values, affine, **header):
    image = nib.Nifti1Image(values, affine)
    for key, value in header.items():
        image.header[key] = value
    nib.save(image, path)
    return path
