"""Volume, grid, padding and intensity window: the data types that all rooms share.

Axes are always [Z, Y, X]: z across slices, y and x in-plane. Lengths are millimetres, CT is HU.
Patient space is DICOM LPS (x to the left, y to the back, z to the head).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from thinslice.errors import Refused

Modality = Literal["CT", "MR"]
Vector = tuple[float, float, float]

# Columns of the patient frame: unit vectors of the z, y and x axes of the array, in LPS.
AXIAL: tuple[Vector, Vector, Vector] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
HU_INT16 = (-32768, 32767)
SAME_PLACE_MM = 1e-4
EMPTY_HU = -1024.0  # as scanners write air that they did not measure


@dataclass(frozen=True)
class Grid:
    """Positions of the voxels of a volume in the patient, and the thickness of its slices.

    Increment and thickness are independent: interpolation moves slices, it does not thin them.
    There is no integer factor; any thickness, increment and phase makes a grid.
    """

    n: int  # slices
    increment_mm: float  # centre to centre, along the slice normal
    thickness_mm: float  # FWHM of the slice profile; of acquired slices, as their header states it
    shape: tuple[int, int]  # (y, x) pixels of a slice
    pixel_mm: tuple[float, float]  # (y, x) pixel pitch
    start_mm: float = 0.0  # centre of the first slice, along the normal, from the origin
    origin_mm: Vector = (0.0, 0.0, 0.0)  # LPS of the first pixel's centre at z = 0 mm
    direction: tuple[Vector, Vector, Vector] = AXIAL  # LPS unit vectors of the z, y, x axes

    def __post_init__(self) -> None:
        sizes = (self.n, *self.shape)
        lengths = (self.increment_mm, self.thickness_mm, *self.pixel_mm)
        if min(sizes) < 1:
            raise ValueError(f"a grid needs at least one voxel per axis, found {sizes}")
        if not all(np.isfinite(lengths)) or min(lengths) <= 0:
            raise ValueError(f"increment, thickness and pixels must be positive, found {lengths}")
        gram = np.array(self.direction) @ np.array(self.direction).T
        if not np.allclose(gram, np.eye(3), atol=1e-3):
            raise ValueError(f"direction is not orthonormal: {self.direction}")

    @property
    def zyx(self) -> tuple[int, int, int]:
        """Shape of the voxel array, (Z, Y, X)."""
        return (self.n, *self.shape)

    @property
    def overlap_mm(self) -> float:
        """Overlap of neighbouring slices; negative is a gap."""
        return self.thickness_mm - self.increment_mm

    def centres_mm(self) -> np.ndarray:
        """Slice centres [Z], mm along the normal, ascending."""
        return self.start_mm + self.increment_mm * np.arange(self.n)

    def affine(self) -> np.ndarray:
        """4x4 matrix from voxel index (k, j, i) = (z, y, x) to patient LPS, mm."""
        z, y, x = np.array(self.direction, dtype=float)
        out = np.eye(4)
        out[:3, 0], out[:3, 1], out[:3, 2] = (
            z * self.increment_mm,
            y * self.pixel_mm[0],
            x * self.pixel_mm[1],
        )
        out[:3, 3] = np.array(self.origin_mm) + z * self.start_mm
        return out

    def with_slices(
        self, *, n: int, increment_mm: float, thickness_mm: float, start_mm: float
    ) -> "Grid":
        """A grid of the same pixels and patient frame with other slices."""
        return replace(
            self, n=n, increment_mm=increment_mm, thickness_mm=thickness_mm, start_mm=start_mm
        )

    def same_place(self, other: "Grid", tolerance_mm: float = SAME_PLACE_MM) -> bool:
        """Whether every voxel centre coincides; thickness is not compared."""
        if self.zyx != other.zyx:
            return False
        corners = np.array([(k, j, i, 1) for k in (0, 1) for j in (0, 1) for i in (0, 1)], float)
        corners[:, :3] *= np.array(self.zyx) - 1
        moved = (corners @ (self.affine() - other.affine()).T)[:, :3]
        return bool(np.abs(moved).max() <= tolerance_mm)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists; ``Grid.from_json`` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Grid":
        """A grid from ``to_json``'s output; unknown keys raise TypeError."""
        nested = {"direction": tuple(tuple(axis) for axis in data["direction"])}
        flat = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**{**flat, **nested})


