"""Scans kept in memory read the same, in two bytes a voxel where that loses nothing."""

from dataclasses import dataclass

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.training.samplers.held_scans import HeldScan, held, in_memory
from thinslice.volume import Grid, Padding, Volume

ZYX = (70, 6, 5)
MIB = 1 / 2**10  # GiB


@dataclass
class OnDisk:
    """A scan that is no volume in memory."""

    volume: Volume

    @property
    def grid(self):
        return self.volume.grid

    @property
    def modality(self):
        return self.volume.modality

    @property
    def padding(self):
        return self.volume.padding

    @property
    def second(self):
        return self.volume.second

    def read(self, z=slice(None), y=slice(None), x=slice(None)):
        return self.volume.read(z, y, x)


def scan(seed=0, modality="CT", offset=0.0, padding=None):
    hu = np.random.default_rng(seed).integers(-1024, 3071, ZYX).astype(np.float32) + offset
    grid = Grid(n=ZYX[0], increment_mm=1.0, thickness_mm=1.0, shape=ZYX[1:], pixel_mm=(1.0, 1.0))
    return OnDisk(Volume(hu.astype(np.float32), grid, modality, padding))


@pytest.mark.parametrize(
    ("modality", "offset", "dtype"),
    [
        ("CT", 0, np.int16),
        ("CT", 0.5, np.float32),
        ("CT", 40_000, np.float32),
        ("MR", 0, np.float32),
    ],
)
def test_what_is_read_is_the_same_bit_for_bit(modality, offset, dtype):
    original = scan(1, modality, offset)
    kept = held(original)
    assert kept.voxels.dtype == dtype
    block = (slice(3, 60, 2), slice(1, 4), slice(0, 5))
    assert kept.read(*block).dtype == np.float32
    np.testing.assert_array_equal(kept.read(*block), original.read(*block))
    assert (kept.grid, kept.modality) == (original.grid, original.modality)


def test_padding_stays():
    labels = np.zeros(ZYX, np.uint8)
    labels[:, 0] = 1
    kept = held(scan(padding=Padding(labels, (-2000.0,))))
    assert kept.padded(slice(0, 1))[0, 0].all()
    assert held(scan()).padded() is None


def test_scans_are_kept_up_to_one_limit_for_all_groups():
    scans = [scan(seed) for seed in range(4)]
    groups = [Pair("a", scans[0], scans[1])], [Pair("b", scans[2], scans[3])]
    two_bytes_gib = 2 * np.prod(ZYX) / 2**30
    kept = in_memory(*groups, limit_gib=3.5 * two_bytes_gib)
    held_ones = [isinstance(each, HeldScan) for (pair,) in kept for each in (pair.thick, pair.thin)]
    assert held_ones == [True, True, True, False]
    assert kept[1][0].thin is scans[3]
    np.testing.assert_array_equal(kept[0][0].thick.read(), scans[0].read())


def test_padding_and_fractions_of_hu_count_against_the_limit():
    labels = np.ones(ZYX, np.uint8)
    padded = [scan(seed, padding=Padding(labels, (-2000.0,))) for seed in range(2)]
    byte_gib = np.prod(ZYX) / 2**30
    ((pair,),) = in_memory([Pair("a", *padded)], limit_gib=5 * byte_gib)  # each takes 3
    assert isinstance(pair.thick, HeldScan)
    assert pair.thick.nbytes == 3 * np.prod(ZYX)
    assert pair.thin is padded[1]
    halves = scan(offset=0.5)
    ((pair,),) = in_memory([Pair("a", halves, scan(1))], limit_gib=3 * byte_gib)
    assert pair.thick is halves
    assert isinstance(pair.thin, HeldScan)


def test_volumes_stay_as_they_are_and_cost_nothing():
    volume = scan().volume
    ((pair,),) = in_memory([Pair("a", volume, scan(1))], limit_gib=MIB)
    assert pair.thick is volume
    assert isinstance(pair.thin, HeldScan)


def test_a_scan_that_cannot_be_read_is_refused_by_its_case():
    class Torn(OnDisk):
        def read(self, z=slice(None), y=slice(None), x=slice(None)):
            raise Refused("thin.zarr: a chunk is torn; make the store again")

    whole = scan()
    pairs = [Pair("a", whole, scan(1)), Pair("b", whole, Torn(scan(2).volume))]
    with pytest.raises(Refused, match=r"^case b: thin\.zarr: a chunk is torn"):
        in_memory(pairs)
