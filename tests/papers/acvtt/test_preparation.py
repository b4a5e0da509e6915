"""ACVTT's preparation of thin scans: as its released code has it, with every slice's place kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.transform import rescale

from support.golden_weights import fixture
from thinslice.datasets import kits23, msd
from thinslice.datasets._acvtt import (
    Preparation,
    every_millimetre,
    first_slices,
    prepared,
    trimmed,
)
from thinslice.degradations import sparse
from thinslice.errors import Refused
from thinslice.operators import projection
from thinslice.volume import Grid, Volume

PATH = Path("scan.nii.gz")
META, ARRAYS = fixture("acvtt", "preparation")
HOW = {
    "kits": Preparation(kits23.COLUMNS_HU),
    "msd": Preparation(msd.COLUMNS_HU, msd.FLOOR_HU),
}
FLOAT16_STEP = 5e-4
GRID = Grid(41, 0.8, 0.8, (9, 11), (0.7, 0.9), start_mm=3.0, origin_mm=(-12.5, 8.25, 700.5))


def scan(voxels, increment_mm, to_feet=False):
    """A file's slices as a volume that runs to the head."""
    voxels = np.asarray(voxels[::-1] if to_feet else voxels, np.float32)
    return Volume(voxels, Grid(len(voxels), increment_mm, increment_mm, voxels.shape[1:], (1, 1)))


