"""Medical Segmentation Decathlon: the 240 thin abdominal CT that ACVTT was evaluated on.

Licence     CC BY-SA 4.0 (medicaldecathlon.com); Antonelli et al., Nature Communications 2022
Source      the organisers' archives in the public bucket that MONAI downloads from, one per task;
            liver, pancreas, hepatic vessel, spleen and colon, scans with and without labels
Checksums   MD5 of the archives as MONAI has them (monai/apps/datasets.py)
Splits      140 training and 100 test cases as in ACVTT's released lists. The paper (section 4.1.2)
            takes 40 of the training cases for validation, unlisted; here those whose SHA-256 of
            "msd/<case>" sorts first. The released code validates on the test cases instead.
Selection   slices 1.5 mm apart or less; the lists hold such scans alone, others are refused. Of
            colon_212 the first 365 slices count; liver_187 is in no list.
Prepared    as ACVTT's released code does (``_acvtt``): raised to -1024 HU, columns
            above -800 HU

Every case counts as a patient; the publisher does not state whether a patient is in two tasks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from thinslice.datasets._acvtt import Preparation, prepared_case
from thinslice.datasets._readers import by_case
from thinslice.datasets._splits import SplitRow, cases_of, first_of_splits
from thinslice.download import fetch
from thinslice.download.fetch import Remote
from thinslice.errors import refused
from thinslice.interfaces import Case
from thinslice.io.archive import unpack

MANIFEST_SHA256 = "1cd636740c82e28e3f47163b7b1901367b94b99430f6d68dea53018d2629ac9e"
URL = "https://msd-for-monai.s3-us-west-2.amazonaws.com/{task}.tar"
MD5 = {
    "Task03_Liver": "a90ec6c4aa7f6a3d087205e23d4e6397",
    "Task07_Pancreas": "4f7080cfca169fa8066d17ce6eb061e4",
    "Task08_HepaticVessel": "641d79e80ec66453921d997fbf12a29c",
    "Task09_Spleen": "410d4a301da4e5b2f6f86ec3ddba524e",
    "Task10_Colon": "bad7a188931dc2f6acf72b08eb6202d0",
}
PARTS = ("imagesTr", "imagesTs")  # with and without published labels
COLUMNS_HU = -800.0
FLOOR_HU = -1024.0


@dataclass(frozen=True)
class Settings:
    """Selection and source of the cases, and assumptions about them."""

    tasks: Sequence[str] = tuple(MD5)
    folder: str | None = None  # holds Task03_Liver/imagesTr and so on; None: download
    limit: int | None = None  # first cases of every split, for trials; None: all
    trim_factor: int | None = 5  # thin slices per thick increment; None: no slice is trimmed
    thickness_mm: float | None = None  # of the thin slices; None: as far apart as in the file

    def __post_init__(self) -> None:
        unknown = [task for task in self.tasks if task not in MD5]
        if unknown or not self.tasks:
            raise ValueError(f"tasks are of {', '.join(MD5)}; found {list(self.tasks)}")


class Msd:
    """The abdominal CT of the decathlon; see the module docstring."""

    simulated = False

    def __init__(self, settings: Settings):
        self.settings = settings
        rows = [r for r in cases_of("msd", MANIFEST_SHA256) if r.task in settings.tasks]
        self.rows = first_of_splits(rows, settings.limit)
        self.how = Preparation(COLUMNS_HU, FLOOR_HU, settings.trim_factor)

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download the archives and unpack the selected scans."""
        if self.settings.folder is None:
            tasks = sorted({row.task for row in self.rows})
            wanted = {f"{r.task}/{part}/{r.case}.nii.gz" for r in self.rows for part in PARTS}
            for archive in fetch.fetch([remote(task) for task in tasks], raw, mirror):
                unpack(archive, raw, lambda name: PurePosixPath(name).as_posix() in wanted)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Paths of the selected scans; Refused if one is missing."""
        return [self._path(raw, row) for row in self.rows]

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases in the manifest's order: training and validation, then test cases, by task."""
        return (read() for read in self.readers(raw).values())

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """The same, to be read."""
        return by_case((row.case, partial(self._case, raw, row)) for row in self.rows)

    def _case(self, raw: Path, row: SplitRow) -> Case:
        path = self._path(raw, row)
        return prepared_case(row, path, self.how, self.settings.thickness_mm)

    def _path(self, raw: Path, row: SplitRow) -> Path:
        root = raw if self.settings.folder is None else Path(self.settings.folder).expanduser()
        paths = [root / row.task / part / f"{row.case}.nii.gz" for part in PARTS]
        existing = [path for path in paths if path.is_file()]
        if len(existing) != 1:
            found = f"{row.case}.nii.gz in {len(existing)} of {' and '.join(PARTS)}"
            raise refused(
                root / row.task,
                found,
                "it in exactly one of them",
                "download it, or correct `folder`",
            )
        return existing[0]


def remote(task: str) -> Remote:
    """Address of the archive of a task, and its checksum."""
    return Remote(URL.format(task=task), f"{task}.tar", md5=MD5[task])


def build(**settings) -> Msd:
    return Msd(Settings(**settings))
