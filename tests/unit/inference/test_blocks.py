"""Blocks of a scan: put together they are the scan, and each knows where it lies."""

import numpy as np

from support.tiny_methods import RUN
from thinslice.inference.blocks import Blocks, changed

SCAN = np.random.default_rng(0).random((21, 30, 13), np.float32)
BLOCKS = Blocks((16, 12, 64), halo=2, blend=2, align=4)


def test_blocks_that_change_nothing_give_the_scan_and_begin_at_multiples():
    places = []

    def same(block_ZYX, at):
        places.append(at)
        inside = [p.clip(0, n - 1) for p, n in zip(at, SCAN.shape)]
        np.testing.assert_array_equal(block_ZYX, SCAN[np.ix_(*inside)])
        return block_ZYX

    np.testing.assert_allclose(changed(SCAN, BLOCKS, same, run=RUN), SCAN, rtol=1e-6)
    assert len(places) > 4
    assert all(p[0] % 4 == 0 and len(p) % 4 == 0 for at in places for p in at)


def test_what_a_halo_holds_is_thrown_away():
    def marked(block_ZYX, at):
        out = block_ZYX.copy()
        for axis, (p, n) in enumerate(zip(at, SCAN.shape)):
            moved = np.moveaxis(out, axis, 0)
            if p[0] > 0:
                moved[:2] = 1e6
            if p[-1] < n - 1:
                moved[-2:] = 1e6
        return out

    assert changed(SCAN, BLOCKS, marked, run=RUN).max() <= 1.0
