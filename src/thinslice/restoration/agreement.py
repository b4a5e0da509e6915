"""Check whether a restored scan, made thick again, agrees with the slices of the scanner.

Compared are means over blocks of 8 mm in-plane (``block_means``): noise is small there and the
kernel of no matter, so what is left is what slices show along z.

*The profile* is the one that explains the thick slices best among those scanners have
(0.9 to 1.4 times the stated thickness, from box to bell), unless it is given.

*The yardstick* is plain linear interpolation, made thick again with the same profile: it is blurred
twice, and differs from the scan by as much as there is to restore. A true thin scan leaves 0.05 to
0.35 of that, interpolation itself all of it; a slice passes below half, its mean below a quarter.
What noise leaves passes too, and the 4 HU by which scanners may drift for water.
"""

from typing import NamedTuple

import numpy as np

from thinslice.interfaces import Scan
from thinslice.metrics.body_mask import AIR_HU, body_mask
from thinslice.operators import interpolation
from thinslice.operators.block_means import Blocks, block_means, means_of, sides
from thinslice.operators.thickening import SliceProfile, aligned, covered, matrix_of
from thinslice.volume import Grid, Volume, window_of

WIDTHS = (0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4)  # of the stated thickness
BELLS = (0.0, 0.3, 0.6, 1.0)
COVERED = 0.95  # a slice is compared where so much of its profile lies on the restored scan
OF_INTERPOLATION, BIAS_OF_INTERPOLATION = 0.5, 0.25  # a slice passes below these shares
OF_NOISE = 2.0  # ... or below what so much white noise leaves in the mean of a block
LEAST_HU = 4.0  # ... or below the drift that scanners are allowed for water
BODY_SHARE = 0.5  # of a block that counts; any, where the whole patient is smaller


class SliceCheck(NamedTuple):
    """One thick slice: the restored scan made thick again, minus the slice of the scanner.

    slice          counted from 1
    bias, rmse     of the voxels inside the patient
    block_rmse     of block means; compared with ``limit``
    interpolated   block_rmse of plain linear interpolation
    """

    slice: int
    bias: float
    rmse: float
    block_rmse: float
    interpolated: float
    limit: float
    flagged: bool

    @property
    def telling(self) -> bool:
        """Whether plain interpolation would have been flagged here."""
        return self.interpolated > self.limit


class Agreement(NamedTuple):
    """All slices that could be compared, why others could not, and the profile used.

    no_patient, at_an_end   slices, counted from 1, without a patient and not wholly on the restored
    """

    profile: SliceProfile | None  # None: no profile and regular grid can say how
    words: str  # how the restored scan was made thick again
    slices: tuple[SliceCheck, ...]
    no_patient: tuple[int, ...]
    at_an_end: tuple[int, ...]

    @property
    def bias(self) -> float | None:
        """Mean difference of the voxels inside the patient, over slices."""
        return float(np.mean([c.bias for c in self.slices])) if self.slices else None

    @property
    def rmse(self) -> float | None:
        """Its root mean square."""
        return _rms(np.array([c.rmse for c in self.slices])) if self.slices else None


class Again(NamedTuple):
    """A restored scan made thick again, voxels [Z, Y, X] of the thick scan.

    interpolated   plain linear interpolation of the thick scan made thick again
    words          how
    """

    restored: np.ndarray
    interpolated: np.ndarray
    words: str


class Measured(NamedTuple):
    """What comparing needs of a thick scan, whatever it is compared with."""

    body: np.ndarray  # boolean [Z, Y, X]
    whole: Blocks
    inside: Blocks  # those outside the patient count as padding


def measured_of(thick: Volume) -> Measured:
    """The patient and the block means of a thick scan."""
    body_ZYX, whole = _body(thick), block_means(thick)
    return Measured(body_ZYX, whole, _inside(whole, body_ZYX, thick))


