"""Volume, grid and intensity window: the data types that all rooms share.

Axes are always [Z, Y, X]: z across slices, y and x in-plane. Lengths are millimetres, CT is HU.
Patient space is DICOM LPS (x to the left, y to the back, z to the head).
"""

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
class Volume:
    """Voxels on a grid.

    voxels    float32 [Z, Y, X]; HU for CT, the scanner's own arbitrary units for MR
    """

    voxels: np.ndarray
    grid: Grid
    modality: Modality = "CT"

    def __post_init__(self) -> None:
        if self.voxels.shape != self.grid.zyx:
            raise ValueError(f"voxels {self.voxels.shape} do not match the grid {self.grid.zyx}")
        if self.voxels.dtype != np.float32:
            raise TypeError(f"voxels must be float32, found {self.voxels.dtype}")
        if self.modality not in ("CT", "MR"):
            raise ValueError(f"modality must be CT or MR, found {self.modality!r}")

    def read(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray:
        """A block of voxels, float32 [z, y, x]; the same method as scans on disk have."""
        return self.voxels[z, y, x]

    def with_voxels(self, voxels: np.ndarray, grid: Grid | None = None) -> "Volume":
        """A volume of new values on ``grid``, by default the same grid."""
        return replace(self, voxels=np.asarray(voxels, np.float32), grid=grid or self.grid)


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

    The thin volume is not used, so the reference cannot leak into the scale.
    """
    if thick.modality == "CT":
        return Window(*ct)
    low, high = np.percentile(thick.voxels, (0.5, 99.5))
    return Window(float(low), float(max(high, low + 1e-3)))


def to_int16(voxels: np.ndarray) -> np.ndarray:
    """HU rounded to the nearest integer, as stored on disk; refuses what int16 cannot hold."""
    if not np.isfinite(voxels).all():
        raise Refused(f"{int((~np.isfinite(voxels)).sum())} voxels are not finite numbers")
    rounded = np.rint(voxels)
    if rounded.min() < HU_INT16[0] or rounded.max() > HU_INT16[1]:
        raise Refused(f"HU {rounded.min():g} to {rounded.max():g} do not fit 16 bits")
    return rounded.astype(np.int16)
