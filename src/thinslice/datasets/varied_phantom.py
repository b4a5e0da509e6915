"""Virtual patients to train on, each of another size, kernel and noise; real scans beside them.

Every patient is one of ``phantom``, with settings drawn for it alone. A folder of real thin scans
(``manifest.csv``, as of ``own_data``) may follow them: weights that come with the package were
fitted on both (``experiments/weights.yaml``). Meant for methods that make thick slices themselves;
the thick series of the phantoms are their defaults.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thinslice.datasets import phantom
from thinslice.datasets.own_data import OwnData
from thinslice.interfaces import SPLITS, Case

Range = tuple[float, float]


@dataclass(frozen=True)
class Settings:
    """How many patients, and the ranges that theirs are drawn from."""

    patients: Mapping[str, int] = field(default_factory=lambda: {"train": 12, "val": 0, "test": 0})
    seed: int = 0
    shape: Sequence[int] = (80, 112)  # (y, x) pixels
    length_mm: float = 100.0
    pixel_mm: Sequence[float] = (0.8, 1.6)  # a patient fills the frame: also the patient's size
    mtf50_per_mm: Sequence[float] = (0.35, 0.75)  # of the kernel
    noise_hu: Sequence[float] = (4.0, 25.0)
    nominal_mm: Sequence[float] = (0.8, 1.25)  # of the thin slices, every as many mm
    bell_fraction: Sequence[float] = (0.3, 1.0)
    folder: str | None = None  # holds manifest.csv of real thin scans; None: phantoms alone

    def of(self, number: int) -> dict[str, Any]:
        """Settings of ``phantom`` for one patient, whatever the number of others."""
        rng = np.random.default_rng((self.seed, number))
        pixel, mtf50, noise, nominal, bell = (
            float(rng.uniform(low, high))
            for low, high in (
                self.pixel_mm,
                self.mtf50_per_mm,
                self.noise_hu,
                self.nominal_mm,
                self.bell_fraction,
            )
        )
        thin = {"nominal_mm": nominal, "increment_mm": nominal}
        return {
            "patients": dict(self.patients),
            "seed": self.seed,
            "shape": tuple(self.shape),
            "pixel_mm": (pixel, pixel),
            "length_mm": self.length_mm,
            "noise_hu": noise,
            "thin": {**thin, "mtf50_per_mm": mtf50, "bell_fraction": bell},
        }


class VariedPhantom:
    """The data set; see the module docstring."""

    simulated = True

    def __init__(self, settings: Settings):
        self.settings = settings
        folder = settings.folder
        self.real = None if folder is None else _real_scans(Path(folder).expanduser())

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Check that the real scans are there; nothing is downloaded."""
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """The real scans and their manifest; phantoms are computed from the settings."""
        return [] if self.real is None else self.real.files(raw)

    def cases(self, raw: Path) -> Iterator[Case]:
        """The phantoms in the order of splits and numbers, then the manifest's rows."""
        for place, split in enumerate(SPLITS):
            for number in range(self.settings.patients.get(split, 0)):
                drawn = self.settings.of(1000 * place + number)
                yield phantom.build(**drawn).case(split, number)
        if self.real is not None:
            yield from self.real.cases(raw)


def _real_scans(folder: Path) -> OwnData:
    return OwnData(folder / "manifest.csv", None)


def build(**settings: Any) -> VariedPhantom:
    return VariedPhantom(Settings(**settings))
