"""What SSIM counts: voxels of a mask whose window fits, and slabs that hold every one of them."""

import numpy as np
import pytest

from thinslice.metrics import counted_slabs
from thinslice.metrics.counted_slabs import Counted, slabs
from thinslice.metrics.ssim import PLANES, RADIUS
from thinslice.metrics.ssim_views import VIEWS

SHAPE = (15, 31, 26)


def fits(view):
    out = np.zeros(SHAPE, bool)
    across = PLANES.get(view)
    out[tuple(slice(None) if k == across else slice(RADIUS, -RADIUS) for k in range(3))] = True
    return out


def masks(share):
    rng = np.random.default_rng(0)
    return {view: rng.random(SHAPE) < share for view in VIEWS}


@pytest.mark.parametrize("share", [0.002, 0.3, 1.0])
def test_planes_of_slabs_hold_every_counted_voxel_once(monkeypatch, share):
    monkeypatch.setattr(counted_slabs, "PIXELS", 7 * SHAPE[2])
    counted = {view: Counted.of(mask, view) for view, mask in masks(share).items()}
    assert len(list(slabs(counted.values()))) >= 4
    seen = {view: np.zeros(SHAPE, int) for view in counted}
    for slab in slabs(counted.values()):
        for view, each in counted.items():
            for z in range(slab.z.start, slab.z.stop):
                plane = each.plane(z, slab)
                if plane is not None:
                    seen[view][z, slab.y, slab.x] += plane
    for view, mask in masks(share).items():
        expected = mask & fits(view)
        assert np.array_equal(seen[view], expected), view
        assert counted[view].number == expected.sum()


def test_what_is_wanted_of_a_slab_is_what_is_counted():
    mask = masks(0.3)["axial"]
    each = Counted.of(mask, "3d")
    (slab,) = slabs([each])
    wanted = np.zeros(slab.shape, bool)
    each.add_to(wanted, slab)
    assert np.array_equal(wanted, (mask & fits("3d"))[slab])


def test_no_window_fits_a_volume_that_is_smaller():
    mask = np.ones((4, 30, 30), bool)
    each = Counted.of(mask, "coronal")
    assert each.number == 0
    assert list(slabs([each])) == []


def test_slabs_are_of_equal_height(monkeypatch):
    """A last slab of a few rows would cost the margins of a whole one."""
    monkeypatch.setattr(counted_slabs, "PIXELS", 15 * SHAPE[2])
    each = Counted.of(np.ones(SHAPE, bool), "coronal")
    heights = [slab.shape[1] for slab in slabs([each])]
    assert sum(heights) == SHAPE[1]
    assert max(heights) <= 15
    assert max(heights) - min(heights) <= 1
