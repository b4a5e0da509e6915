"""Restore a scan as it was acquired: tilted, unevenly spaced or of mixed thickness.

Every method wants regular thick slices. Each slice is shifted in its plane onto common pixels,
which is all that gantry tilt needs; otherwise a linear operator (``operators.planes``) estimates
regular slices from those that were acquired. After the method the same operator takes what the
acquired slices have and the restored ones lack back into the latter: made thick again at their own
positions and thicknesses, they agree within the noise.
"""

from typing import Any, NamedTuple

import numpy as np

from thinslice.io.acquired import AcquiredScan
from thinslice.io.scan import LoadedScan
from thinslice.operators import planes
from thinslice.operators.in_plane_shifts import common_grid, from_common, measured, onto_common
from thinslice.volume import Grid, Padding, Volume, filled

PADDING_HU = -2000.0  # as scanners write it; measured air is never so low
FINER = 4  # slices, on which the operator works, to the thinnest acquired one
TOUCHED = 1e-3  # share of padding in a pixel between pixels that makes it padding
ROUNDS = 2  # of taking back what is missing; shifts by parts of pixels need more than one
PROFILE = (
    "restored slices are made thick again at the position and thickness of each acquired one: "
    "trapezoids with ramps of 1.2 mm and the stated thickness as FWHM, shifted in-plane as acquired"
)