def compare(
    restored: Volume,
    thick: Volume,
    noise: float | None,
    profile: SliceProfile | None = None,
    measured: Measured | None = None,
) -> Agreement:
    """Compare the two; ``profile`` of the thick slices, None: measured on them.

    Raises ValueError where the two scans' pixels or frames differ.
    """
    body_ZYX, whole, coarse = measured or measured_of(thick)
    fine = block_means(restored)
    used = profile or measured_profile(fine, coarse, restored.grid, thick.grid)
    rows = covered(used, restored.grid, thick.grid) >= COVERED
    matrix = matrix_of(used, restored.grid, thick.grid, rows)
    blocks = _differences(matrix, fine, coarse, rows)
    again = _interpolated(matrix, restored.grid, thick.grid)
    yardstick = (again @ _flat(whole.means) - _flat(whole.means)).reshape(blocks.error.shape)
    sees_padding = _sees(again, whole.padded).reshape(blocks.error.shape)
    blocks = blocks._replace(counted=blocks.counted & ~sees_padding)
    limits, slices = _Limits.of(noise, thick), []
    for k in map(int, np.flatnonzero(blocks.counted.any(axis=(1, 2)))):
        voxels = _voxel_errors(matrix, k, restored, thick, body_ZYX[k])
        slices.append(limits.check(k, voxels, blocks, yardstick[k]))
    words = f"{used}, {'as given' if profile else 'measured on these scans'}"
    return _agreement(used, words, slices, rows)


def of_slices(again: Again, thick: Volume, noise: float | None) -> Agreement:
    """Compare a scan that was made thick again by other means, as irregular slices are."""
    body_ZYX = _body(thick)
    coarse = _inside(block_means(thick), body_ZYX, thick)
    made, plain = (
        np.stack([means_of(plane, thick.grid.pixel_mm) for plane in voxels])
        for voxels in (again.restored, again.interpolated)
    )
    counted = ~coarse.padded & np.isfinite(made) & np.isfinite(plain)
    blocks = _BlockErrors(made - coarse.means, counted)
    limits, slices = _Limits.of(noise, thick), []
    for k in map(int, np.flatnonzero(counted.any(axis=(1, 2)))):
        error_YX = again.restored[k].astype(float) - thick.voxels[k]
        voxels = error_YX[body_ZYX[k] & np.isfinite(error_YX)]
        slices.append(limits.check(k, voxels, blocks, (plain - coarse.means)[k]))
    return _agreement(None, again.words, slices, np.ones(thick.grid.n, bool))


def measured_profile(fine: Blocks, coarse: Blocks, restored: Grid, thick: Grid) -> SliceProfile:
    """The profile with which the restored slices explain the thick ones best.

    Only slices that lie on the restored scan with every profile are looked at; where there are
    none, the profile is a bell of the stated thickness.
    """
    family = [SliceProfile(w * thick.thickness_mm, bell) for w in WIDTHS for bell in BELLS]
    rows = np.all([covered(each, restored, thick) >= COVERED for each in family], axis=0)
    best, least = SliceProfile(thick.thickness_mm, 1.0), np.inf
    for each in family if rows.any() else []:
        blocks = _differences(matrix_of(each, restored, thick, rows), fine, coarse, rows)
        left = _rms(blocks.error[blocks.counted])
        if left < least * (1 - 1e-9):
            best, least = each, left
    return best


class _BlockErrors(NamedTuple):
    """Restored made thick again minus thick, [n_thick, blocks], and the blocks that count."""

    error: np.ndarray
    counted: np.ndarray


def _differences(
    matrix: np.ndarray, fine: Blocks, coarse: Blocks, rows: np.ndarray
) -> _BlockErrors:
    error = matrix @ _flat(fine.means) - _flat(coarse.means)
    sees_padding = _sees(matrix, fine.padded)
    counted = ~_flat(coarse.padded) & ~sees_padding & rows[:, None]
    shape = coarse.means.shape
    return _BlockErrors(error.reshape(shape), counted.reshape(shape))


