"""Warped slices: a pixel's place is where it came from, and coarse ones are coarse along rows."""

import numpy as np
import pytest

from thinslice.interfaces import Pair
from thinslice.training import seeds
from thinslice.training.samplers.warped_slices import WarpedSlices, homography, places
from thinslice.volume import Grid, Volume

SIDE = 48
CT = (0.0, 1.0)
THIN = Grid(11, 1.0, 1.0, (60, 50), (0.7, 0.7))
THICK = THIN.with_slices(n=3, increment_mm=5.0, thickness_mm=5.0, start_mm=0.0)


def pair(slice_YX: np.ndarray) -> Pair:
    """A scan whose axial slices are all alike."""
    scans = [
        Volume(np.repeat(slice_YX[None], grid.n, 0).astype(np.float32), grid)
        for grid in (THICK, THIN)
    ]
    return Pair("case", *scans)


def test_places_are_counted_row_by_row_and_none_lies_outside():
    whole = np.arange(144).reshape(12, 12)
    assert np.array_equal(places(np.eye(3), SIDE), whole)
    moved = np.eye(3)
    moved[0, 2] = 4.0  # a pixel comes from four rows further on: one of the features
    assert np.array_equal(places(moved, SIDE)[:-1], whole[1:])
    assert (places(moved, SIDE)[-1] == -1).all()


def test_the_corners_of_an_image_come_from_near_the_image_and_all_differ():
    drawn = [homography(SIDE, seeds.rng(0, k)) for k in range(20)]
    middle = np.array([homog @ [SIDE / 2, SIDE / 2, 1] for homog in drawn])
    off = middle[:, :2] / middle[:, 2:] - SIDE / 2
    assert np.abs(off).max() < 0.15 * SIDE
    assert len({tuple(m.round(6)) for m in middle}) == 20
    seen = np.mean([(places(homog, SIDE) >= 0).mean() for homog in drawn])
    assert 0.7 < seen < 1


@pytest.mark.parametrize("axis", [0, 1])
def test_a_pixel_has_the_value_of_its_place(axis):
    """Of a ramp, which the sampler shows along rows or columns, at the middle of each feature."""
    ramp = np.linspace(0, 1, THIN.shape[axis])
    slice_YX = np.broadcast_to(ramp if axis else ramp[:, None], THIN.shape)
    fine, _, reference, numbers = WarpedSlices([pair(slice_YX)], SIDE, 4, CT)(seeds.rng(3))
    off = []
    for b in range(4):
        have, offered = (image[b, 0].numpy() for image in (fine, reference))
        have, offered = (x.reshape(12, 4, 12, 4).mean((1, 3)).ravel() for x in (have, offered))
        at = numbers[b].numpy().ravel()
        off.append(have[at >= 0] - offered[at[at >= 0]])
    step = 4 / (THIN.shape[axis] - 1)  # between two features
    assert np.abs(np.concatenate(off)).max() < 0.65 * step


def test_coarse_ones_are_smooth_along_rows_and_only_there():
    noise = np.random.default_rng(0).random(THIN.shape)
    fine, coarse, _, _ = WarpedSlices([pair(noise)], SIDE, 4, CT)(seeds.rng(1))
    rows, columns = ([float(x.diff(dim=d).std()) for x in (fine, coarse)] for d in (2, 3))
    assert rows[1] < 0.3 * rows[0]
    assert columns[1] / columns[0] > 1.5 * rows[1] / rows[0]


def test_slices_smaller_than_a_patch_are_mirrored_out_and_odd_sides_refused():
    images = WarpedSlices([pair(np.zeros(THIN.shape))], 64, 2, CT)(seeds.rng(0))
    assert [tuple(x.shape) for x in images] == 3 * [(2, 1, 64, 64)] + [(2, 16, 16)]
    for side in (28, 34):
        with pytest.raises(ValueError, match=f"multiple of 4 from 32 on, found {side}"):
            WarpedSlices([pair(np.zeros(THIN.shape))], side, 2, CT)
