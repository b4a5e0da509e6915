"""L291: the chest CT of the SR4ZCT paper, 3 mm slices every 2 mm; no thin reference.

Source     the repository of SR4ZCT (Shi, MLMI 2023, jiayangshi/SR4ZCT), which has it as example
           data; from the Low Dose CT Grand Challenge of AAPM and Mayo Clinic (patient L291, full
           dose, sharp kernel D45f, Siemens Definition Flash), now in TCIA's collection
           LDCT-and-Projection-data
Licence    that of the challenge: the repository states none for the scan. TCIA requires a login
           and an agreement; put its .IMA files below the raw folder
Selection  of 343 files the first 140 by name, "the lung area" of the released code:
           z from -62 down to -340 mm
Checksums  SHA-256 of these 140, in splits/ldct_l291.csv, from a copy of the repository. Names and
           checksums of the other 203 are not known: to use more ``slices`` than 140, put the
           files there by hand

There is no thin scan to compare with: cases have ``thin`` None, and their ``target`` is a grid of
contiguous slices as thick as a pixel is wide, centred on the extent of the thick slices. The
released code stretches its spacing (0.74339 mm) to end exactly where they end; this one does not.
"""

import csv
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from thinslice.download.fetch import Remote, fetch
from thinslice.errors import listed, refused
from thinslice.interfaces import Case
from thinslice.io.dicom.read import read_dicom
from thinslice.volume import Grid

COMMIT = "5d58d31e648050fb724fe604ed0b597100b47d19"
FOLDER = "L291/full_3mm_sharp"
ADDRESS = f"https://raw.githubusercontent.com/jiayangshi/SR4ZCT/{COMMIT}/{FOLDER}"
MANIFEST = Path(__file__).parent / "splits" / "ldct_l291.csv"
MANIFEST_SHA256 = "3ccabc34c124584862a7fbee232b67260a591554f78752cdf31e253a20e7f0be"
PUBLISHED = 140  # slices in the paper
ROUND = 1e-6  # tolerance, in slices, of lengths that are whole numbers of slices


@dataclass(frozen=True)
class LdctL291:
    """The L291 data set; see the module docstring."""

    simulated = False

    slices: int | None = PUBLISHED
    increment_mm: float | None = None

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download the paper's slices, unless enough .IMA files are there already."""
        if not _enough(_images(raw), self.slices):
            fetch(_remotes(self.slices), raw, mirror)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Paths of the slices to read: the first by name."""
        images = _images(raw)
        if not _enough(images, self.slices):
            n = "some" if self.slices is None else self.slices
            advice = "download them, or put the folder of .IMA files there"
            raise refused(raw, f"{len(images)} .IMA files", f"{n} in one folder", advice)
        return images[: self.slices]

    def cases(self, raw: Path) -> Iterator[Case]:
        """The single case, in split test."""
        files = self.files(raw)
        scan = read_dicom(files[0].parent, only=files, modality="CT")
        thick = scan.volume
        target = finer(thick.grid, self.increment_mm or thick.grid.pixel_mm[0])
        source = {"thick": {"first": files[0].name, "n_files": len(files), **scan.source}}
        yield Case("l291", "l291", "test", None, thick, source, target)


def finer(thick: Grid, increment_mm: float) -> Grid:
    """Grid of contiguous slices, as many as fit on the thick scan, centred on it.

    Raises ValueError if they are not thinner than the thick ones.
    """
    if not 0 < increment_mm < thick.thickness_mm:
        raise ValueError(f"increment_mm lies below {thick.thickness_mm:g} mm, found {increment_mm}")
    length_mm = (thick.n - 1) * thick.increment_mm + thick.thickness_mm
    n = math.floor(length_mm / increment_mm + ROUND)
    middle_mm = thick.start_mm + (thick.n - 1) / 2 * thick.increment_mm
    return thick.with_slices(
        n=n,
        increment_mm=increment_mm,
        thickness_mm=increment_mm,
        start_mm=middle_mm - (n - 1) / 2 * increment_mm,
    )


def _images(raw: Path) -> list[Path]:
    """Every .IMA file below ``raw``, sorted by name; Refused if they are in several folders."""
    images = [p for p in raw.rglob("*") if p.suffix.upper() == ".IMA" and p.is_file()]
    folders = sorted({str(p.parent) for p in images})
    if len(folders) > 1:
        found = f"{len(images)} .IMA files in {len(folders)} folders ({listed(folders)})"
        raise refused(raw, found, "one series in one folder", "move the others elsewhere")
    return sorted(images)


def _enough(images: list[Path], slices: int | None) -> bool:
    return len(images) >= (slices or 1)


def _remotes(slices: int | None) -> list[Remote]:
    """Addresses of the listed slices; Refused if ``slices`` is more than are listed."""
    content = MANIFEST.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != MANIFEST_SHA256:
        raise refused(MANIFEST, f"sha256 {digest}", MANIFEST_SHA256, "install the package again")
    rows = list(csv.DictReader(content.decode().splitlines()))
    if slices is None or slices > len(rows):
        found = f"{len(rows)} slices with known addresses"
        expected = "all of them" if slices is None else f"{slices}"
        raise refused(
            ADDRESS, found, expected, "clone the repository and put its L291 folder there"
        )
    return [
        Remote(
            f"{ADDRESS}/{row['file']}",
            f"{FOLDER}/{row['file']}",
            size=int(row["bytes"]),
            sha256=row["sha256"],
        )
        for row in rows[:slices]
    ]


def build(slices: int | None = PUBLISHED, increment_mm: float | None = None) -> LdctL291:
    if slices is not None and slices < 2:
        raise ValueError(f"slices: two or more, or null for every file, found {slices}")
    return LdctL291(slices, increment_mm)
