"""A small archive of real-looking pairs: DICOM made by the tests, in the archive's layout."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset

from support import dicom_maker as maker
from support.archive_bucket import as_folder, content_of, listings, row_of

N_THIN, N_THICK, SIDE = 60, 12, 32
SPLITS = ("train", "val", "test")


@dataclass
class Archive:
    """Folders of a bucket by uuid, and the rows of its manifest."""

    folders: dict[str, dict[str, bytes]] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)

    def content(self) -> dict[str, bytes]:
        """What a server of it answers."""
        return content_of(self.folders)

    def write_manifest(self, path: Path) -> str:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)
        return str(path)

    def write_raw(self, raw: Path) -> None:
        """As after a download: files and listings."""
        (raw / "listings").mkdir(parents=True)
        for uuid, files in self.folders.items():
            (raw / uuid).mkdir()
            for name, data in files.items():
                (raw / uuid / name).write_bytes(data)
            (page,) = listings(uuid, files).values()
            (raw / "listings" / f"{uuid}-1.xml").write_bytes(page)


def chest(seed: int) -> np.ndarray:
    """Smooth bodies with noise in air [Z, Y, X], HU: enough structure along z to fit taps."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:N_THIN, :SIDE, :SIDE].astype(float)
    hu = np.where((y - 16) ** 2 + (x - 16) ** 2 < 196, 40.0, -1000.0)
    for _ in range(24):
        c = rng.uniform((0, 8, 8), (N_THIN, 24, 24))
        r = rng.uniform(2, 5)
        inside = (z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2 < r * r
        hu[inside] = rng.uniform(-800, 900)
    return hu


def thick_of(thin: np.ndarray) -> np.ndarray:
    """Every fifth slice through a bell about 5 mm wide."""
    taps = np.exp(-4 * np.log(2) * (np.arange(-6, 7) / 4.8) ** 2)
    padded = np.pad(thin, ((6, 6), (0, 0), (0, 0)), "edge")
    weights = taps / taps.sum()
    return np.stack([np.tensordot(weights, padded[k : k + 13], 1) for k in range(2, N_THIN, 5)])


def archive(
    folder: Path,
    patients: Sequence[str] = SPLITS,
    change: Mapping[str, Callable[[int, FileDataset], None]] | None = None,
    **pixels: Any,
) -> Archive:
    """One pair for each patient, whose names are their splits.

    change    by patient, what is changed in the headers of their thick slices
    """
    made = Archive()
    for seed, patient in enumerate(patients):
        latent = chest(seed)
        rng = np.random.default_rng(1000 + seed)
        exposure = rng.normal(0, 12, latent.shape)
        thin = latent + exposure
        thick = thick_of(thin)
        series = []
        for role, hu, mm in (("thin", thin, 1.0), ("thick", thick, 5.0)):
            uuid = f"{patient}-{role}"
            start = (-120.5, -80.25, 300.0 + (2.0 if role == "thick" else 0.0))
            tag = _headers(patient, role, (change or {}).get(patient))
            where = maker.positions_of(len(hu), mm, start=start)
            hu = np.clip(np.rint(hu), -1024, 3000)
            path = maker.series(folder / uuid, hu, where, change=tag, thickness_mm=mm, **pixels)
            series.append((uuid, as_folder(path)))
        made.folders |= dict(series)
        split = patient if patient in SPLITS else "train"
        made.rows.append(row_of(patient, split, series))
    return made


def _headers(
    patient: str, role: str, change: Callable[[int, FileDataset], None] | None
) -> Callable[[int, FileDataset], None]:
    def tag(k: int, data: FileDataset) -> None:
        data.PatientID, data.StudyInstanceUID = patient, f"1.2.{len(patient)}.7"
        data.FrameOfReferenceUID = f"1.2.{len(patient)}.8"
        data.SeriesInstanceUID = f"1.2.{len(patient)}.{9 if role == 'thin' else 10}"
        data.AcquisitionNumber, data.KVP = 1, 120
        data.SeriesNumber = 3 if role == "thin" else 4
        if role == "thick" and change is not None:
            change(k, data)

    return tag
