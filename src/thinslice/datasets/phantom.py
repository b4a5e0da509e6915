"""Virtual patients: simulated chest CT, thin and thick reconstructions of one exposure.

Every patient is one latent chest and one noise field. The thin reconstruction has a sharp kernel
and a narrow, bell-shaped profile; the thick one a soft kernel and its own profile, phase and
increment. So the thick scan is acquired, not averaged from thin slices, and the error of averaging
is known. Works offline; the same settings give the same bits. The chest fills the frame; the usual
128 x 179 mm hold a toddler's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from thinslice.datasets._readers import by_case
from thinslice.errors import Refused
from thinslice.interfaces import SPLITS, Case
from thinslice.operators.profiles import scanner_profile
from thinslice.phantom.anatomy import Anatomy, draw_anatomy
from thinslice.phantom.kernel import SHARP, SOFT
from thinslice.phantom.labels import STRUCTURES, label_map
from thinslice.phantom.lattice import Plane
from thinslice.phantom.lung_contents import NODULES_MM
from thinslice.phantom.noise import expose
from thinslice.phantom.reconstruction import Reconstruction, acquire
from thinslice.phantom.second_contrast import second_contrast
from thinslice.volume import Grid
from thinslice.workflow.setting_ranges import out_of_range


@dataclass(frozen=True)
class Series:
    """Reconstruction settings of one of the two series."""

    nominal_mm: float = 1.0  # slice thickness in the header
    increment_mm: float = 1.0
    width_factor: float = 1.15  # FWHM of the slice profile / nominal
    bell_fraction: float = 1.0  # 0 a trapezoid, 1 a bell
    ramp_mm: float | None = None  # flanks of the trapezoid; 0 makes it a box
    mtf50_per_mm: float = SHARP  # of the kernel
    iterative: float = 0.0  # strength of iterative reconstruction; 0, 0.3, 0.6
    broadening: float = 0.0  # of the profile, share per 100 mm off-centre; up to 0.07
    jitter_mm: float = 0.0  # of slice positions; up to 0.05

    def __post_init__(self) -> None:
        ranges = {
            "nominal_mm": (0.3, 20),
            "increment_mm": (0.2, 20),
            "width_factor": (0.5, 2),
            "bell_fraction": (0, 1),
            "mtf50_per_mm": (0.1, 3),
            "iterative": (0, 1),
            "broadening": (0, 0.5),
            "jitter_mm": (0, 0.4 * self.increment_mm),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise Refused(f"{name} lies in {low} to {high}, found {getattr(self, name)}")

    def reconstruction(self, seed: Sequence[int]) -> Reconstruction:
        """The virtual scanner's reconstruction with these settings."""
        profile = scanner_profile(
            self.nominal_mm, self.width_factor, self.bell_fraction, self.ramp_mm
        )
        imperfections = (self.iterative, self.broadening, self.jitter_mm)
        return Reconstruction(profile, self.mtf50_per_mm, *imperfections, tuple(seed))


THIN: Mapping[str, Any] = {}
THICK: Mapping[str, Any] = {
    "nominal_mm": 5.0,
    "increment_mm": 5.0,
    "width_factor": 1.05,
    "bell_fraction": 0.3,
    "mtf50_per_mm": SOFT,
}


@dataclass(frozen=True)
class Settings:
    """Settings of the virtual patients; ``thin`` and ``thick`` override defaults of ``Series``."""

    patients: Mapping[str, int] = field(default_factory=lambda: {"train": 8, "val": 2, "test": 4})
    seed: int = 0
    shape: Sequence[int] = (80, 112)  # (y, x) pixels
    pixel_mm: Sequence[float] = (1.6, 1.6)
    length_mm: float = 104.0  # of the thin series
    thin: Annotated[Mapping[str, Any], Series] = field(default_factory=dict)
    thick: Annotated[Mapping[str, Any], Series] = field(default_factory=dict)
    noise_hu: float = 12.0  # sd of the thin series without iterative steps, mean over the body
    phase: float | Literal["free"] = "free"  # of thick against thin slices, mm
    cells: int = 2  # per pixel and direction, in the latent chest
    nodules_mm: Sequence[float] = NODULES_MM  # smallest and largest radius
    second: bool = False  # whether scans carry a second contrast, fine as the thin scan is

    def __post_init__(self) -> None:
        unknown = sorted(set(self.patients) - set(SPLITS))
        if unknown or min(self.patients.values(), default=0) < 0:
            raise Refused(f"patients are counted per {', '.join(SPLITS)}, found {self.patients}")
        if len(self.shape) != 2 or len(self.pixel_mm) != 2:
            raise Refused(f"shape and pixel_mm are (y, x), found {self.shape}, {self.pixel_mm}")
        if self.seed < 0 or self.noise_hu < 0 or self.cells < 1:
            raise Refused(
                f"seed and noise_hu start at 0, cells at 1, found {self.seed}, {self.noise_hu} and "
                f"{self.cells}"
            )
        if reason := out_of_range("nodules_mm", list(self.nodules_mm)):
            raise Refused(f"nodules_mm: {reason}")
        half_mm = self.series_thin.increment_mm / 2
        if self.phase != "free" and not -half_mm <= float(self.phase) <= half_mm:
            raise Refused(f"the phase lies within {half_mm} mm or is free, found {self.phase}")

    @property
    def series_thin(self) -> Series:
        """The thin series' settings."""
        return Series(**{**THIN, **self.thin})

    @property
    def series_thick(self) -> Series:
        """The thick series' settings."""
        return Series(**{**THICK, **self.thick})

    def thin_grid(self) -> Grid:
        """Grid of the thin slices, centred on the chest; the frame is centred on the patient."""
        (ny, nx), (dy, dx), series = self.shape, self.pixel_mm, self.series_thin
        n = round(self.length_mm / series.increment_mm)
        return Grid(
            n=n,
            increment_mm=series.increment_mm,
            thickness_mm=series.nominal_mm,
            shape=(ny, nx),
            pixel_mm=(dy, dx),
            start_mm=-(n - 1) / 2 * series.increment_mm,
            origin_mm=(-(nx - 1) / 2 * dx, -(ny - 1) / 2 * dy, 0.0),
        )

    def thick_grid(self, phase_mm: float) -> Grid:
        """Grid of as many thick slices as lie inside the thin scan at any phase.

        At phase 0 the first one begins where the second thin slice does. Refused for a scan too
        short for one.
        """
        thin, series = self.thin_grid(), self.series_thick
        room = (thin.n - 2) * thin.increment_mm - series.nominal_mm
        if room < 0:
            raise Refused(
                f"no slice of {series.nominal_mm} mm fits on {self.length_mm} mm: lengthen it"
            )
        return thin.with_slices(
            n=int(room / series.increment_mm + 1e-9) + 1,
            increment_mm=series.increment_mm,
            thickness_mm=series.nominal_mm,
            start_mm=thin.start_mm + (thin.increment_mm + series.nominal_mm) / 2 + phase_mm,
        )


