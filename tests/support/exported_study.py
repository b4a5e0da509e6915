"""A folder as hospitals export it: studies mixed, files without endings, copies, and odd ones."""

import shutil
from pathlib import Path

import numpy as np

from support import dicom_maker as maker
from support import reconstruction_pairs as made
from support.nifti_maker import saved, scan_ras

NAME = "DOE^JANE"
EMPTY = np.full((4, 8, 8), -1000.0)


def exported(folder: Path) -> Path:
    """One pair, two thin series for its thick one, and what is in no pair."""
    named = made.tagged(PatientName=NAME, PatientID="9912345")
    mixed = folder / "IMAGES"
    made.thin_at(folder / "a", change=named)
    made.thick_at(folder / "b", change=named)
    for part in ("a", "b"):
        for k, file in enumerate(sorted((folder / part).iterdir())):
            mixed.mkdir(exist_ok=True)
            shutil.move(file, mixed / f"IM{part}{k:04d}")
        (folder / part).rmdir()
    shutil.copy(mixed / "IMa0003", mixed / "COPY")
    hu = made.thin_hu()[::2]
    made.write(
        folder / "two", hu, made.THIN_START, 2.0, uid="1.2.3.9",
        change=made.tagged(PatientID="9912345", AcquisitionTime="120000"),
    )  # fmt: skip
    scout = made.tagged(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], PatientID="9912345")
    made.write(folder / "scout", EMPTY[:1], 0, 5.0, uid="1.2.3.10", change=scout)
    elsewhere = made.tagged(StudyInstanceUID="1.9", PatientID="77", Modality="MR")
    made.write(folder / "mr", EMPTY, 0, 5.0, uid="1.2.3.11", change=elsewhere)
    (mixed / "broken").write_bytes(b"nothing of DICOM")
    saved(folder / "other.nii.gz", *scan_ras())
    return folder


def enhanced_pair(folder: Path) -> Path:
    """The thin series as one multi-frame file, the thick one as single ones."""
    hu = np.rint(made.thin_hu()).astype(np.float32)
    places = maker.positions_of(len(hu), made.THIN_MM, start=(-30, -31, made.THIN_START))
    path = folder / "thin" / "all.dcm"
    path.parent.mkdir(parents=True)
    data = maker.enhanced(path, hu, places)
    for name, value in made.UIDS.items():
        setattr(data, name, value)
    measures = data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.PixelSpacing, measures.SliceThickness = list(made.PIXEL_MM), made.THIN_MM
    data.save_as(path, enforce_file_format=True)
    made.thick_at(folder / "thick")
    return folder


def two_phases(folder: Path) -> Path:
    """A thin series that holds two acquisitions, and a thick one with the same two."""
    for phase in (1, 2):
        tags = made.tagged(AcquisitionNumber=phase, AcquisitionTime=f"10{phase}000")
        made.thin_at(folder / f"thin{phase}", made.thin_hu(0, phase), change=tags)
        made.thick_at(folder / f"thick{phase}", made.thick_hu(0, phase), change=tags)
    return folder
