"""KiTS23: abdominal CT before kidney surgery, the 145 thin scans that ACVTT was evaluated on.

Licence     CC BY-NC-SA for the scans (README of github.com/neheller/kits23)
Source      the address in that repository's download script, one file per case; version 0.1.3
Checksums   none are published; the first download is recorded and enforced from then on
Splits      95 training and 50 test cases as in ACVTT's released lists. The paper (section 4.1.3)
            takes 15 of the training cases for validation, unlisted; here those whose SHA-256 of
            "kits23/<case>" sorts first. The released code validates on the test cases instead.
Selection   slices 1.5 mm apart or less; the lists hold such scans alone, others are refused
Prepared    as ACVTT's released code does (``_acvtt``), columns above -600 HU

Labels      of kidney, tumour and cyst (the voters' majority), in the same repository, where
            ``labels`` is set: ``segmentation`` asks for them. No two overlap

One scan per patient. Files store z first and run to the feet; reading corrects both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from thinslice.datasets._acvtt import Preparation, prepared_case
from thinslice.datasets._label_file import labels_on
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import SplitRow, cases_of, first_of_splits
from thinslice.download import fetch
from thinslice.download.fetch import Remote
from thinslice.errors import Refused, refused
from thinslice.interfaces import Case
from thinslice.volume import Grid

MANIFEST_SHA256 = "210bfe72eeb38d2a6c0d2f58fa14a889dfb8a9ec7329aaa0c22d5b5a9030b57c"
URL = "https://kits19.sfo2.digitaloceanspaces.com/master_{number}.nii.gz"
LABELS_URL = "https://github.com/neheller/kits23/raw/main/dataset/{case}/{name}"
SCAN, LABELS = "imaging.nii.gz", "segmentation.nii.gz"
COLUMNS_HU = -600.0


@dataclass(frozen=True)
class Settings:
    """Selection and source of the cases, and assumptions about them."""

    folder: str | None = None  # holds case_00000/imaging.nii.gz; None: download
    limit: int | None = None  # first cases of every split, for trials; None: all
    trim_factor: int | None = 5  # thin slices per thick increment; None: no slice is trimmed
    thickness_mm: float | None = None  # of the thin slices; None: as far apart as in the file
    labels: bool = False  # whether kidneys, tumours and cysts are needed, too


class Kits23:
    """The KiTS23 data set; see the module docstring."""

    simulated = False
    structures = ("kidney", "tumour", "cyst")  # labels 1, 2, 3, as the files have them

    def __init__(self, settings: Settings):
        self.settings = settings
        self.rows = first_of_splits(cases_of("kits23", MANIFEST_SHA256), settings.limit)
        self.how = Preparation(COLUMNS_HU, trim_factor=settings.trim_factor)

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download one file per case, or check ``folder``; Refused if one is missing."""
        if self.settings.folder is None:
            names = [SCAN, LABELS] if self.settings.labels else [SCAN]
            remotes = [remote(row.case, name) for row in self.rows for name in names]
            fetch.fetch(remotes, raw, mirror)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Paths of the selected scans, and of their labels; Refused if one is missing."""
        names = [SCAN, LABELS] if self.settings.labels else [SCAN]
        return [self._path(raw, row.case, name) for row in self.rows for name in names]

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases in the manifest's order: training and validation cases, then test cases."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        return by_case((row.case, partial(self._case, raw, row)) for row in self.rows)

    def _case(self, raw: Path, row: SplitRow) -> Case:
        path = self._path(raw, row.case)
        return prepared_case(row, path, self.how, self.settings.thickness_mm)

    def labels(self, raw: Path) -> Mapping[str, Callable[[Grid], np.ndarray]]:
        """What reads the labels of each case on a grid; Refused where they were not asked for."""
        if not self.settings.labels:
            raise Refused("config: kits23 has labels where its settings say labels: true")
        return by_case((row.case, partial(self._labels, raw, row.case)) for row in self.rows)

    def _labels(self, raw: Path, case: str, grid: Grid) -> np.ndarray:
        return labels_on(self._path(raw, case, LABELS), grid, len(self.structures))

    def _path(self, raw: Path, case: str, name: str = SCAN) -> Path:
        root = raw if self.settings.folder is None else Path(self.settings.folder).expanduser()
        path = root / case / name
        if not path.is_file():
            raise refused(path, "no file", f"{name} of {case}", "download it, or correct `folder`")
        return path


def remote(case: str, name: str = SCAN) -> Remote:
    """Address of the scan of a case, or of its labels."""
    scan = URL.format(number=case.removeprefix("case_"))
    url = scan if name == SCAN else LABELS_URL.format(case=case, name=name)
    return Remote(url, f"{case}/{name}")


def build(**settings) -> Kits23:
    return Kits23(Settings(**settings))
