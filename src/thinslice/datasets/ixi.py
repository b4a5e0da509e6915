"""IXI, T2-weighted MR of healthy brains, the 185 scans of Hammersmith Hospital (Philips 3 T).

Licence     CC BY-SA 3.0 (brain-development.org/ixi-dataset)
Source      one archive of all T2 scans, flat: IXI012-HH-1211-T2.nii.gz is subject 012, HH the site
Checksums   MD5 of the archive as TorchIO has it (torchio/datasets/ixi.py)
Selection   by the site in the name. ACVTT (section 4.1.4) counts 185 scans and names none; another
            number is refused
Splits      ours: ACVTT's 150 training and 35 test subjects are not published. Subjects rank by the
            SHA-256 of "ixi/<subject>": the first 35 test, the next 15 validate, 135 train.
Prepared    trimmed so that the scan begins and ends on a thick slice; neither resampled nor
            cropped: slices stay 1.25 mm apart (most scans), values as in the file

No list of the 185 names is packaged: the split follows from the names, once all are there.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from thinslice.datasets._acvtt import header_before, runs_to_feet, trimmed
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import SplitRow, drawn, first_of_splits
from thinslice.download import fetch
from thinslice.download.fetch import Remote
from thinslice.errors import listed, refused
from thinslice.interfaces import Case
from thinslice.io.archive import unpack
from thinslice.io.nifti.read import read_nifti

SCAN = re.compile(r"(IXI\d{3})-HH-\d{4}-T2\.nii\.gz")
ARCHIVE = Remote(
    "http://biomedic.doc.ic.ac.uk/brain-development/downloads/IXI/IXI-T2.tar",
    "IXI-T2.tar",
    md5="e3140d78730ecdd32ba92da48c0a9aaa",
)


@dataclass(frozen=True)
class Settings:
    """Selection and source of the cases, and assumptions about them."""

    folder: str | None = None  # holds the scans of the unpacked archive; None: download
    limit: int | None = None  # first cases of every split, for trials; None: all
    subjects: int = 185  # that must be there
    test: int = 35  # of them
    val: int = 15  # of the others
    trim_factor: int | None = 5  # thin slices per thick increment; None: no slice is trimmed
    thickness_mm: float | None = None  # of the thin slices; None: as far apart as in the file

    def __post_init__(self) -> None:
        if self.test < 1 or self.val < 1 or self.test + self.val >= self.subjects:
            raise ValueError(
                f"every split needs a subject: {self.test} test, {self.val} val of {self.subjects}"
            )


class Ixi:
    """The IXI data set; see the module docstring."""

    simulated = False

    def __init__(self, settings: Settings):
        self.settings = settings

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download the archive and unpack the scans of Hammersmith Hospital."""
        if self.settings.folder is None:
            (archive,) = fetch.fetch([ARCHIVE], raw, mirror)
            unpack(archive, raw, lambda name: bool(SCAN.fullmatch(PurePosixPath(name).name)))
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Paths of the selected scans; Refused unless the number of subjects is ``subjects``."""
        paths = self._scans(raw)
        return [paths[row.patient] for row in self._rows(paths)]

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases in the order of subject numbers."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        paths = self._scans(raw)
        rows = self._rows(paths)
        return by_case((row.case, partial(self._case, row, paths[row.patient])) for row in rows)

    def _case(self, row: SplitRow, path: Path) -> Case:
        scan = read_nifti(path, thickness_mm=self.settings.thickness_mm, modality="MR")
        to_feet = runs_to_feet(scan)
        thin = trimmed(scan.volume, to_feet, self.settings.trim_factor, path)
        return Case(row.case, row.patient, row.split, thin, None, header_before(row, scan))

    def _scans(self, raw: Path) -> dict[str, Path]:
        """Path of every subject's scan, by number."""
        root = raw if self.settings.folder is None else Path(self.settings.folder).expanduser()
        scans = [
            (m[1], path) for path in sorted(root.glob("*")) if (m := SCAN.fullmatch(path.name))
        ]
        paths = dict(scans)
        if len(paths) != len(scans):
            duplicates = [path.name for subject, path in scans if paths[subject] != path]
            found = f"a second scan of the subject of {listed(duplicates)}"
            raise refused(root, found, "one scan per subject", "remove one of the two")
        if len(paths) != self.settings.subjects:
            found = f"{len(paths)} subjects with IXI???-HH-????-T2.nii.gz"
            advice = "download them, correct `folder`, or set `subjects`"
            raise refused(root, found, f"{self.settings.subjects}", advice)
        return paths

    def _rows(self, paths: dict[str, Path]) -> list[SplitRow]:
        ranked = drawn("ixi", paths, len(paths))
        test, val = self.settings.test, self.settings.val
        split = dict.fromkeys(ranked, "train")
        split |= dict.fromkeys(ranked[:test], "test")
        split |= dict.fromkeys(ranked[test : test + val], "val")
        rows = [SplitRow(subject.lower(), subject, split[subject], "") for subject in paths]
        return first_of_splits(rows, self.settings.limit)


def build(**settings) -> Ixi:
    return Ixi(Settings(**settings))
