"""Values that are no HU are told by their range and their fractions; scans in HU are read."""

from pathlib import Path

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.io import files
from thinslice.io.nifti.write import write_nifti
from thinslice.io.padding import settled
from thinslice.volume import Grid, Volume

HERE = Path("scan.nii")
RNG = np.random.default_rng(0)
ZYX = (4, 32, 32)
GRID = Grid(4, 5.0, 5.0, (32, 32), (1.0, 1.0))
AIR = np.rint(RNG.normal(-1000, 10, ZYX)).clip(-1024)
WATER = np.rint(RNG.normal(0, 4, ZYX))
BONE = np.rint(RNG.uniform(200, 3000, ZYX))
BODY = np.where(np.arange(32) < 10, AIR, WATER + 40 * (np.arange(32) > 20))
BODY[:, :, -1] = BONE[:, :, -1]


def notes(values: np.ndarray) -> list[str]:
    """What a reader notes of a CT with these values; Refused as it refuses them."""
    return settled(HERE, Volume(values.astype(np.float32), GRID, "CT"))[1]


@pytest.mark.parametrize(
    "values",
    [BODY / 100, BONE / 100, WATER / 100, BODY / 1000, BODY / 1000 + RNG.normal(0, 1e-3, ZYX)],
    ids=["HU / 100", "bone / 100", "water / 100", "HU / 1000", "HU / 1000, resampled"],
)
def test_other_units_are_refused_with_what_to_do(values):
    with pytest.raises(Refused, match=r"not HU; .*HU / 100 times 100.* in whole numbers"):
        notes(values)


@pytest.mark.parametrize(
    "values",
    [
        BODY / 100 + RNG.normal(0, 1e-3, ZYX),  # resampled
        RNG.normal(0, 4, ZYX),  # a water phantom in floats
        (WATER[:, ::-1] + WATER) / 2,  # a mean of slices
        sum(np.roll(WATER, k, 2) for k in range(25)) / 25 * 5,
    ],
    ids=["HU / 100, resampled", "water", "halves", "fifths"],
)
def test_what_may_be_either_is_read_with_one_note(values):
    (note,) = notes(values)
    assert "if they are HU / 100, write it times 100" in note


@pytest.mark.parametrize(
    "values",
    [
        BODY,
        BODY + 0.25,
        BODY + RNG.normal(0, 1, ZYX),
        BONE / 2,
        WATER,
        np.round(WATER / 3),
        RNG.normal(-1000, 4, ZYX),
        np.round(RNG.normal(-1000, 4, ZYX), 2),
    ],
    ids=[
        "body",
        "quarters",
        "denoised",
        "bone",
        "water",
        "narrow and whole",
        "air",
        "air in hundredths",
    ],
)
def test_hu_are_read_without_a_word_of_another_unit(values):
    assert not any("HU / 100" in note for note in notes(values))


@pytest.mark.parametrize(("hu", "word"), [(-1050, "below air"), (40_000, "beyond 16 bits")])
def test_what_is_odd_of_a_narrow_range_is_said(hu, word):
    assert any(word in note for note in notes(RNG.normal(hu, 4, ZYX)))


def test_what_is_made_of_a_narrow_scan_in_hu_can_be_read_again(tmp_path):
    """A water phantom: its restored slices have fractions, to be rounded like those of any CT."""
    thick = Volume(np.round(WATER / 3).astype(np.float32), GRID, "CT")
    source = files.read(write_nifti(thick, tmp_path / "thick.nii"))
    restored = thick.with_voxels(thick.voxels * np.float32(0.9))
    files.write(restored, tmp_path / "out.nii", source=source)
    again = files.read(tmp_path / "out.nii").volume
    np.testing.assert_array_equal(again.voxels, np.rint(restored.voxels))
