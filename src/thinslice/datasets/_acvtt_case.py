"""One NIfTI file of a published split to a case: read, prepared, with its story."""

from pathlib import Path
from typing import Any

import numpy as np

from thinslice.datasets._acvtt_preparation import Preparation, first_slices, prepared
from thinslice.datasets._splits import SplitRow
from thinslice.errors import refused
from thinslice.interfaces import Case
from thinslice.io.nifti.read import read_nifti
from thinslice.io.orientation import HEAD
from thinslice.io.scan import LoadedScan


def prepared_case(
    row: SplitRow, path: Path, how: Preparation, thickness_mm: float | None = None
) -> Case:
    """The CT at ``path``, prepared as ACVTT does; thickness as declared, else the increment.

    NIfTI says no thickness; slices are taken to be as thick as they lay apart in the file. Raises
    Refused as ``nifti.read`` and ``prepared`` do.
    """
    found = read_nifti(path, thickness_mm=thickness_mm)
    to_feet = runs_to_feet(found)
    volume = found.volume
    if row.first_slices:
        volume = first_slices(volume, int(row.first_slices), to_feet)
    thin = prepared(volume, to_feet, how, path)
    return Case(row.case, row.patient, row.split, thin, None, story(row, found))


def runs_to_feet(found: LoadedScan) -> bool:
    """Whether the file's slices run to the feet; Refused where they are not axial."""
    if int(np.abs(found.volume.grid.direction[0]).argmax()) != HEAD:
        raise refused(found.files[0], "slices that are not axial", "axial ones", "leave it out")
    return "I" in found.source["axes"]


def story(row: SplitRow, found: LoadedScan) -> dict[str, Any]:
    """What the file said before it was prepared; JSON."""
    grid = found.volume.grid
    (file,) = found.files
    as_read = {"file": file.name, "increment_mm": grid.increment_mm, "zyx": list(grid.zyx)}
    return {"thin": {**found.source, **as_read}, "published_split": row.published_split or None}