def ramp(grid):
    """HU that say where each voxel is: 1000 + z + 2y + 4x in mm along the patient's axes."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.zyx), indexing="ij"), -1).astype(float)
    place = index @ grid.affine()[:3, :3].T + grid.affine()[:3, 3]
    return Volume((1000 + place @ [4, 2, 1]).astype(np.float32), grid)


@pytest.mark.parametrize("to_feet", [False, True])
@pytest.mark.parametrize("kind", HOW)
@pytest.mark.parametrize("call", META["calls"], ids=lambda call: f"{call['spacing_z']}mm")
def test_it_equals_the_authors_run(call, kind, to_feet):
    how = replace(HOW[kind], trim_factor=call["scale_factor"])
    source = scan(ARRAYS[f"volume_{call['i']}"], call["spacing_z"], to_feet)
    thin = prepared(source, to_feet, how, PATH)
    ours = thin.voxels[::-1] if to_feet else thin.voxels
    theirs = ARRAYS[f"{kind}_hr_{call['i']}"].astype(float)
    unit = (ours.clip(-1024, 3071) + 1024) / 4095
    assert ours.shape == theirs.shape
    assert np.abs(unit - theirs).max() < FLOAT16_STEP
    every = sparse.build(increment_mm=call["scale_factor"], whole_slices=True)
    thick = every.thick_grid(thin.grid)
    kept = projection.apply(every.matrix(thin.grid, thick), thin.voxels)
    kept = kept[::-1] if to_feet else kept
    np.testing.assert_allclose(kept, ARRAYS[f"{kind}_lr_hu_{call['i']}"], atol=0.01)


def test_the_trim_rule_is_the_authors():
    for n, factor, kept, thick in META["trim_rule"]:
        volume = scan(np.arange(float(n))[:, None, None], 1.0)
        out = trimmed(volume, False, factor, PATH)
        assert (out.grid.n, len(out.voxels[::factor])) == (kept, thick)


@pytest.mark.parametrize("spacing_mm", [0.6, 0.8, 1.25, 1.5])
def test_resampling_is_skimage_s_plane_by_plane(spacing_mm):
    hu = np.random.default_rng(0).normal(0, 400, (37, 4, 9)).astype(np.float32)
    ours = every_millimetre(scan(hu, spacing_mm), False).voxels
    for y in range(hu.shape[1]):
        theirs = rescale(hu[:, y].astype(float), (spacing_mm, 1), order=3, preserve_range=True)
        np.testing.assert_allclose(ours[:, y], theirs, atol=2e-3)


@pytest.mark.parametrize("spacing_mm", [0.5, 0.8, 1.0, 1.25, 1.5])
@pytest.mark.parametrize("to_feet", [False, True])
def test_a_ramp_stays_where_it_is(spacing_mm, to_feet):
    grid = replace(GRID, n=43, increment_mm=spacing_mm)
    out = prepared(ramp(grid), to_feet, Preparation(-600, trim_factor=3), PATH)
    assert out.grid.n % 3 == 1
    inside = slice(12, -12)  # ends are mirrored: a ramp bends there
    np.testing.assert_allclose(out.voxels[inside], ramp(out.grid).voxels[inside], atol=1e-3)


def test_a_crop_moves_the_origin_and_keeps_the_place():
    volume = ramp(GRID)
    volume.voxels[:, :2], volume.voxels[:, -1:] = -1000, -1000
    volume.voxels[:, :, :3], volume.voxels[:, :, -2:] = -1000, -1000
    out = prepared(volume, False, Preparation(-600, trim_factor=None), PATH)
    assert out.grid.shape == (6, 6)
    np.testing.assert_allclose(out.voxels[12:-12], ramp(out.grid).voxels[12:-12], atol=1e-3)


def test_slices_in_between_keep_their_air():
    hu = np.full((12, 10, 10), 40.0)
    hu[:, 4:6] = -1000  # a row of air inside the body
    out = prepared(scan(hu, 1.0), False, Preparation(-900), PATH)
    assert out.grid.shape == (10, 10)


def test_resampled_increment_is_the_scan_s_length_over_its_slices():
    out = every_millimetre(ramp(GRID), False).grid
    assert out.n == round(41 * 0.8)
    assert out.increment_mm == pytest.approx(41 * 0.8 / 33)
    assert out.thickness_mm == GRID.thickness_mm
    faces = [c + side * g.increment_mm / 2 for g in (GRID, out) for c, side in ends(g)]
    assert faces[:2] == pytest.approx(faces[2:])


def ends(grid):
    centres = grid.centres_mm()
    return [(centres[0], -1), (centres[-1], 1)]


def test_first_slices_count_in_the_file_s_order():
    volume = scan(np.arange(9.0)[:, None, None], 1.0)
    head, feet = first_slices(volume, 4, False), first_slices(volume, 4, True)
    assert head.voxels.ravel().tolist() == [0, 1, 2, 3]
    assert feet.voxels.ravel().tolist() == [5, 6, 7, 8]
    assert (head.grid.start_mm, feet.grid.start_mm) == (0.0, 5.0)
    assert first_slices(volume, 99, True).grid == volume.grid


@pytest.mark.parametrize("n", [11, 12])
def test_every_second_slice_counts_in_the_file_s_order(n):
    file = np.arange(float(n))[:, None, None]
    for to_feet in (False, True):
        out = every_millimetre(scan(file, 0.5, to_feet), to_feet)
        ours = out.voxels[::-1] if to_feet else out.voxels
        assert ours.ravel().tolist() == list(range(0, n, 2))
        assert out.grid.increment_mm == 1.0


def test_its_input_is_left_alone():
    source = scan(ARRAYS["volume_2"], 0.8)
    before = source.voxels.copy()
    prepared(source, False, HOW["msd"], PATH)
    np.testing.assert_array_equal(source.voxels, before)


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        (scan(np.zeros((9, 4, 4)), 2.0), "found slices every 2 mm; expected 1.5 mm or less"),
        (scan(np.full((9, 4, 4), -1000.0), 1.0), "found 0 rows above -500 HU"),
        (scan(np.zeros((5, 4, 4)), 1.0), "found 5 slices after preparation; expected 6 or more"),
    ],
)
def test_what_is_no_thin_scan_is_refused(volume, said):
    with pytest.raises(Refused, match=said) as caught:
        prepared(volume, False, Preparation(-600), PATH)
    assert str(caught.value).startswith("scan.nii.gz: ")
