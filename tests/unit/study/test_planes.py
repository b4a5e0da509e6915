"""Planes are shown as radiologists have them, both sides alike."""

import numpy as np
import pytest

from support import studies
from thinslice.study import planes
from thinslice.volume import AXIAL, Grid, Volume

UPSIDE_DOWN = ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (-1.0, 0.0, 0.0))


@pytest.mark.parametrize("direction", [AXIAL, UPSIDE_DOWN])
@pytest.mark.parametrize("plane", planes.NORMAL)
def test_head_front_and_the_patient_s_right_are_where_a_reader_looks_for_them(plane, direction):
    """Voxels hold their place in the patient: 100 z + 10 y + x, in LPS."""
    grid = Grid(4, 1.0, 1.0, (5, 6), (1.0, 1.0), direction=direction)
    k, j, i = np.indices(grid.zyx)
    sign = direction[0][2]
    volume = Volume(np.float32(sign * (100 * k + 10 * j + i)), grid)
    image = planes.cut(volume, plane, 1)
    right, down = image[0, 1] - image[0, 0], image[1, 0] - image[0, 0]
    expected = {"axial": (1, 10), "coronal": (1, -100), "sagittal": (10, -100)}
    assert (right, down) == expected[plane]


def test_pixels_of_a_plane_are_in_mm_rows_first():
    grid = Grid(4, 3.0, 5.0, (5, 6), (0.7, 0.8))
    found = {plane: planes.pixel_mm(grid, plane) for plane in planes.NORMAL}
    assert found == {"axial": (0.7, 0.8), "coronal": (3.0, 0.8), "sagittal": (3.0, 0.7)}


def test_hu_are_kept_and_mr_has_one_scale_for_all_images_of_a_pair():
    images = np.array([[[-1000.0, 40.4]], [[3000.6, 12.0]]])
    assert planes.to_levels(images, "CT").tolist() == [[[-1000, 40]], [[3001, 12]]]
    levels = planes.to_levels(np.array([[[0.0, 1.0]], [[0.0, 2.0]]]), "MR")
    assert levels[0, 0, 1] * 2 == pytest.approx(levels[1, 0, 1], abs=1)


def test_air_alone_is_not_shown():
    scan = studies.scan(0)
    assert planes.shows_body(planes.cut(scan, "coronal", 15), "CT")
    assert not planes.shows_body(planes.cut(scan, "coronal", 0), "CT")