def _sees(matrix: np.ndarray, padded: np.ndarray) -> np.ndarray:
    """Boolean [n, blocks], true where a row of the matrix sees a padded block."""
    if not padded.any():
        return np.zeros((len(matrix), padded[0].size), bool)
    return (matrix != 0).astype(np.float32) @ _flat(padded).astype(np.float32) > 0


def _interpolated(matrix: np.ndarray, restored: Grid, thick: Grid) -> np.ndarray:
    """[n_thick, n_thick]: the scan, interpolated and made thick again."""
    at_mm = aligned(restored, thick).centres_mm()
    return matrix @ interpolation.weights(thick.centres_mm(), at_mm, "linear").toarray()


class _Limits(NamedTuple):
    """What a slice may leave besides a share of what interpolation leaves."""

    least: float

    @classmethod
    def of(cls, noise: float | None, thick: Volume) -> "_Limits":
        rounding = LEAST_HU if thick.modality == "CT" else 0.0
        white = (noise or 0.0) / np.sqrt(np.prod(sides(thick.grid.pixel_mm)))
        return cls(max(rounding, OF_NOISE * float(white)))

    def check(
        self, k: int, voxels: np.ndarray, blocks: "_BlockErrors", yardstick: np.ndarray
    ) -> SliceCheck:
        """The check of slice ``k``, counted from 0, from its voxels' and its blocks' errors."""
        there = blocks.counted[k]
        left, interpolated = _rms(blocks.error[k][there]), _rms(yardstick[there])
        bias = float(blocks.error[k][there].mean())
        limit = max(self.least, OF_INTERPOLATION * interpolated)
        drifts = abs(bias) > max(self.least, BIAS_OF_INTERPOLATION * interpolated)
        mean = float(voxels.mean()) if voxels.size else bias
        rms = _rms(voxels) if voxels.size else left
        return SliceCheck(k + 1, mean, rms, left, interpolated, limit, left > limit or drifts)


def _inside(coarse: Blocks, body_ZYX: np.ndarray, thick: Volume) -> Blocks:
    """The blocks, with those outside the patient counted as padding."""
    share = np.stack([means_of(plane, thick.grid.pixel_mm) for plane in body_ZYX])
    inside = share > (BODY_SHARE if (share > BODY_SHARE).any() else 0)
    return coarse._replace(padded=coarse.padded | ~inside)


def _agreement(
    profile: SliceProfile | None, words: str, slices: list[SliceCheck], rows: np.ndarray
) -> Agreement:
    """Of the slices that were compared; ``rows`` lie wholly on the restored scan."""
    compared = {check.slice for check in slices}
    empty = [int(k) + 1 for k in np.flatnonzero(rows) if k + 1 not in compared]
    ends = [int(k) + 1 for k in np.flatnonzero(~rows)]
    return Agreement(profile, words, tuple(slices), tuple(empty), tuple(ends))


def _voxel_errors(
    matrix: np.ndarray, k: int, restored: Volume, thick: Volume, body_YX: np.ndarray
) -> np.ndarray:
    """Errors of the voxels inside the patient in slice ``k``, of those that see no padding."""
    again_YX = np.zeros(thick.grid.shape)
    seen_YX = body_YX.copy()
    for j in map(int, np.flatnonzero(matrix[k])):
        z = slice(j, j + 1)
        again_YX += matrix[k, j] * restored.read(z)[0]
        mask = restored.padded(z)
        if mask is not None:
            seen_YX &= ~mask[0]
    return again_YX[seen_YX] - thick.read(slice(k, k + 1))[0][seen_YX]


def _body(thick: Scan) -> np.ndarray:
    """Boolean [Z, Y, X], true inside the patient where something was measured."""
    voxels, padded = thick.read(), thick.padded()
    if thick.modality == "CT":
        return body_mask(voxels, thick.grid.pixel_mm, AIR_HU, padded)
    window = window_of(Volume(voxels, thick.grid, thick.modality, thick.padding))
    return body_mask(window.to_unit(voxels), thick.grid.pixel_mm, 0.1, padded)


def _flat(blocks: np.ndarray) -> np.ndarray:
    return blocks.reshape(len(blocks), -1)


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0
