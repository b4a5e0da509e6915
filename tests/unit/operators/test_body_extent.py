"""The extent of a body: every part of it, what lies between, and no table."""

import numpy as np

from thinslice.operators.body_extent import MARGIN_MM, body_columns, extents
from thinslice.volume import Grid, Volume

GRID = Grid(3, 5.0, 5.0, (80, 100), (1.0, 1.0))


def scan(modality="CT"):
    return Volume(np.full(GRID.zyx, -1000, np.float32), GRID, modality)


def test_both_legs_a_hollow_head_and_no_table():
    thick = scan()
    thick.voxels[0, 10:30, 10:25] = 0
    thick.voxels[2, 10:30, 60:80] = 0  # another slice, another part
    thick.voxels[2, 12:28, 62:78] = -1000  # a shell of 2 mm
    thick.voxels[:, 70:72] = 200  # a table's shell
    thick.voxels[1, 50, 50] = 3000  # a noisy voxel
    found = body_columns(thick)
    assert found[10:30, 10:25].mean() > 0.95
    assert found[10:30, 60:80].mean() > 0.95
    margin = round(MARGIN_MM)
    assert not found[30 + margin :].any()
    columns = extents(found)
    assert columns[20] == slice(10 - margin, 80 + margin)
    assert columns[50] == slice(0, 0)


def test_without_a_body_or_a_unit_it_is_everywhere():
    assert body_columns(scan()).all()
    assert body_columns(scan("MR")).all()


def test_extents_are_from_the_first_to_the_last():
    mask = np.array([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    assert extents(mask) == [slice(1, 4), slice(0, 0), slice(0, 5)]