@dataclass(frozen=True)
class Padding:
    """Voxels that are no measurement, such as those outside the field of view, and their numbers.

    labels   uint8 to uint32 [Z, Y, X]: 0 where measured, else the place in ``values``, from 1
    values   what the file holds there, ascending; no method, metric or degradation sees them
    """

    labels: np.ndarray
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.labels.dtype not in (np.uint8, np.uint16, np.uint32):
            raise TypeError(f"labels must be uint8, uint16 or uint32, found {self.labels.dtype}")
        if not self.values or int(self.labels.max()) > len(self.values):
            raise ValueError(f"labels to {self.labels.max()}, but {len(self.values)} values")

    @classmethod
    def of(cls, mask: np.ndarray, numbers: np.ndarray) -> "Padding | None":
        """The padding where the boolean ``mask`` [Z, Y, X] is true; None where it never is.

        numbers   what the file holds, [Z, Y, X]; looked at under the mask alone
        """
        parts = [np.unique(plane[inside]) for plane, inside in zip(numbers, mask)]
        values = np.unique(np.concatenate(parts))
        if not values.size:
            return None
        labels = np.zeros(mask.shape, np.min_scalar_type(len(values)))
        for label, plane, inside in zip(labels, numbers, mask):
            label[inside] = 1 + np.searchsorted(values, plane[inside])
        return cls(labels, tuple(float(value) for value in values))

    @property
    def mask(self) -> np.ndarray:
        """Boolean [Z, Y, X], true where nothing was measured."""
        return self.labels > 0

    def counts(self) -> dict[float, int]:
        """Number of voxels of each value; values without any are left out."""
        sizes = np.bincount(self.labels.ravel(), minlength=len(self.values) + 1)[1:]
        return {value: int(n) for value, n in zip(self.values, sizes) if n}


