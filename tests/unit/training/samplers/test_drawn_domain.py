"""What a training draws is what its weights are good for; nothing else is compared."""

from dataclasses import replace

import numpy as np
import pytest

from support.patient import SCAN as COARSE
from support.patient import patient
from thinslice.training import fitted_on
from thinslice.training.samplers import drawn_slices
from thinslice.training.samplers.drawn_domain import domain
from thinslice.training.samplers.fine_planes import FinePlanes
from thinslice.volume import Grid

THIN = Grid(40, 1.0, 1.0, (40, 48), (0.8, 0.8))
SCAN = replace(COARSE, pixel_mm=(0.8, 0.8))


@pytest.fixture(scope="module")
def planes():
    return FinePlanes([patient(THIN, 12.0)], side=32, neighbours=0)


def ways(found, grid=SCAN, noise=12.0, thin_mm=1.0):
    scan = {**fitted_on.of_scan(patient(grid, noise), "B30f"), "thin_thickness_mm": thin_mm}
    return fitted_on.outside(found, scan)


def test_every_slice_that_is_drawn_lies_in_the_domain(planes):
    found, rng = domain(planes), np.random.default_rng(0)
    seen = []
    for _ in range(200):
        slab = planes.draw(rng)
        slices = drawn_slices.draw(slab.rows, 32, rng)
        if slices is None:
            continue
        seen.append(slices.thickness_mm)
        share = slices.increment_mm / slices.thickness_mm
        for key, value in (
            ("thickness_mm", slices.thickness_mm),
            ("increment_share", share),
            ("thin_thickness_mm", slices.thin_thickness_mm),
            ("pixel_mm", slab.pixel_mm),
        ):
            low, high = found[key]
            assert low * 0.999 <= value <= high * 1.001, key
    assert min(seen) < 2.5
    assert max(seen) > 8


def test_a_scan_is_compared_with_what_was_drawn_not_with_the_thin_scan(planes):
    found = domain(planes)
    assert ways(found) == []
    assert ways(found, replace(SCAN, increment_mm=0.5 * SCAN.thickness_mm)) == []
    for grid, words in (
        (replace(SCAN, thickness_mm=12.0, increment_mm=12.0), "12 mm thick; fitted on 1.5 to 10"),
        (replace(SCAN, increment_mm=0.2 * SCAN.thickness_mm), "apart by 0.2 of their thickness"),
        (replace(SCAN, pixel_mm=(3.0, 3.0)), "pixels of 3 mm"),
    ):
        [way] = ways(found, grid)
        assert words in way
    [way] = ways(found, thin_mm=4.0)
    assert "thin slices of 4 mm" in way
    [way] = ways(found, noise=200.0)
    assert "noise" in way


def test_slices_of_one_kind_are_stated_as_such(planes):
    found = domain(planes, (5.0, 2.5))
    assert found["thickness_mm"] == [5.0, 5.0]
    assert found["increment_share"] == [0.5, 0.5]
    assert ways(found, replace(SCAN, thickness_mm=5.0, increment_mm=5.0)) != []
