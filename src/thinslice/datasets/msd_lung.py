"""Medical Segmentation Decathlon: the four chest CT that SR4ZCT was evaluated on.

Licence     CC BY-SA 4.0 (medicaldecathlon.com); Antonelli et al., Nature Communications 2022
Source      the organisers' archive of Task06_Lung in the public bucket that MONAI downloads from
Checksum    MD5 of the archive as MONAI has it (monai/apps/datasets.py)
Splits      as the paper's supervised comparison (Shi et al. 2023, section 3, Table 1): lung_006,
            lung_014 and lung_022 for training, lung_023 for testing; nothing for validation, which
            the paper does not have either. ``test_all`` tests on all four (its Table 2)
Selection   those four, which the paper found to have slices of 0.625 mm
Prepared    pixels made 1 mm wide, as in the paper, which does not state how: here by its own
            downscaling, the mean of nine points across each new pixel (``operators.overlap``).
            ``increment_mm`` does the same along z: where slices are as far apart as pixels,
            SR4ZCT's answer is compared as it is, like that of a supervised network
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from thinslice.download import fetch
from thinslice.download.fetch import Remote
from thinslice.errors import refused
from thinslice.interfaces import Case
from thinslice.io.archive import unpack
from thinslice.io.nifti.read import read_nifti
from thinslice.operators import overlap, padding, projection
from thinslice.operators.degradation import in_plane
from thinslice.volume import Volume

TASK = "Task06_Lung"
REMOTE = Remote(
    f"https://msd-for-monai.s3-us-west-2.amazonaws.com/{TASK}.tar",
    f"{TASK}.tar",
    md5="8afd997733c7fc0432f71255ba4e52dc",
)
TRAINED_ON = ("lung_006", "lung_014", "lung_022")
TESTED_ON = ("lung_023",)
PARTS = ("imagesTr", "imagesTs")


@dataclass(frozen=True)
class Settings:
    """Split and source of the cases, and the pixel size."""

    test_all: bool = False  # all four are test cases; none is for training
    folder: str | None = None  # holds Task06_Lung; None: download
    pixel_mm: float | None = 1.0  # None: unchanged
    increment_mm: float | None = None  # of slices side by side; None: unchanged


class MsdLung:
    """The four chest CT; see the module docstring."""

    simulated = False

    def __init__(self, settings: Settings):
        self.settings = settings

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download the archive of the task and unpack the four scans."""
        if self.settings.folder is None:
            wanted = {f"{TASK}/{part}/{c}.nii.gz" for c in TRAINED_ON + TESTED_ON for part in PARTS}
            (archive,) = fetch.fetch([REMOTE], raw, mirror)
            unpack(archive, raw, lambda name: PurePosixPath(name).as_posix() in wanted)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Paths of the four scans; Refused if one is missing."""
        return [self._path(raw, case) for case in TRAINED_ON + TESTED_ON]

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases in the order of their numbers."""
        for case in TRAINED_ON + TESTED_ON:
            scan = read_nifti(self._path(raw, case))
            test = self.settings.test_all or case in TESTED_ON
            thin, s = scan.volume, self.settings
            thin = thin if s.pixel_mm is None else with_pixels(thin, s.pixel_mm)
            thin = thin if s.increment_mm is None else with_slices(thin, s.increment_mm)
            yield Case(case, case, "test" if test else "train", thin, None, {"thin": scan.source})

    def _path(self, raw: Path, case: str) -> Path:
        root = raw if self.settings.folder is None else Path(self.settings.folder).expanduser()
        paths = [root / TASK / part / f"{case}.nii.gz" for part in PARTS]
        existing = [path for path in paths if path.is_file()]
        if len(existing) != 1:
            found = f"{case}.nii.gz in {len(existing)} of {' and '.join(PARTS)}"
            raise refused(
                root / TASK, found, "it in exactly one of them", "download it, or correct `folder`"
            )
        return existing[0]


def with_pixels(volume: Volume, pixel_mm: float) -> Volume:
    """Resample in-plane to ``pixel_mm``, each pixel the mean of nine points across it."""
    fine = [overlap.line(n, mm) for n, mm in zip(volume.grid.shape, volume.grid.pixel_mm)]
    coarse = [overlap.exact(line, pixel_mm, 0.0) for line in fine]
    rows, columns = (overlap.means_of_points(a, b) for a, b in zip(fine, coarse))
    _, y, x = np.array(volume.grid.direction)
    grid = replace(
        volume.grid,
        shape=(coarse[0].n, coarse[1].n),
        pixel_mm=(pixel_mm, pixel_mm),
        origin_mm=tuple(
            volume.grid.origin_mm
            + y * (coarse[0].start_mm - fine[0].start_mm)
            + x * (coarse[1].start_mm - fine[1].start_mm)
        ),
    )
    weights = (abs(rows), abs(columns))
    outside = padding.projected(volume.padding, lambda part: in_plane(weights, part))
    voxels = in_plane((rows, columns), volume.voxels)
    return Volume(voxels, grid, volume.modality, outside)


def with_slices(volume: Volume, increment_mm: float) -> Volume:
    """Resample along z to slices side by side, each the mean of nine points across it."""
    grid = overlap.exact(volume.grid, increment_mm, 0.0)
    means = overlap.means_of_points(volume.grid, grid)
    outside = padding.projected(volume.padding, lambda part: projection.apply(abs(means), part))
    return Volume(projection.apply(means, volume.voxels), grid, volume.modality, outside)


def build(**settings) -> MsdLung:
    return MsdLung(Settings(**settings))