@dataclass(frozen=True)
class Volume:
    """Voxels on a grid.

    voxels    float32 [Z, Y, X]; HU for CT, the scanner's own arbitrary units for MR. Where there is
              padding they hold a fill that does not depend on its number (``filled``)
    padding   voxels that are no measurement; None where all are
    second    another contrast of the same patient in the same frame, on a grid of its own, which
              is given as it is beside the thick scan too; None: there is none
    """

    voxels: np.ndarray
    grid: Grid
    modality: Modality = "CT"
    padding: Padding | None = None
    second: "Volume | None" = None

    def __post_init__(self) -> None:
        if self.voxels.shape != self.grid.zyx:
            raise ValueError(f"voxels {self.voxels.shape} do not match the grid {self.grid.zyx}")
        if self.voxels.dtype != np.float32:
            raise TypeError(f"voxels must be float32, found {self.voxels.dtype}")
        if self.modality not in ("CT", "MR"):
            raise ValueError(f"modality must be CT or MR, found {self.modality!r}")
        if self.padding is not None and self.padding.labels.shape != self.grid.zyx:
            found = self.padding.labels.shape
            raise ValueError(f"padding {found} does not match the grid {self.grid.zyx}")

    def read(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray:
        """A block of voxels, float32 [z, y, x]; the same method as scans on disk have."""
        return self.voxels[z, y, x]

    def padded(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray | None:
        """Boolean [z, y, x], true where nothing was measured; None for a scan without padding."""
        return None if self.padding is None else self.padding.labels[z, y, x] > 0

    def with_voxels(self, voxels: np.ndarray, grid: Grid | None = None) -> "Volume":
        """New values on the same grid, padding and second contrast kept; on another one without."""
        voxels = np.asarray(voxels, np.float32)
        if grid is None:
            return replace(self, voxels=voxels)
        return replace(self, voxels=voxels, grid=grid, padding=None, second=None)

    def with_padding(self, padding: Padding | None) -> "Volume":
        """The same volume with other padding, whose voxels are filled anew."""
        if padding is None:
            return replace(self, padding=None)
        return replace(
            self, voxels=filled(self.voxels, padding.mask, self.modality), padding=padding
        )

    def digest(self) -> str:
        """SHA-256 of the voxels' bytes, in hex."""
        return hashlib.sha256(np.ascontiguousarray(self.voxels).data).hexdigest()

    def as_in_file(self, lowest: float = -np.inf, highest: float = np.inf) -> np.ndarray:
        """Voxels [Z, Y, X] with the padding's own numbers; ``lowest`` for those beyond the two."""
        if self.padding is None:
            return self.voxels
        values = np.array([0, *self.padding.values], np.float32)
        values[(values < lowest) | (values > highest)] = lowest
        return np.where(self.padding.mask, values[self.padding.labels], self.voxels)


def filled(voxels: np.ndarray, mask: np.ndarray, modality: Modality) -> np.ndarray:
    """A copy of the voxels [Z, Y, X] with a fill where ``mask`` is true.

    The fill is the value at the same pixel of the nearest slice that is measured there. Where none
    is: of CT -1024 HU, so that a scan padded with -3024 is one padded with -1024; of MR its lowest
    measured value (0 where nothing is measured).
    """
    out = voxels.copy()
    never = np.asarray(mask.all(axis=0))
    sometimes = np.asarray(mask.any(axis=0)) & ~never
    if never.any():
        low = voxels.min(where=~mask, initial=np.inf) if modality == "MR" else EMPTY_HU
        out[:, never] = low if np.isfinite(low) else 0.0
    for y in np.flatnonzero(sometimes.any(axis=1)):
        x = np.flatnonzero(sometimes[y])
        out[:, y, x] = np.take_along_axis(voxels[:, y, x], _nearest(~mask[:, y, x]), axis=0)
    return out


def _nearest(measured: np.ndarray) -> np.ndarray:
    """Index [Z, C] of the nearest true entry of each column, the lower of two as near."""
    n = len(measured)
    index = np.broadcast_to(np.arange(n)[:, None], measured.shape)
    before = np.maximum.accumulate(np.where(measured, index, -n), axis=0)
    after = np.minimum.accumulate(np.where(measured, index, 3 * n)[::-1], axis=0)[::-1]
    return np.where(index - before <= after - index, before, after)


@dataclass(frozen=True)
class Window:
    """An affine map between voxel values and the [0, 1] that networks see."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.high > self.low:
            raise ValueError(f"a window needs high > low, found [{self.low}, {self.high}]")

    def to_unit(self, voxels):
        """Values to [0, 1], clipped; arrays and tensors alike."""
        return (voxels.clip(self.low, self.high) - self.low) / (self.high - self.low)

    def from_unit(self, unit):
        """The inverse of ``to_unit`` inside the window."""
        return unit * (self.high - self.low) + self.low


def window_of(thick: Volume, ct: tuple[float, float] = (-1024.0, 3071.0)) -> Window:
    """The window a method works in: fixed for CT, robust percentiles of the thick scan for MR.

    The thin volume is not used, so the reference cannot leak into the scale; nor is padding.
    """
    if thick.modality == "CT":
        return Window(*ct)
    padded = thick.padded()
    measured = thick.voxels if padded is None else thick.voxels[~padded]
    low, high = np.percentile(measured, (0.5, 99.5)) if measured.size else (0.0, 1.0)
    return Window(float(low), float(max(high, low + 1e-3)))


def to_int16(voxels: np.ndarray) -> np.ndarray:
    """HU rounded to the nearest integer, as stored on disk; refuses what int16 cannot hold."""
    if not np.isfinite(voxels).all():
        raise Refused(f"{int((~np.isfinite(voxels)).sum())} voxels are not finite numbers")
    rounded = np.rint(voxels)
    if rounded.min() < HU_INT16[0] or rounded.max() > HU_INT16[1]:
        raise Refused(f"HU {rounded.min():g} to {rounded.max():g} do not fit 16 bits")
    return rounded.astype(np.int16)
