"""Cutting an axis into tiles: shares sum to one, halos give nothing, no pixel is computed twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thinslice.inference import tiling

POLICIES = (tiling.crossfade, tiling.average, tiling.last_write)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 90),
    length=st.integers(4, 40),
    halo=st.integers(0, 6),
    blend=st.integers(0, 6),
    policy=st.sampled_from(POLICIES),
)
def test_the_shares_of_a_position_sum_to_one(n, length, halo, blend, policy):
    if n > length and length - 2 * halo - blend < 1:
        with pytest.raises(ValueError, match="no room between halos"):
            tiling.axis(n, length, halo, blend, 1, policy)
        return
    axis = tiling.axis(n, length, halo, blend, 1, policy)
    total = np.zeros(n)
    for start, shares in zip(axis.starts, axis.shares):
        total[start : start + axis.length] += shares
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    assert (axis.shares >= 0).all()


def test_nothing_comes_from_an_inner_halo():
    axis = tiling.axis(64, 24, 5, 4, 1, tiling.crossfade)
    assert len(axis.starts) > 2
    assert (axis.shares[1:, :5] == 0).all()
    assert (axis.shares[:-1, -5:] == 0).all()
    assert axis.shares[0, 0] == axis.shares[-1, -1] == 1


def test_tiles_without_halo_and_blend_lie_side_by_side_and_each_pixel_is_computed_once():
    axis = tiling.axis(512, 256, 0, 0, 8, tiling.crossfade)
    assert axis.starts.tolist() == [0, 256]
    assert (axis.shares == 1).all()


@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(1, 60),
    most=st.integers(4, 40),
    halo=st.integers(0, 5),
    blend=st.integers(0, 5),
    align=st.sampled_from([1, 4]),
    least=st.integers(0, 30),
)
def test_equal_tiles_are_no_more_and_no_longer_than_those_asked_for(
    n, most, halo, blend, align, least
):
    n, most = tiling.rounded_up(n, align), tiling.rounded_up(most, align)
    length = tiling.equal_length(n, most, halo, blend, align, least)
    if n > most and (most - 2 * halo - blend) // align < 1:
        assert length == most  # ``axis`` refuses them
        return
    asked, equal = (tiling.axis(n, k, halo, blend, align, tiling.crossfade) for k in (most, length))
    assert len(equal.starts) == len(asked.starts)
    assert min(least, most, n) <= length <= most
    assert length % align == 0
    if halo == 0 or len(equal.starts) == 1:
        assert length == min(most, n)


def test_tiles_of_512_pixels_compute_half_as_many_pixels_twice():
    assert tiling.equal_length(512, 256, 16, 16, 8) == 208  # three, at 0, 160 and 304
    assert tiling.equal_length(512, 256, 16, 16, 8, least=256) == 256
    assert tiling.equal_length(520, 512, 16, 16, 8) == 288
    assert tiling.equal_length(300, 256, 0, 0, 8) == 256
