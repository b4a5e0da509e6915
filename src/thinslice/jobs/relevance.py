"""Draw which reference slices a method looked at when it restored a case (ACVTT, Fig. 5)."""

from pathlib import Path

import numpy as np

from thinslice import plugins
from thinslice.fs.atomic import replacing
from thinslice.interfaces import Run
from thinslice.provenance.job import Job
from thinslice.provenance.records import link_to, read_record, record_path
from thinslice.report.pictures import relevance
from thinslice.volume import Grid, Volume, window_of


def draw(
    restored: Path,
    thick: Volume,
    grid: Grid,
    out: Path,
    job: Job,
    *,
    method: str,
    plane: str = "coronal",
    at: float = 0.5,
    case: str = "",
    sim: str = "",
) -> None:
    """Draw the relevance of references in one plane as PNG at ``out`` and PDF; keep it as .npz.

    restored   store of the method's restored volumes, whose record names its weights
    plane, at  coronal or sagittal, and where it lies, as a fraction
    """
    record = read_record(record_path(restored))
    weights = Path(record["inputs"]["weights"]["path"])
    link_to(weights)  # refuses weights that are not what their record says
    network = plugins.build("methods", record["cards"]["method"])
    network.load(weights)
    shown = network.relevance(thick, grid, plane=plane, at=at, run=Run(device="cpu"))
    numbers = out.with_suffix(".npz")
    with replacing(numbers) as temporary, open(temporary, "wb") as file:
        np.savez(file, shares=shown.shares)
    job.output("shares", numbers)
    relevance.draw(
        shown.plane,
        shown.references,
        shown.shares,
        out.with_suffix(""),
        step_mm=(grid.increment_mm, grid.pixel_mm[1 if plane == "coronal" else 0]),
        words=f"{case}: relevance of {len(shown.references)} references to {method}, {plane} plane",
        window=_shown(thick),
        sim=sim,
    )


def _shown(thick: Volume) -> tuple[float, float]:
    """Grey values: soft tissue of CT, nearly all of MR."""
    window = window_of(thick, (-160.0, 240.0))
    return window.low, window.high