class Acquisition(NamedTuple):
    """An irregular scan, and the shift of every slice on the pixels of its regular grid."""

    scan: AcquiredScan
    shifts: np.ndarray  # [n, 2] (y, x), pixels

    @property
    def thick(self) -> Volume:
        """The acquired slices; the grid holds their pixels, not their positions."""
        scan = self.scan
        return Volume(scan.voxels, scan.frame, scan.modality, scan.padding)

    def seen(self, restored: Volume) -> np.ndarray:
        """Restored slices made thick again as the acquired ones, float32 [n, Y, X]."""
        matrix = planes.seen_matrix(*self._slices, restored.grid)
        common = _through(matrix.toarray(), restored.voxels)
        return from_common(common, self.shifts, self.scan.frame.shape)

    def consistent(self, restored: Volume) -> Volume:
        """Restored slices that give the acquired ones back; padding where the nearest has none."""
        matrix = planes.seen_matrix(*self._slices, restored.grid)
        back = planes.estimator(matrix, self.scan.thickness_mm, restored.grid.increment_mm)
        out = restored
        for _ in range(ROUNDS):
            missing = self.scan.voxels - self.seen(out)
            if self.scan.padding is not None:
                missing[self.scan.padding.mask] = 0
            common = onto_common(missing, self.shifts, restored.grid.shape)
            out = out.with_voxels(out.voxels + _through(back, np.nan_to_num(common)))
        _, inside = self._on_common(restored.grid.shape)
        nearest = _nearest(restored.grid, self.scan)
        return out.with_padding(_padding(self.scan, ~inside[nearest]))

    def over_gaps(self, thin: Grid) -> list[tuple[float, float, int, int]]:
        """Gaps where slices are missing: from and to in mm, first and last thin slice, from 0."""
        z_mm = thin.centres_mm()
        stretches = []
        for low, high in planes.gaps(*self._slices):
            inside = np.flatnonzero((z_mm > low) & (z_mm < high))
            if inside.size:
                stretches.append((low, high, int(inside[0]), int(inside[-1])))
        return stretches

    def notes(self, thin: Grid) -> list[str]:
        """Sentences on slices that are interpolated over a gap."""
        return [
            f"no slice was acquired over {high - low:.3g} mm: restored slices {first + 1} to "
            f"{last + 1} are interpolated over the gap"
            for low, high, first, last in self.over_gaps(thin)
        ]

    def to_json(self, thin: Grid) -> dict[str, Any]:
        """Where the slices were acquired, and which restored ones lie in gaps."""
        scan = self.scan
        return {
            "tilt_deg": round(scan.tilt_deg, 4),
            "evenly_spaced": scan.is_evenly_spaced,
            "centres_mm": scan.centres_mm.round(6).tolist(),
            "thickness_mm": scan.thickness_mm.tolist(),
            "shifts_mm": scan.shifts_mm.round(6).tolist(),
            "gaps": [
                {"from_mm": low, "to_mm": high, "first": first, "last": last}
                for low, high, first, last in self.over_gaps(thin)
            ],
        }

    @property
    def _slices(self) -> tuple[np.ndarray, np.ndarray]:
        return self.scan.centres_mm, self.scan.thickness_mm

    def _on_common(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """The acquired slices on common pixels, filled where not measured; where they are."""
        scan = self.scan
        padded = None if scan.padding is None else scan.padding.mask
        if not self.shifts.any():
            return scan.voxels, np.ones(scan.voxels.shape, bool) if padded is None else ~padded
        inside = measured(self.shifts, scan.frame.shape, shape)
        if padded is not None:
            inside &= ~(onto_common(padded.astype(np.float32), self.shifts, shape) > TOUCHED)
        return filled(onto_common(scan.voxels, self.shifts, shape), ~inside, scan.modality), inside


def regular(scan: AcquiredScan) -> tuple[LoadedScan, Acquisition]:
    """The regular thick scan that methods see, and what it was made of."""
    frame, shifts = common_grid(scan.frame, scan.shifts_mm)
    acquisition = Acquisition(scan, shifts)
    slices, inside = acquisition._on_common(frame.shape)
    if scan.is_evenly_spaced:
        n = len(scan.centres_mm)
        increment_mm = float(scan.centres_mm[-1]) / (n - 1)
        grid = frame.with_slices(
            n=n, increment_mm=increment_mm, thickness_mm=frame.thickness_mm, start_mm=0.0
        )
    else:
        grid = planes.lattice(scan.centres_mm, scan.thickness_mm, frame)
        slices, inside = _regular_slices(scan, grid, slices, inside)
    volume = Volume(slices, grid, scan.modality).with_padding(_padding(scan, ~inside))
    source = {**scan.source, "warnings": [*scan.source["warnings"], _summary(scan, grid)]}
    return LoadedScan(volume, source, scan.files, scan.members), acquisition


def _regular_slices(
    scan: AcquiredScan, grid: Grid, slices: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slices on the regular grid, and where the nearest acquired one was measured."""
    fine = _fine_grid(scan, grid)
    seen = planes.seen_matrix(scan.centres_mm, scan.thickness_mm, fine)
    back = planes.estimator(seen, scan.thickness_mm, fine.increment_mm)
    wanted = planes.seen_matrix(grid.centres_mm(), np.full(grid.n, grid.thickness_mm), fine)
    return _through(wanted @ back, slices), inside[_nearest(grid, scan)]


def _nearest(grid: Grid, scan: AcquiredScan) -> np.ndarray:
    """Index of the acquired slice nearest to each slice of a grid."""
    return np.abs(grid.centres_mm()[:, None] - scan.centres_mm).argmin(1)


def _fine_grid(scan: AcquiredScan, grid: Grid) -> Grid:
    """Fine slices over the extent of all acquired and regular ones."""
    increment_mm = float(scan.thickness_mm.min()) / FINER
    ends = [
        (centres[[0, -1]] + np.array([-1, 1]) * thick_mm / 2)
        for centres, thick_mm in (
            (scan.centres_mm, scan.thickness_mm[[0, -1]]),
            (grid.centres_mm(), grid.thickness_mm),
        )
    ]
    low, high = float(np.min(ends)), float(np.max(ends))
    n = int(np.ceil((high - low) / increment_mm - 1e-6))
    start_mm = (low + high) / 2 - (n - 1) / 2 * increment_mm
    return grid.with_slices(
        n=n, increment_mm=increment_mm, thickness_mm=increment_mm, start_mm=start_mm
    )


def _padding(scan: AcquiredScan, mask: np.ndarray) -> Padding | None:
    """Padding where no slice has measured, with the number of most of the scan's own if any."""
    number = PADDING_HU if scan.modality == "CT" else 0.0
    if scan.padding is not None:
        counts = scan.padding.counts()
        number = max(counts, key=lambda value: counts[value])
    return Padding.of(mask, np.full(mask.shape, number, np.float32))


def _through(matrix: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """A matrix [n, m] along z of voxels [m, Y, X]; float32 [n, Y, X]."""
    flat = matrix @ voxels.reshape(len(voxels), -1)
    return flat.reshape(-1, *voxels.shape[1:]).astype(np.float32)


def _summary(scan: AcquiredScan, grid: Grid) -> str:
    """A sentence on how the slices were acquired and what methods see of them."""
    ways = []
    if scan.shifts_mm.any():
        shift_mm = float(np.linalg.norm(np.ptp(scan.shifts_mm, axis=0)))
        ways.append(
            f"gantry tilt of {scan.tilt_deg:.2f} degrees, slices shifted in-plane by up to "
            f"{shift_mm:.3g} mm"
        )
    if not scan.is_evenly_spaced:
        low, high = np.diff(scan.centres_mm).min(), np.diff(scan.centres_mm).max()
        thinnest, thickest = scan.thickness_mm.min(), scan.thickness_mm.max()
        ways.append(
            f"slices {_span(thinnest, thickest)} mm thick every {_span(low, high)} mm, from which "
            f"{grid.n} slices of {grid.thickness_mm:g} mm every {grid.increment_mm:.4g} mm were "
            "estimated"
        )
    return f"restored as acquired: {'; '.join(ways)}"


def _span(low: float, high: float) -> str:
    return f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
