"""Data set NAME: where it comes from, its licence, how many patients.

Copy to ``src/thinslice/datasets/NAME.py``; the config line is
``NAME: {simulated: false, acquired: false, settings: {...}}`` under ``datasets``.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from thinslice.interfaces import Case
from thinslice.volume import Grid, Volume


class Template:
    """Scans stored as NAME_SPLIT.npy, one a patient."""

    simulated = False  # True where no scanner made the scans: their numbers are labelled "sim"

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download into ``raw`` and verify (``download.fetch``); nothing where scans are local."""

    def files(self, raw: Path) -> Sequence[Path]:
        """Every file that ``cases`` reads: an audit hashes them."""
        return sorted(raw.glob("*.npy"))

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case at a time, in a fixed order; HU, [Z, Y, X], z through-plane, lengths in mm."""
        for path in self.files(raw):
            patient, split = path.stem.rsplit("_", 1)  # split: "train", "val" or "test"
            voxels = np.load(path, allow_pickle=False).astype(np.float32)
            grid = Grid(
                n=len(voxels),
                increment_mm=1.0,
                thickness_mm=1.0,
                shape=voxels.shape[1:],
                pixel_mm=(0.8, 0.8),
            )
            yield Case(name=patient, patient=patient, split=split, thin=Volume(voxels, grid))


def build() -> Template:
    """Settings of the config line are this function's parameters."""
    return Template()
