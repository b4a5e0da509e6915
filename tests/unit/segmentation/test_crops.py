"""Crops show small structures as often as large ones, whatever patients have them."""

import numpy as np
import pytest

from thinslice.segmentation.crops import Crops, Labelled
from thinslice.segmentation.settings import Settings
from thinslice.volume import Grid, Volume

GRID = Grid(32, 1.0, 1.0, (32, 32), (1.0, 1.0))
SMALL = Settings(levels=2, side=(8, 8, 8), batch=400, centred=1.0)


def scans() -> list[Labelled]:
    """Four scans with a large structure; a small one lies far from it, in one alone."""
    found = []
    for number in range(4):
        labels = np.zeros(GRID.zyx, np.uint8)
        labels[:12] = 1
        labels[28, 16, 16] = 2 * (number == 3)
        found.append(Labelled(str(number), Volume(np.zeros(GRID.zyx, np.float32), GRID), labels))
    return found


def test_a_structure_of_one_voxel_is_in_as_many_crops_as_one_of_thousands():
    _, labels = Crops(scans(), 2, SMALL)(np.random.default_rng(0))
    shares = [float((labels == k).flatten(1).any(1).float().mean()) for k in (1, 2)]
    assert shares == pytest.approx([0.5, 0.5], abs=0.08)


def test_shares_of_the_labels_add_up_to_all_voxels():
    shares = Crops(scans(), 2, SMALL).shares()
    assert shares == pytest.approx([1 - 0.375 - 1 / 2**17, 0.375, 1 / 2**17])