class Phantom:
    """The phantom data set; see the module docstring."""

    simulated = True
    structures = STRUCTURES

    def __init__(self, settings: Settings):
        self.settings = settings
        settings.thick_grid(0.0)  # refuses a scan that is too short before the first case

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Nothing to download."""

    def files(self, raw: Path) -> Sequence[Path]:
        """No files: the scans are computed from the settings."""
        return []

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases in the order of splits and patient numbers."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be made."""
        return by_case(
            (case_name(split, number), partial(self.case, split, number))
            for split in SPLITS
            for number in range(self.settings.patients.get(split, 0))
        )

    def labels(self, raw: Path) -> Mapping[str, Callable[[Grid], np.ndarray]]:
        """Label maps by case, to be made on a grid."""
        return by_case(
            (case_name(split, number), partial(self._labels, split, number))
            for split in SPLITS
            for number in range(self.settings.patients.get(split, 0))
        )

    def _labels(self, split: str, number: int, grid: Grid) -> np.ndarray:
        chest, _ = self._patient((self.settings.seed, SPLITS.index(split), number))
        return label_map(chest.layers, grid)

    def _patient(self, seed: Sequence[int]) -> tuple[Anatomy, np.random.Generator]:
        """The chest of a patient, and the generator that draws the phase."""
        chest_rng, phase_rng = np.random.default_rng(seed).spawn(2)
        grid = self.settings.thin_grid()
        frame = grid.shape[0] * grid.pixel_mm[0], grid.shape[1] * grid.pixel_mm[1]
        smallest_mm, largest_mm = self.settings.nodules_mm
        return draw_anatomy(chest_rng, frame, (smallest_mm, largest_mm)), phase_rng

    def case(self, split: str, number: int) -> Case:
        """One patient, whatever the number of other patients."""
        s = self.settings
        seed = (s.seed, SPLITS.index(split), number)
        grid = s.thin_grid()
        chest, phase_rng = self._patient(seed)
        half_mm = grid.increment_mm / 2
        random_mm = float(phase_rng.uniform(-half_mm, half_mm))
        phase_mm = random_mm if s.phase == "free" else float(s.phase)
        scans = s.series_thin.reconstruction((*seed, 1)), s.series_thick.reconstruction((*seed, 2))
        steps = chest.steps(Plane.of(grid, s.cells), _extent_mm(grid, scans))
        density = s.noise_hu / np.sqrt(scans[0].energy(steps.plane))
        scanned = float(grid.centres_mm()[0]), float(grid.centres_mm()[-1])
        noise = expose(steps, scanned, seed, float(density)) if s.noise_hu else None
        thin = acquire(steps, noise, scans[0], grid)
        thick = acquire(steps, noise, scans[1], s.thick_grid(phase_mm))
        if s.second:
            clean = acquire(steps, None, scans[0], grid)  # noise would show the thin scan's own
            second = second_contrast(clean, np.random.default_rng((*seed, 3)))
            thin, thick = replace(thin, second=second), replace(thick, second=second)
        source = self._source(seed, phase_mm, scans, chest.drawn)
        name = case_name(split, number)
        return Case(name, f"phantom-{s.seed}-{name}", split, thin, thick, source)

    def _source(
        self,
        seed: Sequence[int],
        phase_mm: float,
        scans: Sequence[Reconstruction],
        drawn: Mapping[str, Any],
    ) -> dict[str, Any]:
        series = (self.settings.series_thin, self.settings.series_thick)
        thin, thick = ({**asdict(s), "fwhm_mm": r.profile.fwhm_mm} for s, r in zip(series, scans))
        return {
            "simulated": True,
            "seed": list(seed),
            "phase_mm": phase_mm,
            "noise_hu": self.settings.noise_hu,
            "thin": thin,
            "thick": thick,
            "drawn": drawn,
        }


def _extent_mm(grid: Grid, scans: Sequence[Reconstruction]) -> tuple[float, float]:
    """Extent along z that the profiles of both reconstructions cover, with a margin."""
    reach = 1 + max(1.5 * scan.profile.support_mm for scan in scans)
    z = grid.centres_mm()
    return float(z[0]) - reach, float(z[-1]) + reach


def case_name(split: str, number: int) -> str:
    """Name of a patient's case, unique in the data set."""
    return f"{split}-{number:02d}"


def build(**settings: Any) -> Phantom:
    return Phantom(Settings(**settings))
