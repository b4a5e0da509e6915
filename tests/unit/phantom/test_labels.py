"""Labels of the phantom are where its anatomy is, with the volume that was drawn."""

import numpy as np
import pytest

from thinslice.datasets import phantom
from thinslice.phantom.labels import STRUCTURES

pytestmark = pytest.mark.slow
DATA = phantom.build(seed=3, patients={"test": 1}, length_mm=80.0, noise_hu=0.0)
HEART, NODULE = (STRUCTURES.index(name) + 1 for name in ("heart", "nodule"))


@pytest.fixture(scope="module")
def case():
    return DATA.case("test", 0)


@pytest.fixture(scope="module")
def labels(case):
    return DATA.labels(None)["test-00"](case.thin.grid)


def test_the_heart_is_no_lung_and_no_bone(case, labels):
    hu = case.thin.voxels[labels == HEART]
    assert hu.size > 1000
    assert np.percentile(hu, 5) > -150
    assert np.percentile(hu, 99) < 400


def test_nodules_have_the_volume_that_was_drawn(case, labels):
    grid = case.thin.grid
    low, high = grid.centres_mm()[[0, -1]]
    drawn = [
        each["volume_mm3"]
        for each in case.source["drawn"]["nodules"]
        if low < each["centre_mm"][0] - max(each["semi_axes_mm"])
        and each["centre_mm"][0] + max(each["semi_axes_mm"]) < high
    ]
    fine = grid.with_slices(
        n=4 * grid.n, increment_mm=grid.increment_mm / 4, thickness_mm=1.0, start_mm=grid.start_mm
    )
    voxel_mm3 = fine.increment_mm * fine.pixel_mm[0] * fine.pixel_mm[1]
    found = DATA.labels(None)["test-00"](fine) == NODULE
    assert drawn
    assert found.sum() * voxel_mm3 == pytest.approx(sum(drawn), rel=0.15)


def test_labels_are_the_same_again_and_are_those_of_the_case(case, labels):
    again = DATA.labels(None)["test-00"](case.thin.grid)
    assert np.array_equal(again, labels)
    assert labels.shape == case.thin.grid.zyx
    assert labels.dtype == np.uint8
