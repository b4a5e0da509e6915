"""Scans kept in memory for training: HU as the 16-bit integers that a store has, up to a limit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from thinslice.errors import in_case
from thinslice.interfaces import Pair, Scan
from thinslice.volume import HU_INT16, Grid, Modality, Padding, Volume

USUAL_GIB = 2.0  # where nobody says how much a training may keep
BYTES_PER_VOXEL = {"CT": 2, "MR": 4}
SLICES = 32  # read at once


@dataclass(frozen=True)
class HeldScan:
    """A scan in memory; it reads what the scan it was made from reads, bit for bit.

    voxels   [Z, Y, X]: int16 where all are whole numbers that fit, else float32
    """

    voxels: np.ndarray = field(repr=False)
    grid: Grid
    modality: Modality
    padding: Padding | None
    second: "HeldScan | None" = None

    @property
    def nbytes(self) -> int:
        """Of the voxels, of padding, and of both in the second contrast."""
        labels = self.padding.labels.nbytes if self.padding else 0
        return self.voxels.nbytes + labels + (self.second.nbytes if self.second else 0)

    def read(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray:
        """A block of voxels, float32 [z, y, x]."""
        return np.asarray(self.voxels[z, y, x], np.float32)

    def padded(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray | None:
        """Boolean [z, y, x], true where nothing was measured; None for a scan without padding."""
        return None if self.padding is None else self.padding.labels[z, y, x] > 0


def held(scan: Scan) -> HeldScan:
    """The whole scan in memory, in as few bytes as lose nothing."""
    voxels = _whole_hu(scan) if scan.modality == "CT" else None
    voxels = scan.read() if voxels is None else voxels
    second = held(scan.second) if scan.second else None
    return HeldScan(voxels, scan.grid, scan.modality, scan.padding, second)


def _nbytes(scan: Scan) -> int:
    """What ``held`` takes at least."""
    own = int(np.prod(scan.grid.zyx)) * BYTES_PER_VOXEL[scan.modality]
    return own + (_nbytes(scan.second) if scan.second else 0)


def _whole_hu(scan: Scan) -> np.ndarray | None:
    """Voxels as int16; None where they are not all whole numbers that fit."""
    out = np.empty(scan.grid.zyx, np.int16)
    for first in range(0, scan.grid.n, SLICES):
        some = slice(first, min(first + SLICES, scan.grid.n))
        block = scan.read(some)
        if not (block.min() >= HU_INT16[0] and block.max() <= HU_INT16[1]):
            return None
        out[some] = block
        if not np.array_equal(out[some], block):
            return None
    return out


def in_memory(*groups: Sequence[Pair], limit_gib: float = USUAL_GIB) -> list[list[Pair]]:
    """The same groups of pairs, with as many of their scans in memory as fit into ``limit_gib``.

    The first ones go first; scans that are volumes already stay as they are. What cannot be read is
    refused by its case.
    """
    left = limit_gib * 2**30

    def load(scan: Scan) -> Scan:
        nonlocal left
        if isinstance(scan, Volume | HeldScan):
            return scan
        if _nbytes(scan) > left:
            return scan
        kept = held(scan)
        if kept.nbytes > left:  # by padding, or HU that are no whole numbers
            return scan
        left -= kept.nbytes
        return kept

    def loaded(pair: Pair) -> Pair:
        with in_case(pair.case):
            return Pair(pair.case, load(pair.thick), load(pair.thin))

    return [[loaded(pair) for pair in group] for group in groups]
