"""What networks that learn from the scan are shown: axial slices seen through thick rows."""

from dataclasses import replace

import numpy as np
import pytest

from support.golden_weights import fixture
from thinslice.methods import smore, sr4zct, sr4zct_released
from thinslice.operators import overlap
from thinslice.training.samplers.axial_pairs import AxialPairs, spread_over, upright
from thinslice.volume import Grid

PIXEL_MM = (0.8, 0.6)  # (y, x): not square
THICK = Grid(9, 2.0, 3.0, (34, 40), PIXEL_MM, start_mm=5.0)
EXACT = sr4zct.Exact(None, None)


def noise(*shape: int) -> np.ndarray:
    """Axial slices in which no two places are alike."""
    return np.random.default_rng(0).normal(0, 100, shape).astype(np.float32)


@pytest.mark.parametrize(("n", "pixel_mm"), [(64, 0.7421875), (57, 1.0), (90, 0.6)])
def test_a_degraded_ramp_is_the_ramp_held_at_the_outermost_rows(n, pixel_mm):
    at_mm = pixel_mm * np.arange(n)
    degraded = EXACT.degraded(THICK, n, pixel_mm) @ at_mm
    length = n * pixel_mm
    rows = 1 + int((length - 3.0) / 2.0 + 1e-6)
    first = 3.0 / 2 - pixel_mm / 2
    assert np.abs(degraded - at_mm.clip(first, first + 2.0 * (rows - 1))).max() < 1e-9


def test_a_degraded_line_is_the_mean_over_rows_then_linear_between_them():
    fine, pixel_mm = 0.01, 0.5
    x = pixel_mm * np.arange(80)
    line = np.sin(x)
    degraded = EXACT.degraded(THICK, 80, pixel_mm) @ line
    means = [
        np.interp(np.arange(c - 1.5 + fine / 2, c + 1.5, fine), x, line).mean()
        for c in 1.25 + 2.0 * np.arange(19)  # 3 mm every 2 mm from the first pixel's edge
    ]
    expected = np.interp(x, 1.25 + 2.0 * np.arange(19), means)
    assert np.abs(degraded - expected).max() < 0.01  # nine points for an integral


def test_the_scan_s_planes_are_interpolated_as_the_training_images_are():
    """A line seen by thick slices and interpolated is the same along z as along an image's rows."""
    n, pixel_mm = 60, 0.8
    fine = Grid(n, pixel_mm, pixel_mm, (3, 3), PIXEL_MM)
    coarse = overlap.exact(fine, 3.0, 1.0)
    native = EXACT.native(coarse, pixel_mm)
    down = overlap.means_of_points(fine, coarse).toarray()
    along_z = EXACT.interpolated(coarse, native) @ down
    along_rows = EXACT.degraded(coarse, n, pixel_mm)
    assert np.abs(native.centres_mm() - fine.centres_mm()[: native.n]).max() < 1e-9
    np.testing.assert_allclose(along_z, along_rows.toarray()[: native.n], atol=1e-9)


def test_another_thickness_overlap_or_pixel_gives_other_training_images():
    right = EXACT.degraded(THICK, 64, 0.8).toarray()
    for wrong in (sr4zct.Exact(3.25, None), sr4zct.Exact(None, 1.25), sr4zct.Exact(2.75, 0.75)):
        assert np.abs(wrong.degraded(THICK, 64, 0.8).toarray() - right).max() > 0.02
    said = sr4zct.Exact(3.0, 1.0).degraded(replace(THICK, thickness_mm=9.0), 64, 0.8).toarray()
    np.testing.assert_array_equal(said, right)


