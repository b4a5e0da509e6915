"""A small archive of pairs: DICOM made by the tests, in the archive's layout."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support import reconstruction_pairs as pairs
from support.archive_bucket import as_folder, content_of, listings, row_of

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


def archive(
    folder: Path,
    patients: Sequence[str] = SPLITS,
    thick_tags: Mapping[str, Mapping[str, object]] | None = None,
    other_noise: Sequence[str] = (),
) -> Archive:
    """One pair for each patient; one who is called as a split is in it, others train.

    thick_tags     by patient, header tags of their thick slices alone
    other_noise    patients whose thick slices are of another exposure
    """
    made = Archive()
    for seed, patient in enumerate(patients):
        same = {"PatientID": patient, "StudyInstanceUID": f"1.2.{seed}.7"}
        same |= {"FrameOfReferenceUID": f"1.2.{seed}.8"}
        thick_noise = seed + 50 if patient in other_noise else seed
        series = {}
        for role, hu, start_mm, mm, number in (
            ("thin", pairs.thin_hu(seed, seed), pairs.THIN_START, pairs.THIN_MM, 1),
            ("thick", pairs.thick_hu(seed, thick_noise), pairs.THICK_START, pairs.THICK_MM, 2),
        ):
            tags = {**same, **(thick_tags or {}).get(patient, {})} if role == "thick" else same
            uuid, uid = f"{patient}-{role}", f"1.2.{seed}.3.{number}"
            change = pairs.tagged(**tags)
            pairs.write(folder / uuid, hu, start_mm, mm, uid=uid, change=change)
            made.folders[uuid] = as_folder(folder / uuid)
            series[role] = (uuid, uid, made.folders[uuid])
        split = patient if patient in SPLITS else "train"
        made.rows.append(row_of(patient, split, series))
    return made


def phantom_manifest(made: Archive, path: Path) -> str:
    """The same archive as reconstructions of a phantom, whose layouts are the patients."""
    rows = [
        {
            "case": f"{row['patient']}-{role}",
            "layout": row["patient"],
            "thickness_mm": row[f"{role}_mm"],
            "increment_mm": "",
            "kernel": "B",
            "study": row["study"],
            **{key: row[f"{role}_{key}"] for key in ("uid", "uuid", "slices", "bytes")},
            "licence": "CC BY-NC 3.0",
            "bucket": row["bucket"],
            "maker": "philips",
        }
        for row in made.rows
        for role in ("thin", "thick")
    ]
    return Archive(made.folders, rows).write_manifest(path)