@pytest.mark.parametrize("call", range(7))
def test_released_resampling_equals_the_authors(call):
    meta, golden = fixture("sr4zct", "resample")
    r, o, thickness, shared, back = meta["calls"][call]
    image, model = golden["image"], sr4zct_released.Anchored()
    if back:
        coarse = replace(THICK, thickness_mm=thickness, increment_mm=thickness - shared)
        made = model.degraded(coarse, len(image), r) @ image
    else:
        scan = Grid(len(image), r - o, r, (9, 1), (thickness, 1.0))
        native = model.native(scan, thickness)
        spread = overlap.NINTHS if shared else overlap.MIDDLE
        made = overlap.means_of_points(scan, native, spread) @ image
        if not shared:
            np.testing.assert_array_equal(made, model.interpolated(scan, native) @ image)
    made = made.clip(image.min(), image.max())
    assert np.abs(made - golden[f"out_{call}"]).max() < 1e-11


def test_training_pairs_stand_upright_as_the_authors_do():
    _, golden = fixture("sr4zct", "training_pairs")
    for i, (image, label) in enumerate(zip(golden["images"], golden["labels"])):
        horizontal, z = divmod(i, 3)
        degraded = golden["horizontal" if horizontal else "vertical"][z]
        np.testing.assert_array_equal(upright(degraded, bool(horizontal)), image[0])
        np.testing.assert_array_equal(upright(golden["volume"][z], bool(horizontal)), label[0])


def test_pairs_are_degraded_along_their_rows_whichever_axis_that_was():
    slices = noise(3, 34, 40)
    along = [EXACT.degraded(THICK, n, mm).toarray() for n, mm in zip((34, 40), PIXEL_MM)]
    pairs = AxialPairs(slices, *along, crop=None, batch=1)
    assert len(pairs) == 6
    vertical, own = pairs.whole(1)
    np.testing.assert_allclose(vertical, along[0] @ slices[1], atol=1e-3)
    np.testing.assert_array_equal(own, slices[1])
    horizontal, own = pairs.whole(4)
    np.testing.assert_allclose(horizontal, np.rot90(slices[1] @ along[1].T), atol=1e-3)
    np.testing.assert_array_equal(own, np.rot90(slices[1]))
    mean, std = pairs.moments()
    assert mean[1] == pytest.approx(slices.mean(dtype=float), abs=1e-3)
    assert std[1] == pytest.approx(slices.std(dtype=float), rel=1e-5)
    assert std[0] < std[1]


def test_crops_are_parts_of_whole_pairs():
    along = [EXACT.degraded(THICK, n, mm).toarray() for n, mm in zip((34, 40), PIXEL_MM)]
    pairs = AxialPairs(noise(1, 34, 40), *along, crop=12, batch=3)
    found = 0
    for step in range(8):
        for x, y in zip(*pairs(np.random.default_rng(step))):
            assert x.shape == y.shape == (1, 12, 12)
            for i in range(2):
                degraded, own = pairs.whole(i)
                windows = np.lib.stride_tricks.sliding_window_view(own, (12, 12))
                at = np.argwhere((windows == y[0].numpy()).all((2, 3)))
                for p, q in at:
                    part = degraded[p : p + 12, q : q + 12]
                    np.testing.assert_allclose(x[0], part, atol=1e-3)
                    found += 1
    assert found == 24


def test_at_most_so_many_slices_are_learned_from_the_ends_among_them():
    assert spread_over(140, 5).tolist() == [0, 35, 70, 104, 139]
    assert spread_over(4, 9).tolist() == spread_over(4, None).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("width", "stride"), [(5, 2), (4, 3), (1, 1)])
def test_smore_convolves_whole_pixels(width, stride):
    line = np.random.default_rng(0).normal(size=31)
    rows = np.convolve(line, np.ones(width) / width, "valid")[::stride]
    at = stride * np.arange(len(rows)) + (width - 1) / 2
    made = smore.Convolved(width, stride).degraded(THICK, 31, 0.7) @ line
    np.testing.assert_allclose(made, np.interp(np.arange(31), at, rows), atol=1e-12)
    # 3 mm every 2 mm in pixels of 0.7421875: 4.04 and 2.69, so 4 and 3 as in the paper's figure 7
    asked, rounded = smore.Convolved(4, 3), smore.Convolved(None, None)
    same = [m.degraded(THICK, 64, 0.7421875).toarray() for m in (asked, rounded)]
    np.testing.assert_array_equal(*same)
